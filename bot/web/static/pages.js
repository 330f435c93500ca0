// Keeps a page up to date while something on it moves: the log as it is written, the rest when the run changes.
(() => {
  "use strict";
  const PACE = 1000, LATER = 10000, MOST = 400000; // milliseconds; characters of log that a browser shows with ease

  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const visible = () => document.hidden
    ? new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true })) : null;

  const get = async (url) => {
    const answer = await fetch(url, { credentials: "same-origin", cache: "no-store" });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer;
  };

  // Fetch this very page again and put its living parts in place of ours; what has the focus is left alone.
  const renew = async () => {
    const text = await (await get(location.href)).text();
    const fresh = new DOMParser().parseFromString(text, "text/html");
    for (const old of document.querySelectorAll("[data-live]")) {
      const next = fresh.getElementById(old.id);
      if (!next) continue;
      if (old.innerHTML !== next.innerHTML && !old.contains(document.activeElement)) old.innerHTML = next.innerHTML;
      for (const { name, value } of [...next.attributes]) old.setAttribute(name, value);
      if (!next.hasAttribute("data-every")) old.removeAttribute("data-every");
    }
    const log = document.getElementById("log"), next = fresh.getElementById("log");
    if (next && (!log || log.dataset.stage !== next.dataset.stage)) {
      if (log) log.replaceWith(next); else document.getElementById("report").after(next);
      show(next.querySelector("pre"));
    }
  };

  const show = (box) => { if (box) box.scrollTop = box.scrollHeight; };

  const write = (log, text) => {
    const box = log.querySelector("pre"), inside = box.firstElementChild || box;
    const following = box.scrollHeight - box.scrollTop - box.clientHeight < 40; // do not move what is being read
    inside.append(text);
    const whole = inside.textContent;
    if (whole.length > MOST) inside.textContent = whole.slice(whole.indexOf("\n", whole.length - MOST / 2) + 1);
    else inside.normalize();
    log.querySelector(".nothing").hidden = true;
    box.hidden = false;
    if (following) show(box);
  };

  // One look at the log; true while there may be more.
  const look = async (watch) => {
    const log = document.getElementById("log");
    const stage = log?.dataset.stage, offset = log?.dataset.offset ?? 0;
    const asked = new URLSearchParams(stage ? { stage, offset } : { offset });
    const found = await (await get(`${watch.dataset.poll}?${asked}`)).json();
    if (stage && found.stage === stage) {
      if (found.text) write(log, found.text);
      log.dataset.offset = found.offset;
    }
    if (String(found.revision) !== watch.dataset.revision) await renew();
    return !found.ended || found.text !== "";
  };

  const follow = async (watch) => {
    for (let more = watch.dataset.ended !== "true"; more;) {
      await visible();
      try {
        more = await look(watch);
        await sleep(PACE);
      } catch {
        await sleep(LATER); // the bot restarts, or the network is away
      }
    }
  };

  const refresh = async (part) => {
    while (part.dataset.every) {
      await sleep(Number(part.dataset.every));
      await visible();
      try { await renew(); } catch { await sleep(LATER); }
    }
  };

  show(document.querySelector("#log pre"));
  const watch = document.querySelector("[data-poll]");
  if (watch) follow(watch);
  for (const part of document.querySelectorAll("[data-every]")) refresh(part);
})();
