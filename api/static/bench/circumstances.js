// Submitting the record saves what was typed into its circumstances first: nobody presses two
// buttons for one thing, and nothing typed is lost.

export function saveFirst(submit, beside, waits) {
  if (!submit || !beside) return;
  const stood = said(beside);

  submit.addEventListener("submit", async (event) => {
    // a draft without a date proposes today's: submitting it takes that for the day of the work
    const isProposed = beside.dataset.proposed !== undefined;
    if (event.defaultPrevented || waits() || (!isProposed && said(beside) === stood)) return;
    event.preventDefault();
    if (!beside.reportValidity()) return;
    try {
      const answer = await fetch(beside.action, { method: "POST", body: new FormData(beside), headers: { Accept: "text/html" } });
      if (!answer.ok || !answer.redirected) { beside.submit(); return; } // the page says what is wrong
      const now = new DOMParser().parseFromString(await answer.text(), "text/html");
      submit.elements.version.value = now.querySelector(`form[action="${submit.getAttribute("action")}"] [name=version]`).value;
      submit.submit();
    } catch { beside.submit(); }
  });
}

function said(form) { return new URLSearchParams([...new FormData(form)]).toString(); }
