package browser

import "fmt"

// Fault is a text whose contrast with its ground is too low.
type Fault struct {
	Text     string  `json:"text"`
	Where    string  `json:"where"`
	Ratio    float64 `json:"ratio"`
	Required float64 `json:"required"`
	Colour   string  `json:"colour"`
	Ground   string  `json:"ground"`
}

func (f Fault) String() string {
	return fmt.Sprintf("%q in %s has %.2f:1, needs %.1f:1 (%s on %s)", f.Text, f.Where, f.Ratio, f.Required, f.Colour, f.Ground)
}

// Contrast measures every visible text against the ground behind it, by the
// relative luminance of WCAG 2.2, and gives those below AA: 4.5:1, or 3:1 for
// text of 24 px, or 18.66 px bold. Disabled controls are exempt, as in WCAG. The
// ground of HTML text is composed of the backgrounds of its ancestors; the ground
// of text in a drawing, of the shapes that lie under its centre.
func (p *Page) Contrast() []Fault {
	p.t.Helper()
	return Eval[[]Fault](p, contrastScript)
}

// contrastScript runs in the page. Colours are resolved by painting one pixel, so
// that every syntax the browser knows is understood.
const contrastScript = `(() => {
	const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
	const cache = new Map();
	function rgba(text) {
		if (!cache.has(text)) {
			canvas.clearRect(0, 0, 1, 1);
			canvas.fillStyle = "rgba(0,0,0,0)";
			canvas.fillStyle = text;
			canvas.fillRect(0, 0, 1, 1);
			const d = canvas.getImageData(0, 0, 1, 1).data;
			cache.set(text, [d[0], d[1], d[2], d[3] / 255]);
		}
		return cache.get(text);
	}
	const over = (top, under) => {
		const a = top[3] + under[3] * (1 - top[3]);
		if (a === 0) return [0, 0, 0, 0];
		return [0, 1, 2].map((i) => (top[i] * top[3] + under[i] * under[3] * (1 - top[3])) / a).concat(a);
	};
	const luminance = (c) => {
		const l = c.slice(0, 3).map((v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
		return 0.2126 * l[0] + 0.7152 * l[1] + 0.0722 * l[2];
	};
	const ratio = (a, b) => { const [x, y] = [luminance(a), luminance(b)].sort((m, n) => n - m); return (x + 0.05) / (y + 0.05); };
	const canvasGround = matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18, 1] : [255, 255, 255, 1];

	function htmlGround(e) {
		let ground = [0, 0, 0, 0];
		for (let at = e; at; at = at.parentElement) {
			if (ground[3] >= 0.999) break;
			const style = getComputedStyle(at);
			let c = rgba(style.backgroundColor);
			ground = over(ground, c);
		}
		return over(ground, canvasGround);
	}
	function drawnGround(e) {
		const style = getComputedStyle(e);
		if (style.paintOrder.startsWith("stroke") && style.stroke !== "none") return over(rgba(style.stroke), canvasGround);
		const box = e.getBoundingClientRect();
		const x = box.left + box.width / 2, y = box.top + box.height / 2;
		let ground = [0, 0, 0, 0];
		for (const at of document.elementsFromPoint(x, y)) {
			if (at === e || e.contains(at)) continue;
			if (at instanceof SVGElement && !(at instanceof SVGSVGElement)) {
				const s = getComputedStyle(at);
				if (s.fill === "none" || s.fill.startsWith("url") || at instanceof SVGTextContentElement || s.fillOpacity === "0") continue;
				if (at.compareDocumentPosition(e) & Node.DOCUMENT_POSITION_PRECEDING) continue;
				const c = rgba(s.fill).slice();
				c[3] *= Number(s.opacity) * Number(s.fillOpacity);
				ground = over(ground, c);
			}
			if (ground[3] >= 0.999) break;
		}
		return ground[3] >= 0.999 ? ground : over(ground, htmlGround(e.closest("svg").parentElement));
	}
	function where(e) {
		const parts = [];
		for (let at = e; at && parts.length < 3 && at !== document.body; at = at.parentElement) {
			parts.unshift(at.localName + (at.id ? "#" + at.id : "") + (typeof at.className === "string" && at.className ? "." + at.className.trim().split(/\s+/).join(".") : ""));
		}
		return parts.join(" ");
	}

	const faults = [], seen = new Set();
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let node = walker.nextNode(); node; node = walker.nextNode()) {
		const text = node.data.trim(), e = node.parentElement;
		if (!text || !e || e.closest("script,style,title,noscript,.sr,option,[disabled],[aria-disabled=true]")) continue;
		if (!e.checkVisibility({ opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true })) continue;
		const range = document.createRange();
		range.selectNodeContents(node);
		const box = range.getBoundingClientRect();
		if (box.width < 1 || box.height < 1 || box.bottom < 0 || box.right < 0) continue;
		const drawn = e instanceof SVGElement;
		if (drawn) e.scrollIntoView({ block: "center" });
		const style = getComputedStyle(e);
		const ground = drawn ? drawnGround(e) : htmlGround(e);
		let colour = rgba(drawn ? style.fill : style.color).slice();
		for (let at = e; at; at = at.parentElement) colour[3] *= Number(getComputedStyle(at).opacity);
		const shown = over(colour, ground);
		const size = parseFloat(style.fontSize), bold = Number(style.fontWeight) >= 600;
		const required = size >= 24 || (bold && size >= 18.66) ? 3 : 4.5;
		const r = ratio(shown, ground);
		if (r + 0.005 >= required) continue;
		const place = where(e), key = place + style.color + style.fill + ground.join();
		if (seen.has(key)) continue;
		seen.add(key);
		const hex = (c) => "#" + c.slice(0, 3).map((v) => Math.round(v).toString(16).padStart(2, "0")).join("");
		faults.push({ text: text.slice(0, 40), where: place, ratio: r, required, colour: hex(shown), ground: hex(ground) });
	}
	scrollTo(0, 0);
	return faults;
})()`
