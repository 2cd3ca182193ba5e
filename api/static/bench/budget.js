// The budget of a point while a slider moves: the server computes, the newest answer is shown.

const form = document.querySelector("form[data-what-if]");
const panel = document.querySelector("[data-live]");

if (form && panel) {
  const said = form.querySelector("[role=alert]");
  let asking = false;
  let waits = false;

  // One question at a time: while it is on the way, only the newest setting waits.
  async function ask() {
    if (asking) { waits = true; return; }
    asking = true;
    const began = performance.now();
    try {
      const answer = await fetch(`${form.dataset.address}?${new URLSearchParams(new FormData(form))}`);
      if (!answer.ok) throw new Error(String(answer.status));
      panel.innerHTML = await answer.text(); // rendered and escaped by the server
      panel.parentElement.classList.toggle("unkept", panel.querySelector(".not-kept") !== null);
      performance.measure("what-if", { start: began });
      said.hidden = true;
    } catch {
      said.textContent = form.dataset.again;
      said.hidden = false;
    } finally {
      asking = false;
      if (waits) { waits = false; ask(); }
    }
  }

  form.addEventListener("input", (event) => {
    const slider = event.target.closest("input[type=range]");
    if (!slider) return;
    slider.nextElementSibling.textContent = `${slider.value} %`;
    slider.setAttribute("aria-valuetext", `${slider.value} %`);
    ask();
  });
}
