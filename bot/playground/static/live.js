// Keeps what a page shows up to date without losing what is being typed or which details are open.
"use strict";
(() => {
  const areas = () => [...document.querySelectorAll("[data-live]")];
  if (!areas().length) return;
  const told = new Map(); // id -> the server's HTML when it was last taken over

  const remember = (root) => {
    for (const child of root.children) if (child.id) told.set(child.id, child.outerHTML);
  };
  areas().forEach(remember);

  const busy = (node) => node.contains(document.activeElement) && document.activeElement.matches("textarea, input, select");

  const adopt = (old, fresh) => {
    const open = [...old.querySelectorAll("details")].map((one) => one.open);
    [...fresh.querySelectorAll("details")].forEach((one, n) => { if (n < open.length) one.open = open[n]; });
    old.replaceWith(fresh);
  };

  const merge = (area, fresh) => {
    const wanted = [...fresh.children].filter((child) => child.id);
    const ids = new Set(wanted.map((child) => child.id));
    for (const child of [...area.children]) if (child.id && !ids.has(child.id) && !busy(child)) { told.delete(child.id); child.remove(); }
    let before = null;
    for (const child of wanted) {
      const html = child.outerHTML;
      const mine = document.getElementById(child.id);
      if (!mine) {
        child.classList.add("fresh");
        before ? before.after(child) : area.prepend(child);
      } else if (told.get(child.id) !== html && !busy(mine)) {
        adopt(mine, child);
      } else {
        before = mine;
        continue;
      }
      told.set(child.id, html);
      before = child;
    }
  };

  const look = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(location.href, { headers: { "X-Live": "1" } });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const area of areas()) {
        const fresh = page.querySelector(`[data-live="${area.dataset.live}"]`);
        if (fresh) merge(area, fresh);
      }
    } catch {
      // The playground has stopped: the page stays as it was.
    }
  };
  setInterval(look, 2000);
})();
