// Asks the browser for a passkey and sends what it answers with the form the button stands in.
// Without it, or without passkeys, the forms stay hidden and everything else works.

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const named = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));

if (window.PublicKeyCredential && navigator.credentials) {
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      answer(form).then(() => form.submit(), () => tell(form));
    });
  }
}

async function answer(form) {
  form.querySelector("[role=alert]").hidden = true;
  const lab = document.querySelector("#lab");
  if (lab && form.elements.lab) form.elements.lab.value = lab.value;
  for (const copy of form.querySelectorAll("[data-from]")) copy.value = document.querySelector(copy.dataset.from)?.value ?? "";
  const asked = JSON.parse(form.dataset.asked || (await begin(form.dataset.begin)));
  const made = form.dataset.passkey === "create" ? await create(asked) : await get(asked);
  form.elements.response.value = JSON.stringify(made);
}

async function begin(address) {
  const response = await fetch(address, { method: "POST", headers: { "Content-Type": "text/plain" }, body: "" });
  if (!response.ok) throw new Error(response.statusText);
  return response.text();
}

async function create(asked) {
  const publicKey = {
    ...asked,
    challenge: bytes(asked.challenge),
    user: { ...asked.user, id: bytes(asked.user.id) },
    excludeCredentials: named(asked.excludeCredentials),
  };
  const { rawId, response } = await navigator.credentials.create({ publicKey });
  return credential(rawId, {
    clientDataJSON: text(response.clientDataJSON),
    attestationObject: text(response.attestationObject),
  });
}

async function get(asked) {
  const publicKey = { ...asked, challenge: bytes(asked.challenge), allowCredentials: named(asked.allowCredentials) };
  const { rawId, response } = await navigator.credentials.get({ publicKey });
  return credential(rawId, {
    clientDataJSON: text(response.clientDataJSON),
    authenticatorData: text(response.authenticatorData),
    signature: text(response.signature),
  });
}

function credential(rawId, response) {
  return { id: text(rawId), rawId: text(rawId), type: "public-key", response };
}

function tell(form) {
  form.querySelector("[role=alert]").hidden = false;
}
