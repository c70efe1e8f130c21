// The editor of designed journeys. The server draws the map; this script moves a
// cursor over its cells, turns what the person does into operations, sends them
// in order, and fetches the map again when anybody has changed it. What could not
// be sent yet stays in a queue that survives a reload.
"use strict";
omote.ready((page) => {
  const root = page.querySelector && page.querySelector("[data-map-editor]");
  if (!root || root.dataset.ready) return;
  root.dataset.ready = "1";
  const base = root.dataset.base, say = root.dataset;
  const store = (key, make) => { try { let v = sessionStorage.getItem(key); if (v === null && make) { v = make(); sessionStorage.setItem(key, v); } return v; } catch { return make ? make() : null; } };
  const uid = () => (crypto.randomUUID ? crypto.randomUUID() : Date.now().toString(36) + Math.random().toString(36).slice(2)).replace(/[^A-Za-z0-9_-]/g, "");
  const client = store("omote-map-client", uid);
  const queueKey = "omote-map-queue:" + base;
  let queue = JSON.parse(store(queueKey) || "[]");
  let rev = Number(root.dataset.rev), busy = false, late = false, at = null, bindTo = null;

  // ---- cells ----------------------------------------------------------------
  const cells = () => [...root.querySelectorAll(".map [data-target]")];
  const find = (p) => p && root.querySelector(`.map [data-target="${CSS.escape(p.target)}"][data-field="${CSS.escape(p.field)}"]`);
  const spot = (cell) => ({ target: cell.dataset.target, field: cell.dataset.field });
  const stepOf = (cell) => (cell && cell.dataset.target.startsWith("step/") ? cell.dataset.target.slice(5) : null);
  const current = () => find(at) || cells()[0];
  const editing = () => root.querySelector(".map textarea, .map input");

  function go(cell, focus = true) {
    if (!cell) return;
    cells().forEach((c) => { c.tabIndex = -1; });
    cell.tabIndex = 0;
    at = spot(cell);
    if (focus) { cell.focus({ preventScroll: true }); cell.scrollIntoView({ block: "nearest", inline: "nearest" }); }
    const label = root.querySelector("[data-at]");
    if (label) label.textContent = cell.getAttribute("aria-label") || "";
    here();
  }
  function neighbour(cell, dx, dy) {
    const row = cell.parentElement, inRow = [...row.querySelectorAll("[data-target]")];
    if (dx) return inRow[inRow.indexOf(cell) + dx];
    const rows = [...root.querySelectorAll(".map tr")].filter((r) => r.querySelector("[data-target]"));
    const next = rows[rows.indexOf(row) + dy];
    if (!next) return null;
    const id = stepOf(cell), same = id && next.querySelector(`[data-target="${CSS.escape("step/" + id)}"]`);
    if (same) return same;
    // between the row of stages and the rows of steps: by place on the screen
    const x = cell.getBoundingClientRect().left + 4;
    return [...next.querySelectorAll("[data-target]")].reduce((best, c) => (Math.abs(c.getBoundingClientRect().left - x) < Math.abs(best.getBoundingClientRect().left - x) ? c : best));
  }

  // ---- sending --------------------------------------------------------------
  function keep() { try { sessionStorage.setItem(queueKey, JSON.stringify(queue)); } catch { /* the queue lives on in memory */ } }
  function state(text, care) {
    const s = root.querySelector("[data-saved]");
    if (s) { s.textContent = text; s.classList.toggle("care", !!care); }
  }
  function send(...ops) {
    queue.push(ops.map((o) => ({ id: uid(), base: rev, ...o })));
    keep();
    pump();
  }
  async function post(path, body) {
    return fetch(base + path, { method: "POST", headers: { "Content-Type": "application/json", Accept: "application/json" }, body: JSON.stringify({ client, ...body }) });
  }
  async function pump() {
    if (busy || !queue.length) return;
    busy = true;
    state(say.saving);
    try {
      const res = await post("/ops", { ops: queue[0] });
      if (res.status >= 500 || res.status === 429) throw new Error(res.status);
      queue.shift();
      keep();
      const out = await res.json().catch(() => ({}));
      if (!res.ok) { state(out.detail || say.failed, true); omote.say(out.detail || say.failed); }
      else if (out.conflicts) { state(say.conflict, true); omote.say(say.conflict); }
      else state(say.saved);
      busy = false;
      await refresh();
    } catch {
      state(say.waiting, true);
      setTimeout(pump, 2000);
    } finally { busy = false; }
    if (queue.length) pump();
  }
  async function history(path) {
    const res = await post(path, {});
    const out = await res.json().catch(() => ({}));
    state(res.ok ? (out.conflicts ? say.conflict : say.saved) : out.detail || say.failed, !res.ok || !!out.conflicts);
    await refresh();
  }

  // ---- drawing again ----------------------------------------------------------
  async function refresh() {
    if (editing()) { late = true; return; }
    late = false;
    const res = await fetch(base + "/edit?part=map", { headers: { Accept: "text/html" } });
    if (!res.ok || editing()) { late = true; return; }
    const doc = new DOMParser().parseFromString(await res.text(), "text/html");
    const focused = document.activeElement && root.querySelector(".map") && root.querySelector(".map").contains(document.activeElement);
    const scroller = root.querySelector(".map-box"), left = scroller ? scroller.scrollLeft : 0;
    root.querySelectorAll("[data-part]").forEach((old) => {
      const fresh = doc.querySelector(`[data-part="${old.dataset.part}"]`);
      if (fresh && !(old.contains(document.activeElement) && old.dataset.part === "talk")) old.replaceWith(fresh);
    });
    const head = doc.querySelector("[data-map-editor]");
    if (head) rev = Number(head.dataset.rev);
    const box = root.querySelector(".map-box");
    if (box) box.scrollLeft = left;
    go(current(), focused);
    marks();
    fitSoon();
  }
  let fitTimer = 0;
  function fitSoon() { clearTimeout(fitTimer); fitTimer = setTimeout(fit, 900); }
  async function fit() {
    const res = await fetch(base + "/fit", { headers: { Accept: "application/json" } });
    if (!res.ok) return;
    const out = await res.json();
    root.querySelectorAll("[data-fit]").forEach((c) => {
      const f = out.steps[c.dataset.fit];
      c.textContent = f ? f.text : out.none;
      c.title = f ? f.title : "";
      c.classList.toggle("none", !f);
    });
    const all = root.querySelector("[data-fit-all]");
    if (all) all.textContent = out.all;
  }

  // ---- editing a cell -----------------------------------------------------------
  function valueOf(cell) {
    const raw = JSON.parse(cell.dataset.value || "null");
    if (cell.dataset.kind === "cell") return (raw && raw.text) || "";
    return raw || "";
  }
  function edit(cell) {
    if (!cell || editing()) return;
    if (cell.dataset.kind === "events") return bind(cell);
    if (cell.dataset.kind === "card") { location.href = cell.dataset.href; return; }
    const area = document.createElement(cell.dataset.kind === "cell" ? "textarea" : "input");
    area.value = cell.dataset.kind === "wait" ? cell.dataset.text : valueOf(cell);
    area.setAttribute("aria-label", cell.getAttribute("aria-label") || "");
    area.maxLength = cell.dataset.kind === "cell" ? 4000 : 160;
    const shown = [...cell.childNodes];
    cell.replaceChildren(area);
    area.focus();
    area.select();
    let over = false;
    const end = (take, dx, dy) => {
      if (over) return;
      over = true;
      const text = area.value.trim();
      const was = cell.dataset.kind === "wait" ? cell.dataset.text : valueOf(cell);
      cell.replaceChildren(...shown);
      if (take && text !== was) {
        const value = cell.dataset.kind === "cell" ? { text } : text;
        cell.dataset.value = JSON.stringify(value);
        if (cell.dataset.kind === "wait") cell.dataset.text = text;
        cell.textContent = text;
        cell.classList.remove("gap", "none");
        send({ kind: "set", target: cell.dataset.target, field: cell.dataset.field, value: cell.dataset.kind === "wait" ? { wait: text } : value });
      } else if (late) refresh();
      go((dx || dy) && neighbour(cell, dx, dy) || cell);
    };
    area.addEventListener("keydown", (e) => {
      e.stopPropagation();
      if (e.isComposing) return;
      if (e.key === "Enter" && !e.shiftKey) { e.preventDefault(); end(true, 0, 0); }
      else if (e.key === "Escape") { e.preventDefault(); end(false); }
      else if (e.key === "Tab") { e.preventDefault(); end(true, e.shiftKey ? -1 : 1, 0); }
    });
    area.addEventListener("blur", () => end(true));
  }
  function none(cell) {
    if (!cell) return;
    if (cell.dataset.kind === "events") return send({ kind: "set", target: cell.dataset.target, field: "events", value: [] }, { kind: "set", target: cell.dataset.target, field: "unseen", value: true });
    if (cell.dataset.kind !== "cell") return;
    send({ kind: "set", target: cell.dataset.target, field: cell.dataset.field, value: { none: true } });
  }
  function nextEmpty() {
    const all = cells(), i = all.indexOf(current());
    go([...all.slice(i + 1), ...all.slice(0, i + 1)].find((c) => c.classList.contains("gap")) || current());
  }

  // ---- the shape of the map -------------------------------------------------------
  const order = () => [...root.querySelectorAll(".map [data-step]")].map((c) => ({ id: c.dataset.step, stage: c.dataset.stage, group: c.dataset.group || "", mode: c.dataset.mode || "", optional: c.dataset.optional === "1" }));
  const stages = () => [...root.querySelectorAll(".map [data-stage-id]")].map((c) => c.dataset.stageId);
  function addStep() {
    const cell = current(), id = stepOf(cell), all = order(), me = all.find((s) => s.id === id);
    const stage = me ? me.stage : cell ? cell.dataset.target.slice(6) : stages()[0];
    const last = all.filter((s) => s.stage === stage).pop();
    const fresh = "s" + uid().slice(-10);
    at = { target: "step/" + fresh, field: root.dataset.name };
    send({ kind: "add", target: "step/" + fresh, stage, after: me ? me.id : last ? last.id : "", value: { step: { name: { [root.dataset.name.slice(5)]: say.fresh } } } });
  }
  function addStage() {
    const all = order(), me = all.find((s) => s.id === stepOf(current())), list = stages();
    const fresh = "g" + uid().slice(-10);
    at = { target: "stage/" + fresh, field: root.dataset.name };
    send({ kind: "add", target: "stage/" + fresh, after: me ? me.stage : list[list.length - 1] || "", value: { stage: { name: { [root.dataset.name.slice(5)]: say.freshStage } } } });
  }
  function move(d) {
    const cell = current();
    if (!cell) return;
    if (cell.dataset.target.startsWith("stage/")) {
      const list = stages(), id = cell.dataset.target.slice(6), i = list.indexOf(id), to = i + d;
      if (to < 0 || to >= list.length) return;
      const rest = list.filter((x) => x !== id);
      return send({ kind: "move", target: "stage/" + id, after: to ? rest[to - 1] : "" });
    }
    const all = order(), i = all.findIndex((s) => s.id === stepOf(cell)), me = all[i];
    if (!me) return;
    const list = stages(), inStage = all.filter((s) => s.stage === me.stage), k = inStage.findIndex((s) => s.id === me.id);
    if (d > 0 && k < inStage.length - 1) send({ kind: "move", target: "step/" + me.id, stage: me.stage, after: inStage[k + 1].id });
    else if (d < 0 && k > 0) send({ kind: "move", target: "step/" + me.id, stage: me.stage, after: k > 1 ? inStage[k - 2].id : "" });
    else {
      const stage = list[list.indexOf(me.stage) + d];
      if (!stage) return;
      const there = all.filter((s) => s.stage === stage);
      send({ kind: "move", target: "step/" + me.id, stage, after: d < 0 && there.length ? there[there.length - 1].id : "" });
    }
  }
  function remove() {
    const cell = current();
    if (!cell) return;
    const next = neighbour(cell, -1, 0) || neighbour(cell, 1, 0);
    const target = cell.dataset.target;
    if (next) at = spot(next);
    send({ kind: "remove", target });
  }
  function flip(field) {
    const me = order().find((s) => s.id === stepOf(current()));
    if (me) send({ kind: "set", target: "step/" + me.id, field, value: !me[field] });
  }
  // tie makes the step and the one after it alternatives, parallel or a loop; the
  // same key again unties the step.
  function tie(mode) {
    const all = order(), i = all.findIndex((s) => s.id === stepOf(current())), me = all[i], next = all[i + 1];
    if (!me) return;
    if (me.group && me.mode === mode) return send({ kind: "set", target: "step/" + me.id, field: "group", value: { id: "" } });
    const alone = mode === "loop";
    if (!alone && (!next || next.stage !== me.stage)) return omote.say(say.noNext);
    const id = (!alone && next.group) || me.group || "t" + uid().slice(-8);
    const g = { id, mode };
    const ops = [{ kind: "set", target: "step/" + me.id, field: "group", value: g }];
    if (!alone) ops.push({ kind: "set", target: "step/" + next.id, field: "group", value: g });
    send(...ops);
  }

  // ---- binding events ---------------------------------------------------------------
  const box = () => root.querySelector("[data-bind]");
  function bind(cell) {
    const id = stepOf(cell);
    if (!id || !box()) return;
    bindTo = { target: "step/" + id, field: "events" };
    const name = root.querySelector(`[data-step="${CSS.escape(id)}"]`);
    root.querySelector("[data-bind-to]").textContent = name ? name.dataset.label : id;
    const input = box().querySelector("input");
    input.value = "";
    filter();
    input.focus();
    input.scrollIntoView({ block: "nearest" });
  }
  const bound = () => { const c = find(bindTo); return c ? JSON.parse(c.dataset.value || "null") || [] : []; };
  const options = () => [...box().querySelectorAll("li")].filter((l) => !l.hidden);
  function filter() {
    const words = omote.fold(box().querySelector("input").value).split(/\s+/).filter(Boolean), mine = bound();
    let n = 0;
    box().querySelectorAll("li").forEach((l) => {
      const text = l.dataset.find;
      l.hidden = !words.every((w) => text.includes(w)) || ++n > 60;
      l.toggleAttribute("data-bound", mine.includes(l.dataset.event));
      l.setAttribute("aria-selected", "false");
    });
    const first = options()[0];
    if (first) first.setAttribute("aria-selected", "true");
  }
  function toggle(li) {
    if (!li || !bindTo) return;
    const mine = bound(), e = li.dataset.event;
    const value = mine.includes(e) ? mine.filter((x) => x !== e) : [...mine, e];
    const cell = find(bindTo);
    if (cell) cell.dataset.value = JSON.stringify(value);
    send({ kind: "set", ...bindTo, value }, { kind: "set", target: bindTo.target, field: "unseen", value: false });
    filter();
  }
  root.addEventListener("input", (e) => { if (e.target.closest("[data-bind]")) filter(); });
  root.addEventListener("keydown", (e) => {
    if (!e.target.closest("[data-bind]")) return;
    const list = options(), i = list.findIndex((l) => l.getAttribute("aria-selected") === "true");
    const mark = (k) => { list.forEach((l, n) => l.setAttribute("aria-selected", n === k)); if (list[k]) list[k].scrollIntoView({ block: "nearest" }); };
    if (e.key === "ArrowDown") mark(Math.min(i + 1, list.length - 1));
    else if (e.key === "ArrowUp") mark(Math.max(i - 1, 0));
    else if (e.key === "Enter" && !e.ctrlKey) toggle(list[i]);
    else if (e.key === "Escape") go(find(bindTo) || current());
    else return;
    e.preventDefault();
    e.stopPropagation();
  });

  // ---- commands -----------------------------------------------------------------------
  const acts = {
    edit: () => edit(current()), bind: () => bind(current()), add: addStep, stage: addStage, none: () => none(current()), empty: nextEmpty,
    left: () => move(-1), right: () => move(1), remove, undo: () => history("/undo"), redo: () => history("/redo"),
    optional: () => flip("optional"), alternative: () => tie("alternative"), parallel: () => tie("parallel"), loop: () => tie("loop"),
    talk: () => { const t = root.querySelector("[data-talk]"); if (t) { t.querySelector("[name=step]").value = stepOf(current()) || ""; t.querySelector("textarea").focus(); } },
    card: () => { const id = stepOf(current()); if (id) location.href = base + "/steps/" + encodeURIComponent(id); },
  };
  root.addEventListener("click", (e) => {
    const act = e.target.closest("[data-act]");
    if (act) { acts[act.dataset.act](); return; }
    const li = e.target.closest("[data-bind] li");
    if (li) { toggle(li); return; }
    const link = e.target.closest("[data-goto]");
    if (link) { e.preventDefault(); const c = cells().find((x) => x.dataset.target === "step/" + link.dataset.goto && (!link.dataset.field || x.dataset.field === link.dataset.field)); go(c || cells().find((x) => x.dataset.target === "step/" + link.dataset.goto)); return; }
    const cell = e.target.closest(".map [data-target]");
    if (cell && !editing()) { if (at && find(at) === cell && document.activeElement === cell && e.detail === 1 && matchMedia("(pointer: coarse)").matches) edit(cell); else go(cell); }
  });
  root.addEventListener("dblclick", (e) => { const cell = e.target.closest(".map [data-target]"); if (cell) edit(cell); });
  root.addEventListener("focusin", (e) => { const cell = e.target.closest && e.target.closest(".map [data-target]"); if (cell && e.target === cell && (!at || find(at) !== cell)) go(cell, false); });
  root.addEventListener("keydown", (e) => {
    if (e.defaultPrevented || e.isComposing || omote.typing(e.target)) return;
    const mod = e.ctrlKey || e.metaKey, key = e.key.length === 1 ? e.key.toUpperCase() : e.key;
    if (mod && key === "Z") { e.preventDefault(); return acts[e.shiftKey ? "redo" : "undo"](); }
    if (mod && key === "Y") { e.preventDefault(); return acts.redo(); }
    const cell = e.target.closest(".map [data-target]");
    if (!cell || mod) return;
    const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[e.key];
    if (arrow && e.altKey) { if (arrow[0]) move(arrow[0]); }
    else if (arrow) go(neighbour(cell, ...arrow) || cell);
    else if (e.altKey) return;
    else if (e.key === "Enter" || e.key === "F2") edit(cell);
    else if (e.key === "Home" || e.key === "End") { const row = [...cell.parentElement.querySelectorAll("[data-target]")]; go(row[e.key === "Home" ? 0 : row.length - 1]); }
    else if (e.key === "Delete") remove();
    else if (key === "N") e.shiftKey ? addStage() : addStep();
    else if (key === "Z") history(e.shiftKey ? "/redo" : "/undo");
    else if ({ E: 1, 0: 1, ".": 1, M: 1, O: 1, A: 1, P: 1, L: 1, S: 1 }[key]) acts[{ E: "bind", 0: "none", ".": "empty", M: "talk", O: "optional", A: "alternative", P: "parallel", L: "loop", S: "card" }[key]]();
    else return;
    e.preventDefault();
  });

  // ---- others ---------------------------------------------------------------------------
  let present = [], hereTimer = 0;
  function here() { clearTimeout(hereTimer); hereTimer = setTimeout(() => post("/look", { place: at ? at.target + " " + at.field : "" }).catch(() => {}), 400); }
  setInterval(here, 8000);
  function marks() {
    root.querySelectorAll(".map .who").forEach((w) => w.remove());
    present.filter((p) => p.client !== client).forEach((p) => {
      const [target, field] = p.place.split(" "), cell = find({ target: target || "", field: field || "" });
      if (!cell || cell.querySelector("textarea, input")) return;
      const who = document.createElement("span");
      who.className = "who";
      who.textContent = p.name;
      cell.append(who);
    });
    const list = root.querySelector("[data-present]");
    if (list) list.textContent = present.length > 1 || (present[0] && present[0].client !== client) ? say.with + " " + [...new Set(present.map((p) => p.name))].join(", ") : "";
  }
  const live = new EventSource(base + "/live");
  live.onmessage = (e) => {
    const now = JSON.parse(e.data);
    present = now.present || [];
    marks();
    if (now.stamp !== root.dataset.stamp || now.rev > rev) { root.dataset.stamp = now.stamp; if (!busy) refresh(); }
  };
  addEventListener("pagehide", () => { live.close(); navigator.sendBeacon(base + "/leave", new Blob([JSON.stringify({ client })], { type: "application/json" })); });

  go(current(), false);
  fit();
  pump();
});
