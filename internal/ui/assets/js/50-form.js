// Forms: the error summary takes the focus, a second press does not send twice,
// chosen files are named with their size, and typed text survives a reload.
(() => {
  omote.ready((root) => {
    const summary = root.querySelector("[data-focus]");
    if (summary) summary.focus();
  });

  omote.on("submit", "form", (event, form) => {
    if (event.defaultPrevented || form.method === "get") return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    if (event.submitter) event.submitter.setAttribute("aria-busy", "true");
    setTimeout(() => { delete form.dataset.sent; if (event.submitter) event.submitter.removeAttribute("aria-busy"); }, 8000);
  });
  window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((f) => { delete f.dataset.sent; }));

  const size = (bytes) => {
    const units = ["B", "KiB", "MiB", "GiB"];
    let u = 0;
    while (bytes >= 1024 && u < units.length - 1) { bytes /= 1024; u++; }
    return bytes.toLocaleString(document.documentElement.lang, { maximumFractionDigits: bytes < 10 && u ? 1 : 0 }) + "\u00a0" + units[u];
  };
  const name = (drop) => {
    const files = [...drop.querySelector("input[type=file]").files];
    if (files.length) drop.querySelector("[data-drop-names]").textContent = files.map((f) => f.name + ", " + size(f.size)).join(" · ");
  };
  omote.on("change", "[data-drop] input", (event, input) => name(input.closest("[data-drop]")));
  ["dragenter", "dragover"].forEach((type) => omote.on(type, "[data-drop]", (event, drop) => { event.preventDefault(); drop.dataset.over = ""; }));
  omote.on("dragleave", "[data-drop]", (event, drop) => { if (!drop.contains(event.relatedTarget)) delete drop.dataset.over; });
  omote.on("drop", "[data-drop]", (event, drop) => {
    event.preventDefault();
    delete drop.dataset.over;
    const input = drop.querySelector("input[type=file]");
    if (!event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });

  // What is typed into a form that keeps drafts stays in this tab until it is
  // sent: a reload, an expired session or a wrong link lose nothing. Passwords and
  // files are never kept.
  const key = (form) => "draft " + location.pathname + " " + (form.id || form.getAttribute("action"));
  const kept = (form) => [...form.elements].filter((e) => e.name && !["password", "file", "hidden", "submit", "button"].includes(e.type));
  const said = (form, time) => {
    const at = form.querySelector("[data-draft-said]");
    if (at) at.textContent = form.dataset.draft.replace("{time}", time);
  };
  let waiting = 0;
  omote.on("input", "form[data-draft]", (event, form) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const time = new Date().toTimeString().slice(0, 5);
      const values = kept(form).map((e) => [e.name, e.value, e.checked === true]);
      sessionStorage.setItem(key(form), JSON.stringify({ time, values }));
      said(form, time);
    }, 400);
  });
  omote.on("submit", "form[data-draft]", (event, form) => { clearTimeout(waiting); sessionStorage.removeItem(key(form)); });
  omote.ready((root) => root.querySelectorAll("form[data-draft]").forEach((form) => {
    const draft = JSON.parse(sessionStorage.getItem(key(form)) || "null");
    if (!draft || form.querySelector(".errsum")) return;
    kept(form).forEach((e, i) => {
      const [name, value, checked] = draft.values[i] || [];
      if (name !== e.name) return;
      if (e.type === "checkbox" || e.type === "radio") e.checked = checked && value === e.value;
      else e.value = value;
    });
    said(form, draft.time);
  }));
})();
