// The tip of a word of the glossary: on hover, focus and tap; it stays while it is pointed at, and Escape
// sends it away (WCAG 2.2, 1.4.13). Without this the word is a link to the glossary.

let shown = null;
let count = 0;

for (const room of document.querySelectorAll(".term-of")) {
  const [word, tip] = [room.querySelector(".term"), room.querySelector(".tip")];
  tip.id = `tip-${++count}`;
  let finger = false;
  room.addEventListener("pointerenter", ({ pointerType }) => { if (pointerType === "mouse") show(word, tip); });
  room.addEventListener("pointerleave", ({ pointerType }) => {
    if (pointerType === "mouse" && document.activeElement !== word) hide();
  });
  word.addEventListener("pointerdown", ({ pointerType }) => { finger = pointerType === "touch"; });
  word.addEventListener("focus", () => { if (!finger) show(word, tip); });
  word.addEventListener("blur", () => { if (!room.matches(":hover")) hide(); });
  word.addEventListener("click", (event) => {
    if (!finger || shown === tip) return;
    event.preventDefault(); // the first tap tells, the second leads to the glossary
    show(word, tip);
  });
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && shown) { hide(); event.stopPropagation(); }
}, true);
document.addEventListener("pointerdown", ({ target }) => { if (shown && !shown.parentElement.contains(target)) hide(); });
// the word may have been scrolled to: the tip goes with it
addEventListener("scroll", () => { if (shown) place(shown.parentElement.querySelector(".term"), shown); }, { capture: true, passive: true });

function show(word, tip) {
  if (shown === tip) return;
  hide();
  tip.hidden = false;
  word.setAttribute("aria-describedby", tip.id);
  place(word, tip);
  shown = tip;
}

function place(word, tip) {
  const [of, own] = [word.getBoundingClientRect(), tip.getBoundingClientRect()];
  const left = Math.min(Math.max(16, of.left), innerWidth - own.width - 16);
  const above = of.bottom + own.height > innerHeight && of.top > own.height;
  tip.style.left = `${left}px`;
  tip.style.top = `${above ? of.top - own.height + 2 : of.bottom - 2}px`;
}

function hide() {
  if (!shown) return;
  shown.hidden = true;
  shown.parentElement.querySelector(".term").removeAttribute("aria-describedby");
  shown = null;
}
