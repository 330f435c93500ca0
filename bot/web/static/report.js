// The report's tables: a heading sorts, a row's name says why. All text is on the page already; without this, in words below.
(() => {
  "use strict";
  const number = (text) => text === "" || Number.isNaN(Number(text)) ? null : Number(text);

  const sort = (button) => {
    const forest = button.closest(".forest"), key = button.dataset.sort;
    const up = button.getAttribute("aria-sort") !== "ascending";
    for (const other of forest.querySelectorAll("[data-sort]")) other.removeAttribute("aria-sort");
    button.setAttribute("aria-sort", up ? "ascending" : "descending");
    const rows = [...forest.querySelectorAll(".line[data-name]")];
    const value = (row) => number(row.dataset[key]) ?? row.dataset[key];
    rows.sort((a, b) => {
      const [one, other] = up ? [value(a), value(b)] : [value(b), value(a)];
      return typeof one === "number" && typeof other === "number" ? one - other : String(one).localeCompare(String(other));
    });
    forest.querySelector(".line.header").after(...rows);
  };

  const tell = (button) => {
    const open = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(open));
    button.closest(".line").querySelector(".because").hidden = !open;
  };

  document.addEventListener("click", (event) => {
    const sorts = event.target.closest("[data-sort]"), more = event.target.closest(".more");
    if (sorts) sort(sorts);
    else if (more) tell(more);
  });
})();
