// The ECharts theme, read from the custom properties of the style sheet at run
// time, and read again when the scheme changes. ECharts itself is fetched when the
// first chart that asks for it comes into sight, and never on a phone, where the
// drawing of the server is already made to measure.
"use strict";
const omoteCharts = (() => {
  const library = document.currentScript && document.currentScript.dataset.echarts;
  let loading = null;

  // tokens gives the colours and faces of the present scheme. A property may refer
  // to another (--worse is var(--warm)); a probe element resolves it.
  function tokens() {
    const style = getComputedStyle(document.documentElement);
    const probe = document.createElement("span");
    document.body.append(probe);
    const colour = (name) => { probe.style.color = `var(${name})`; return getComputedStyle(probe).color; };
    const t = { sans: style.getPropertyValue("--sans").trim() };
    for (const [key, name] of Object.entries({
      ink: "--ink", ink2: "--ink-2", ink3: "--ink-3", sheet: "--sheet", line: "--line", edge: "--edge",
      band: "--c-band", bandEdge: "--c-band-edge", ci: "--c-ci", grid: "--c-grid", axis: "--c-axis",
      warm: "--warm", better: "--better", worse: "--worse", stale: "--stale", few: "--few", focus: "--focus",
    })) t[key] = colour(name);
    t.categories = [1, 2, 3, 4, 5].map((i) => colour("--cat-" + i));
    t.ramp = [1, 2, 3, 4, 5].map((i) => colour("--ramp-" + i));
    t.two = [1, 2, 3, 4, 5].map((i) => colour("--two-" + i));
    probe.remove();
    return t;
  }

  // theme is the ECharts theme object of those tokens, by the chart grammar: no
  // animation, hairline grids, ink lines, direct labels in the sans face.
  function theme(t) {
    const axis = {
      axisLine: { lineStyle: { color: t.bandEdge, width: 1 } },
      axisTick: { lineStyle: { color: t.bandEdge }, length: 3 },
      axisLabel: { color: t.ink3, fontFamily: t.sans, fontSize: 11, hideOverlap: true },
      splitLine: { lineStyle: { color: t.grid, width: 1 } },
    };
    return {
      color: t.categories, backgroundColor: "transparent", animation: false,
      textStyle: { fontFamily: t.sans, fontSize: 11, color: t.ink3 },
      valueAxis: axis, categoryAxis: axis, timeAxis: axis, logAxis: axis,
      line: { symbol: "none", lineStyle: { width: 1.5, color: t.ink }, itemStyle: { color: t.ink } },
    };
  }

  // load fetches ECharts once and registers the theme of the present scheme.
  function load() {
    if (!loading) {
      loading = new Promise((done, fail) => {
        const script = document.createElement("script");
        script.src = library;
        script.onload = done;
        script.onerror = fail;
        document.head.append(script);
      });
    }
    return loading.then(() => { const t = tokens(); echarts.registerTheme("omote", theme(t)); return t; });
  }

  const wide = () => matchMedia("(min-width: 761px)").matches && Boolean(library);
  return { load, wide, kinds: {} };
})();
