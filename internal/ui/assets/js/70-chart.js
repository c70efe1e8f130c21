// Charts as server-drawn SVG: a table behind each (key T), and points that are
// stepped with the arrow keys and spoken. charts.js adds ECharts where a page
// asks for it.
(() => {
  omote.toggleTable = (from) => {
    const near = from instanceof Element ? from.closest("[data-chart]") : null;
    const figure = near || [...document.querySelectorAll("[data-chart]")].find((f) => {
      const box = f.getBoundingClientRect();
      return box.bottom > 80 && box.top < innerHeight;
    });
    const details = figure && figure.querySelector("details.as-table");
    if (!details) return false;
    details.open = !details.open;
    if (details.open) details.querySelector("summary").focus();
    return true;
  };

  // The link "Table" in a section's head opens the table of its chart.
  omote.on("click", "a[href^='#table-']", (event, link) => {
    const details = document.getElementById(link.getAttribute("href").slice(1));
    if (!details) return;
    event.preventDefault();
    details.open = !details.open;
    if (details.open) details.querySelector("summary").focus();
  });

  const points = (figure) => [...figure.querySelectorAll("svg [data-say]")].filter((p) => p.getBoundingClientRect().width > 0);

  function show(figure, index) {
    const list = points(figure);
    if (!list.length) return;
    const to = Math.min(Math.max(index, 0), list.length - 1);
    figure.dataset.at = to;
    list.forEach((p, i) => p.toggleAttribute("data-on", i === to));
    const read = figure.querySelector("[data-read]");
    if (read) read.textContent = list[to].dataset.say;
    omote.say(list[to].dataset.say);
    light(list[to]);
  }

  // In a map the moves of a node stay bright while the others fade.
  function light(point) {
    const map = point && point.closest(".f-map");
    document.querySelectorAll(".f-map[data-lit]").forEach((m) => {
      m.removeAttribute("data-lit");
      m.querySelectorAll("[data-lit]").forEach((e) => e.removeAttribute("data-lit"));
    });
    if (!map || !("node" in point.dataset)) return;
    map.setAttribute("data-lit", "");
    const node = point.dataset.node;
    map.querySelectorAll(`[data-from="${node}"], [data-to="${node}"]`).forEach((e) => e.setAttribute("data-lit", ""));
  }

  omote.on("keydown", "[data-chart] [data-steps]", (event, plot) => {
    const figure = plot.closest("[data-chart]");
    if (figure.dataset.live) return; // ECharts has taken over
    const last = points(figure).length - 1;
    const now = "at" in figure.dataset ? Number(figure.dataset.at) : null;
    const to = { ArrowLeft: now === null ? last : now - 1, ArrowRight: now === null ? 0 : now + 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    show(figure, to);
  });
  omote.on("pointerover", "svg [data-say]", (event, point) => {
    const figure = point.closest("[data-chart]");
    const read = figure && figure.querySelector("[data-read]");
    if (read) read.textContent = point.dataset.say;
    light(point);
  });
  omote.on("pointerout", "svg [data-node]", (event, point) => { if (!point.contains(event.relatedTarget)) light(null); });
  omote.on("focusout", "[data-chart] [data-steps]", (event, plot) => {
    light(null);
    const figure = plot.closest("[data-chart]");
    delete figure.dataset.at;
    points(figure).forEach((p) => p.removeAttribute("data-on"));
  });
})();
