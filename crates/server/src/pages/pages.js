// Live pages: when the study moves, fetch this page again and replace the parts that differ. Nothing else moves, so
// scroll, focus and open folds stay. Without this script the pages can be read all the same.
"use strict";
const state = document.getElementById("live");
const say = (text, stale) => { if (state) { state.textContent = text; state.classList.toggle("stale", stale); } };
const zone = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const localise = root => root.querySelectorAll("time[datetime]").forEach(time => {
  const [utc, moment] = [time.textContent, new Date(time.dateTime)];
  if (isNaN(moment)) return; // A researcher's own clock may say anything.
  time.textContent = zone.format(moment);
  time.title = utc;
});
const sources = new Map();
const parts = root => [...root.querySelectorAll("[data-live][id]")];
parts(document).forEach(part => sources.set(part.id, part.innerHTML));
localise(document);
let busy = false, again = false;
async function refresh() {
  if (busy) { again = true; return; }
  busy = true;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok) { say("this session has ended: open a new link", true); return; }
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of parts(fresh)) {
      const old = document.getElementById(part.id);
      if (!old || sources.get(part.id) === part.innerHTML) continue;
      sources.set(part.id, part.innerHTML);
      if (old.contains(document.activeElement) || old.contains(getSelection().anchorNode) && !getSelection().isCollapsed) {
        sources.delete(part.id); // Somebody is at it; it is renewed next time.
        continue;
      }
      const open = new Set([...old.querySelectorAll("details[open][id]")].map(fold => fold.id));
      part.querySelectorAll("details[id]").forEach(fold => { fold.open = open.has(fold.id); });
      localise(part);
      old.replaceChildren(...part.childNodes);
    }
    say("live · " + new Date().toLocaleTimeString(), false);
  } catch { say("not reached: shown as of before", true); }
  finally { busy = false; if (again) { again = false; refresh(); } }
}
if (state && window.EventSource) {
  const news = new EventSource("/live");
  let first = true;
  news.onmessage = () => { if (first) { first = false; say("live", false); } else refresh(); };
  news.onerror = () => { first = false; say("not live: the study has stopped or can't be reached", true); };
}
