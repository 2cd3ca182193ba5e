// Where tabs do not fit, the one that is open is brought into sight.

document.querySelectorAll(".tabs [aria-current=page]").forEach((tab) => {
  const { parentElement: row } = tab;
  row.scrollLeft = tab.offsetLeft - row.offsetLeft - (row.clientWidth - tab.offsetWidth) / 2;
});
