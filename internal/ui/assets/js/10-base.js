// Base of the progressive enhancement: every page works without these scripts.
// Files of this folder are joined in the order of their names into omote.js.
// They share one object, omote, and listen on the document, so that content
// swapped in by htmx needs no set-up.
"use strict";
const omote = {
  // on runs f(event, element) for events inside elements that match a selector.
  on(type, selector, f, options) {
    document.addEventListener(type, (event) => {
      const at = event.target instanceof Element ? event.target.closest(selector) : null;
      if (at) f(event, at);
    }, options);
  },

  // ready runs f(root) now and again for content that htmx swaps in.
  ready(f) {
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => f(document));
    else f(document);
    document.addEventListener("htmx:afterSwap", (event) => f(event.detail.target || document));
  },

  // say tells screen readers the result of one's own action.
  say(text) {
    const at = document.getElementById("spoken");
    if (at) at.textContent = text;
  },

  // fold takes marks and case away: "Đồng ý" becomes "dong y".
  fold(text) {
    return text.toLowerCase().replace(/đ/g, "d").normalize("NFD").replace(/[\u0300-\u036f]/g, "");
  },

  // typing tells whether a key belongs to a field and must not be a command.
  typing(target) {
    return target instanceof Element && (target.closest("input:not([type=checkbox]):not([type=radio]):not([type=button]),textarea,select,[contenteditable]") !== null);
  },
};

// Theme: the links work alone; with script the page changes at once.
omote.on("click", "[data-theme-to]", (event, link) => {
  event.preventDefault();
  const theme = link.dataset.themeTo;
  document.documentElement.dataset.theme = theme;
  document.cookie = "omote_theme=" + theme + ";path=/;max-age=31536000;samesite=lax" + (location.protocol === "https:" ? ";secure" : "");
  document.dispatchEvent(new CustomEvent("omote:theme"));
  const other = link.parentElement.querySelector(theme === "dark" ? "[data-theme-to=light]" : "[data-theme-to=dark]");
  if (other) other.focus();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => document.dispatchEvent(new CustomEvent("omote:theme")));

// Copy buttons appear where the clipboard can be written.
omote.ready((root) => {
  if (navigator.clipboard) root.querySelectorAll("[data-copy]").forEach((b) => { b.hidden = false; });
});
omote.on("click", "[data-copy]", (event, button) => {
  const text = button.closest(".code").querySelector("code").textContent;
  navigator.clipboard.writeText(text).then(() => { button.textContent = "✓"; omote.say(button.textContent); });
});

// A popup closes with Escape or a press outside it.
document.addEventListener("click", (event) => {
  document.querySelectorAll("details.pop[open]").forEach((d) => { if (!d.contains(event.target)) d.open = false; });
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  document.querySelectorAll("details.pop[open]").forEach((d) => { d.open = false; d.querySelector("summary").focus(); });
});
