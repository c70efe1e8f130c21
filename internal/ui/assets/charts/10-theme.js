// The ECharts theme, read from the custom properties of tokens.css at run time
// and read again when the scheme changes.
"use strict";
const omoteCharts = {
  theme() {
    const style = getComputedStyle(document.documentElement);
    const v = (name) => style.getPropertyValue(name).trim();
    // A property may refer to another (--worse: var(--warm)); a probe resolves it.
    const probe = document.createElement("span");
    document.body.append(probe);
    const colour = (name) => { probe.style.color = ""; probe.style.color = `var(${name})`; return getComputedStyle(probe).color; };
    const t = {
      sans: v("--sans"),
      ink: colour("--ink"), ink2: colour("--ink-2"), ink3: colour("--ink-3"),
      sheet: colour("--sheet"), line: colour("--line"), edge: colour("--edge"),
      band: colour("--c-band"), bandEdge: colour("--c-band-edge"), ci: colour("--c-ci"), grid: colour("--c-grid"),
      warm: colour("--warm"), better: colour("--better"), worse: colour("--worse"), stale: colour("--stale"), few: colour("--few"),
      focus: colour("--focus"),
      categories: [1, 2, 3, 4, 5].map((i) => colour("--cat-" + i)),
    };
    probe.remove();
    return t;
  },
};
