// Tables: J and K walk the rows, X selects (Shift X a range), Enter opens the
// side panel, Escape closes it. The bulk bar shows while rows are selected.
(() => {
  const rows = () => [...document.querySelectorAll("[data-table] tbody tr[data-row]")];
  const at = () => document.querySelector("tr[data-at]");
  let anchor = null; // first row of a range

  function go(row) {
    if (!row) return;
    const old = at();
    if (old) old.removeAttribute("data-at");
    row.setAttribute("data-at", "");
    const focus = row.querySelector("a, input");
    if (focus) focus.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }

  function step(by) {
    const list = rows();
    if (!list.length) return false;
    const index = list.indexOf(at());
    go(list[index < 0 ? (by > 0 ? 0 : list.length - 1) : Math.min(Math.max(index + by, 0), list.length - 1)]);
    return true;
  }

  function select(range) {
    const row = at();
    const box = row && row.querySelector("input[name=id]");
    if (!box) return false;
    if (range && anchor) {
      const list = rows();
      const [a, b] = [list.indexOf(anchor), list.indexOf(row)].sort((x, y) => x - y);
      list.slice(a, b + 1).forEach((r) => { r.querySelector("input[name=id]").checked = true; });
    } else {
      box.checked = !box.checked;
      anchor = row;
    }
    box.dispatchEvent(new Event("change", { bubbles: true }));
    return true;
  }

  function open(row) {
    const side = document.getElementById("side");
    const link = row.querySelector("td a");
    if (row.dataset.panel && side && window.htmx) {
      document.querySelectorAll("tr[data-open]").forEach((r) => r.removeAttribute("data-open"));
      row.setAttribute("data-open", "");
      htmx.ajax("GET", row.dataset.panel, { target: side, swap: "innerHTML" });
      if (link) history.replaceState(null, "", link.href);
      return true;
    }
    if (link) { link.click(); return true; }
    return false;
  }

  function close() {
    const link = document.querySelector("[data-panel-close]");
    if (!link) return false;
    link.click();
    return true;
  }

  omote.rowKey = (event, key) => {
    switch (key) {
      case "J": return step(1);
      case "K": return step(-1);
      case "X": return select(event.shiftKey);
      case "Escape": return close();
      case "Enter":
        return !(event.target instanceof Element && event.target.closest("a,button,summary")) && at() ? open(at()) : false;
    }
    return false;
  };

  // A row's own link opens the panel beside the table where there is one.
  omote.on("click", "tr[data-panel] td a", (event, link) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    const row = link.closest("tr");
    if (link === row.querySelector("td a") && document.getElementById("side") && window.htmx) {
      event.preventDefault();
      go(row);
      open(row);
    }
  });

  function bulk(form) {
    const boxes = [...form.querySelectorAll("input[name=id]")];
    const count = boxes.filter((b) => b.checked).length;
    const bar = form.querySelector("[data-bulk]");
    bar.hidden = count === 0;
    bar.querySelector("[data-bulk-count]").textContent = count + " " + bar.dataset.selected;
    boxes.forEach((b) => b.closest("tr").toggleAttribute("aria-selected", b.checked));
    boxes.forEach((b) => { if (b.checked) b.closest("tr").setAttribute("aria-selected", "true"); });
    const all = form.querySelector("[data-all]");
    all.checked = count === boxes.length && count > 0;
    all.indeterminate = count > 0 && count < boxes.length;
  }

  omote.ready((root) => root.querySelectorAll("form.select-form").forEach(bulk));
  omote.on("change", "form.select-form input", (event, input) => {
    const form = input.closest("form");
    if (input.matches("[data-all]")) form.querySelectorAll("input[name=id]").forEach((b) => { b.checked = input.checked; });
    bulk(form);
  });
  omote.on("reset", "form.select-form", (event, form) => setTimeout(() => bulk(form)));
})();
