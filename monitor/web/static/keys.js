// Keyboard: the same page for who never touches a mouse. Nothing here knows what a page shows.
(() => {
  const typing = (target) => /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName) || target.isContentEditable;
  const tabs = { o: "/", c: "/cases", s: "/statistics", p: "/process", a: "/desk", d: "/letters" };
  let before = "";
  const rows = () => [...document.querySelectorAll(".rows tr[data-href]")];
  const step = (by) => {
    const all = rows(), at = all.findIndex((row) => row.classList.contains("here"));
    if (!all.length) return;
    const next = Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + by));
    all.forEach((row, number) => row.classList.toggle("here", number === next));
    all[next].scrollIntoView({ block: "nearest" });
  };
  const go = (path) => {
    const link = [...document.querySelectorAll(".bar nav a")].find((one) => new URL(one.href).pathname === path);
    if (link) link.click();
  };
  const acts = {
    "/": () => document.getElementById("search")?.focus(),
    j: () => step(1), k: () => step(-1),
    Enter: () => { const row = document.querySelector(".rows tr.here"); if (row) location.href = row.dataset.href; },
    t: () => { const menu = document.getElementById("time"); menu.open = !menu.open; menu.querySelector("input[name=at]")?.focus(); },
    l: () => document.getElementById("lang")?.click(),
    d: () => document.getElementById("theme")?.click(),
    "?": () => document.getElementById("keys")?.showModal(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") document.querySelectorAll("details.menu[open]").forEach((menu) => { menu.open = false; });
    if (typing(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (before === "g" && tabs[event.key]) { before = ""; event.preventDefault(); go(tabs[event.key]); return; }
    before = event.key;
    if (acts[event.key] && !document.querySelector("dialog[open]")) { event.preventDefault(); acts[event.key](); }
  });
  document.addEventListener("click", (event) => {
    document.querySelectorAll("details.menu[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
    if (event.target.id === "help") { event.preventDefault(); document.getElementById("keys").showModal(); }
    const act = event.target.closest?.("[data-act]");
    if (act) { emitEvent("act", { ...act.dataset }); return; }
    const row = event.target.closest?.("tr[data-href]");
    if (row && !event.target.closest("a, button, input")) location.href = row.dataset.href;
  });
  document.addEventListener("visibilitychange", () => emitEvent("hidden", { hidden: document.hidden }));
  document.addEventListener("change", (event) => {
    if (event.target.matches(".filters select")) event.target.form.requestSubmit();
  });
})();
