// The time chart in ECharts: the same grammar as the drawing of the server, at
// the exact width of its place, with zoom (Ctrl and wheel, or + and −, 0 for all),
// and points that are read out under the pointer and stepped with the arrow keys.
"use strict";
(() => {
  const measure = (() => {
    const context = document.createElement("canvas").getContext("2d");
    return (text, font) => { context.font = font; return context.measureText(text).width; };
  })();

  // shapes gives drawing primitives in pixels, from an api that maps values.
  function shapes(d, t, api, box) {
    const out = [];
    const xy = (p, v) => api.coord([p.t, v]);
    const runs = (has) => d.points.reduce((all, p) => {
      if (!has(p)) all.push([]); else all[all.length - 1].push(p);
      return all;
    }, [[]]).filter((r) => r.length > 1);
    const area = (has, low, high, fill) => runs(has).forEach((r) => out.push({
      type: "polygon", silent: true, style: { fill },
      shape: { points: r.map((p) => xy(p, p[high])).concat(r.map((p) => xy(p, p[low])).reverse()) },
    }));
    const line = (points, style) => out.push({ type: "polyline", silent: true, shape: { points }, style: Object.assign({ fill: "none" }, style) });
    const inBand = (p) => p.bl != null && p.bh != null;
    area(inBand, "bl", "bh", t.band);
    runs(inBand).forEach((r) => ["bl", "bh"].forEach((k) => line(r.map((p) => xy(p, p[k])), { stroke: t.bandEdge, lineWidth: 1, lineDash: [3, 3] })));
    (d.changes || []).forEach((c) => {
      if (!c.from) return;
      const a = api.coord([c.from, 0])[0], b = api.coord([c.to, 0])[0];
      out.push({ type: "rect", silent: true, shape: { x: a, y: box.y, width: b - a, height: box.height }, style: { fill: t.warm, opacity: 0.1 } });
    });
    if (d.stale) hatch(api.coord([d.stale, 0])[0], box, t).forEach((h) => out.push(h));
    if (d.target) {
      const y = api.coord([d.from, d.target.at])[1];
      line([[box.x, y], [box.x + box.width, y]], { stroke: t.ink, lineWidth: 1.25, lineDash: [1, 3], lineCap: "round" });
    }
    area((p) => p.l != null && p.s !== "few", "l", "h", t.ci);
    runs((p) => p.v != null && p.s !== "few").forEach((r) => line(r.map((p) => xy(p, p.v)), { stroke: t.ink, lineWidth: 1.5, lineJoin: "round" }));
    (d.changes || []).forEach((c) => {
      const x = api.coord([c.at, 0])[0];
      if (c.before != null && c.after != null) {
        line([[box.x, api.coord([c.at, c.before])[1]], [x, api.coord([c.at, c.before])[1]]], { stroke: t.bandEdge, lineWidth: 1 });
        line([[x, api.coord([c.at, c.after])[1]], [box.x + box.width, api.coord([c.at, c.after])[1]]], { stroke: t.bandEdge, lineWidth: 1 });
      }
      line([[x, box.y - 4], [x, box.y + box.height]], { stroke: t.warm, lineWidth: 1.25 });
    });
    return out.concat(marks(d, t, xy));
  }

  function hatch(from, box, t) {
    const out = [];
    for (let x = from - box.height; x < box.x + box.width; x += 6) {
      const a = Math.max(x, from), b = Math.min(x + box.height * 0.58, box.x + box.width);
      if (b <= a) continue;
      out.push({ type: "line", silent: true, style: { stroke: t.stale, lineWidth: 1, opacity: 0.45 },
        shape: { x1: a, y1: box.y + box.height - (a - x) / 0.58, x2: b, y2: box.y + box.height - (b - x) / 0.58 } });
    }
    return out;
  }

  // marks draws each value by its state: shape first, then hue.
  function marks(d, t, xy) {
    const last = d.points.findLastIndex((p) => p.v != null && p.s !== "few");
    return d.points.flatMap((p, i) => {
      if (p.v == null) return [];
      const [x, y] = xy(p, p.v);
      const dot = (r, style) => ({ type: "circle", silent: true, shape: { cx: x, cy: y, r }, style });
      switch (p.s) {
        case "worse": return [{ type: "polygon", silent: true, shape: { points: [[x, y - 4.2], [x + 4.2, y], [x, y + 4.2], [x - 4.2, y]] }, style: { fill: t.worse, stroke: t.sheet, lineWidth: 1 } }];
        case "better": return [dot(3.5, { fill: t.better, stroke: t.sheet, lineWidth: 1 })];
        case "few": return whisker(p, x, xy, t).concat(dot(4, { fill: t.sheet, stroke: t.ink3, lineWidth: 1, lineDash: [2, 1.5] }));
      }
      return [dot(i === last ? 3.2 : 1.8, { fill: t.ink })];
    });
  }

  const whisker = (p, x, xy, t) => p.l == null ? [] : [{ type: "line", silent: true, style: { stroke: t.ink3, lineWidth: 1, opacity: 0.5, lineDash: [2, 3] },
    shape: { x1: x, y1: xy(p, p.l)[1], x2: x, y2: xy(p, p.h)[1] } }];

  // words are the labels at the right end, over the plot and in the lane below.
  function words(d, t, api, box) {
    const out = [];
    const text = (content, x, y, fill, bold, align) => out.push({ type: "text", silent: true, x, y,
      style: { text: content, fill, font: `${bold ? 600 : 400} 12px ${t.sans}`, align: align || "left", verticalAlign: "middle" } });
    const right = box.x + box.width + 8;
    const last = d.points.findLast((p) => p.v != null && p.s !== "few");
    let y = null;
    if (last) {
      y = api.coord([last.t, last.v])[1];
      text(d.end, right, y, t.ink, true);
    }
    if (d.target) {
      let ty = api.coord([d.from, d.target.at])[1];
      if (y != null && Math.abs(ty - y) < 15) ty = ty <= y ? y - 15 : y + 15;
      text(d.target.label, right, ty, t.ink2);
    }
    (d.changes || []).forEach((c) => {
      const w = measure(c.label, `600 12px ${t.sans}`), x = api.coord([c.at, 0])[0];
      text(c.label, Math.min(Math.max(x - w / 2, 0), box.full - w), 12, t.warm, true);
    });
    const banded = d.points.filter((p) => p.bl != null);
    if (banded.length > 1) {
      const w = measure(d.band, `11px ${t.sans}`);
      const [x, edge] = api.coord([banded[0].t, banded[0].bl]);
      const below = banded.map((p) => api.coord([p.t, p.bl])).filter((c) => c[0] < x + w + 12).reduce((m, c) => Math.max(m, c[1]), edge);
      out.push({ type: "text", silent: true, x: Math.max(x, box.x) + 6, y: Math.min(below + 11, box.y + box.height - 8),
        style: { text: d.band, fill: t.ink3, font: `11px ${t.sans}`, verticalAlign: "middle", stroke: t.sheet, lineWidth: 4 } });
    }
    return out.concat(lane(d, t, api, box));
  }

  function lane(d, t, api, box) {
    const out = [], ends = [-Infinity, -Infinity];
    (d.notes || []).forEach((n) => {
      const x = api.coord([n.at, 0])[0];
      if (x < box.x - 1 || x > box.x + box.width + 1) return;
      const w = 14 + measure(n.label, `11px ${t.sans}`);
      const left = x + w > box.full, start = left ? x - w : x - 4;
      const row = start < ends[0] + 8 && box.rows > 1 ? 1 : 0;
      const y = box.y + box.height + 32 + 16 * row;
      out.push({ type: "line", silent: true, shape: { x1: x, y1: box.y, x2: x, y2: y - 6 }, style: { stroke: t.edge, lineDash: [1, 3], lineWidth: 1 } });
      const style = { fill: n.kind === "decision" ? t.ink2 : t.sheet, stroke: t.ink2, lineWidth: 1 };
      out.push(n.kind === "holiday" ? { type: "circle", silent: true, shape: { cx: x, cy: y, r: 3.5 }, style } : { type: "rect", silent: true, shape: { x: x - 3.5, y: y - 3.5, width: 7, height: 7 }, style });
      if (start >= ends[row] + 8) {
        ends[row] = start + w;
        out.push({ type: "text", silent: true, x: left ? x - 8 : x + 8, y, style: { text: n.label, fill: t.ink3, font: `11px ${t.sans}`, align: left ? "right" : "left", verticalAlign: "middle", stroke: t.sheet, lineWidth: 4 } });
      }
    });
    return out;
  }

  // option describes axes; everything else is drawn by one custom series, so that
  // the grammar lives in one place.
  function option(d, t, size) {
    const font = `11px ${t.sans}`, bold = `600 12px ${t.sans}`;
    const left = 10 + Math.max(...d.ticks.map((k) => measure(k.label, font)));
    const right = 12 + Math.max(measure(d.end, bold), d.target ? measure(d.target.label, `12px ${t.sans}`) : 0);
    const rows = d.notes ? 1 : 0;
    const bottom = 22 + (rows ? 20 : 0);
    const label = new Map(d.ticks.map((k) => [k.at, k.label]));
    const near = (v) => label.get(v) ?? (d.ticks.find((k) => Math.abs(k.at - v) < 1e-9 * Math.max(1, Math.abs(v))) || { label: "" }).label;
    const times = new Map(d.times.map((k) => [k.at, k.label]));
    const draw = (params, api) => {
      const c = params.coordSys;
      const box = { x: c.x, y: c.y, width: c.width, height: c.height, full: size.width, rows };
      return { type: "group", children: [
        { type: "group", children: shapes(d, t, api, box), clipPath: { type: "rect", shape: { x: c.x - 5, y: c.y - 6, width: c.width + 10, height: c.height + 12 } } },
        { type: "group", children: words(d, t, api, box) },
      ] };
    };
    return {
      animation: false, aria: { enabled: false },
      grid: { left, right, top: 26, bottom },
      xAxis: { type: "value", min: d.from, max: d.until, axisLabel: { customValues: [...times.keys()], formatter: (v) => times.get(v) || "", showMinLabel: true, showMaxLabel: true, alignMinLabel: "left", alignMaxLabel: "right" }, axisTick: { customValues: [...times.keys()] }, splitLine: { show: false } },
      yAxis: { type: "value", min: d.ticks[0].at, max: d.ticks[d.ticks.length - 1].at, interval: d.ticks.length > 1 ? d.ticks[1].at - d.ticks[0].at : undefined, axisLine: { show: false }, axisTick: { show: false }, axisLabel: { formatter: near } },
      dataZoom: [{ type: "inside", filterMode: "none", zoomOnMouseWheel: "ctrl", moveOnMouseMove: true, moveOnMouseWheel: false, preventDefaultMouseMove: false, minValueSpan: Math.max((d.until - d.from) / Math.max(d.points.length - 1, 1) * 4, 1) }],
      series: [{ type: "custom", clip: false, renderItem: draw, data: [[d.from, d.ticks[0].at]], encode: { x: 0, y: 1 }, silent: true }],
    };
  }

  // zoomedLabels names points instead of calendar ticks while part of the time is
  // shown, so that an axis is never without labels.
  function zoomedLabels(chart, d) {
    const { startValue, endValue } = chart.getOption().dataZoom[0];
    if (endValue - startValue > (d.until - d.from) * 0.7) {
      const times = new Map(d.times.map((k) => [k.at, k.label]));
      return [[...times.keys()], (v) => times.get(v) || ""];
    }
    const inside = d.points.filter((p) => p.t >= startValue && p.t <= endValue);
    const every = Math.ceil(inside.length / 8) || 1;
    const names = new Map(inside.filter((_, i) => i % every === 0).map((p) => [p.t, p.w]));
    return [[...names.keys()], (v) => names.get(v) || ""];
  }

  omoteCharts.kinds.time = (figure, t) => {
    const d = JSON.parse(figure.querySelector("script[type='application/json']").textContent);
    const plot = figure.querySelector(".plot"), still = figure.querySelector(".at-desk");
    const height = still.getBoundingClientRect().height;
    if (!height) return;
    const place = document.createElement("div");
    place.className = "live";
    place.style.height = height + "px";
    const cross = document.createElement("div");
    cross.className = "live-cross";
    cross.hidden = true;
    plot.insertBefore(place, still);
    still.hidden = true;
    figure.dataset.live = "1";

    let chart = null, at = -1;
    function draw(tokens) {
      const before = chart ? chart.getOption().dataZoom[0] : null;
      if (chart) chart.dispose();
      chart = echarts.init(place, "omote", { renderer: "canvas" });
      place.append(cross);
      chart.setOption(option(d, tokens, { width: place.clientWidth }));
      chart.on("datazoom", () => {
        const [values, formatter] = zoomedLabels(chart, d);
        chart.setOption({ xAxis: { axisLabel: { customValues: values, formatter }, axisTick: { customValues: values } } });
      });
      if (before) zoom(before.start, before.end);
      chart.getZr().on("mousemove", (e) => show(nearest(e.offsetX), false));
      chart.getZr().on("globalout", () => show(-1, false));
      chart.getZr().on("dblclick", () => zoom(0, 100));
    }
    const pixel = (p) => chart.convertToPixel({ xAxisIndex: 0 }, p.t);
    function nearest(x) {
      let best = -1, distance = Infinity;
      d.points.forEach((p, i) => { const gap = Math.abs(pixel(p) - x); if (gap < distance) { best = i; distance = gap; } });
      return best;
    }
    function show(index, speak) {
      at = index;
      const read = figure.querySelector("[data-read]");
      cross.hidden = index < 0;
      if (read) read.textContent = index < 0 ? "" : d.points[index].say;
      if (index < 0) return;
      cross.style.left = pixel(d.points[index]) + "px";
      if (speak) omote.say(d.points[index].say);
    }
    const zoom = (start, end) => chart.dispatchAction({ type: "dataZoom", start: Math.max(start, 0), end: Math.min(end, 100) });
    plot.addEventListener("keydown", (event) => {
      const last = d.points.length - 1;
      const to = { ArrowLeft: (at < 0 ? last + 1 : at) - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
      const { start, end } = chart.getOption().dataZoom[0];
      const by = { "+": -(end - start) / 4, "=": -(end - start) / 4, "-": (end - start) / 2 }[event.key];
      if (to !== undefined) show(Math.min(Math.max(to, 0), last), true);
      else if (by !== undefined) zoom(start - by, end + by);
      else if (event.key === "0") zoom(0, 100);
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    plot.addEventListener("blur", () => show(-1, false));
    new ResizeObserver(() => {
      if (!chart || place.clientWidth === chart.getWidth()) return;
      omoteCharts.load().then(draw);
    }).observe(place);
    document.addEventListener("omote:theme", () => omoteCharts.load().then(draw));
    draw(t);
  };
})();
