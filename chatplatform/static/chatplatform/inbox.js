// The inbox, live and by keys. Rows change in place; what is new waits behind a link until it is asked for.
"use strict";

(() => {
  const live = document.getElementById("desk-live");
  const fresh = document.getElementById("desk-new");
  const help = document.getElementById("desk-help");
  const rows = () => [...document.querySelectorAll("#result_list tbody tr")];
  const elsewhere = new Set();

  const say = (isOn) => {
    live.textContent = isOn ? live.dataset.live : live.dataset.off;
    live.classList.toggle("is-on", isOn);
    live.classList.toggle("is-off", !isOn);
  };

  const tellNew = () => {
    fresh.href = location.href;
    fresh.textContent = interpolate(ngettext("%s new", "%s new", elsewhere.size), [elsewhere.size]);
    fresh.hidden = elsewhere.size === 0;
  };

  const take = ({ conversation, message }) => {
    if (!conversation) return;
    const row = document.querySelector(`#result_list tr[data-id="${Number(conversation.id)}"]`);
    if (!row) elsewhere.add(conversation.id);
    if (row && message && !message.deleted && !message.private) {
      row.querySelector(".d-said").textContent = message.text;
      const by = row.querySelector(".d-preview b");
      if (by) by.remove();
      row.classList.toggle("is-unread", message.is_customer);
      const time = row.querySelector("time");
      time.dateTime = message.created_at;
      time.textContent = new Date(message.created_at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    }
    tellNew();
  };

  const source = new EventSource(live.dataset.events);
  source.addEventListener("ready", () => say(true));
  source.addEventListener("reset", () => location.reload());
  source.onerror = () => say(false);
  for (const name of ["conversation.created", "conversation.message.created"]) {
    source.addEventListener(name, (event) => take(JSON.parse(event.data)));
  }

  const all = document.getElementById("desk-all");
  const boxes = () => [...document.querySelectorAll(".d-choose")];
  let lastBox = null;
  const count = () => {
    const chosen = boxes().filter((box) => box.checked).length;
    const text = ngettext("%s chosen", "%s chosen", chosen);
    document.getElementById("desk-chosen").textContent = interpolate(text, [chosen]);
    all.checked = chosen > 0 && chosen === boxes().length;
    all.indeterminate = chosen > 0 && !all.checked;
  };
  if (all) {
    all.addEventListener("change", () => {
      for (const box of boxes()) box.checked = all.checked;
      count();
    });
    document.getElementById("result_list").addEventListener("click", (event) => {
      if (!event.target.matches(".d-choose")) return;
      const list = boxes();
      if (event.shiftKey && lastBox) {
        const [from, to] = [list.indexOf(lastBox), list.indexOf(event.target)].sort((a, b) => a - b);
        for (const box of list.slice(from, to + 1)) box.checked = event.target.checked;
      }
      lastBox = event.target;
      count();
    });
    window.addEventListener("pageshow", count);  // the browser keeps what was chosen
  }

  const here = () => rows().findIndex((row) => row.classList.contains("is-here"));
  const go = (place) => {
    const list = rows();
    if (!list.length) return;
    const to = Math.min(Math.max(place, 0), list.length - 1);
    list.forEach((row, number) => row.classList.toggle("is-here", number === to));
    list[to].querySelector(".d-who a").focus({ preventScroll: true });
    list[to].scrollIntoView({ block: "nearest" });
  };
  const keys = {
    j: () => go(here() + 1),
    k: () => go(here() - 1),
    x: () => rows()[here()]?.querySelector(".d-choose")?.click(),
    ".": () => fresh.hidden || fresh.click(),
    "?": () => help.showModal(),
  };
  document.getElementById("desk-help-opener").addEventListener("click", keys["?"]);
  document.addEventListener("keydown", (event) => {
    const inField = event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
    if (inField || event.ctrlKey || event.metaKey || event.altKey || help.open || !(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  });
})();
