// The keyboard: the list in internal/ui/palette.go says what each key does.
// Single letters rest while a field has the focus or a dialog is open.
(() => {
  let afterG = 0; // time of the last G, which waits one second for its second key

  // Who does without single letters says so in a cookie; "/" and "?" remain.
  const off = () => document.cookie.split("; ").includes("omote_keys=off");
  omote.ready(() => {
    document.querySelectorAll(".keys-off").forEach((a) => { a.hidden = off(); });
    document.querySelectorAll(".keys-on").forEach((a) => { a.hidden = !off(); });
  });

  const press = (element) => { if (element) { element.focus(); element.click(); return true; } return false; };
  const byKey = (key) => [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].find((e) => e.offsetParent !== null && !e.disabled);

  function layer(number) {
    const head = document.querySelectorAll(".stratum")[number - 1];
    return press(head && head.querySelector("a"));
  }

  function command(event) {
    const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
    if (afterG && event.timeStamp - afterG < 1000) {
      afterG = 0;
      if (key >= "1" && key <= "4") return layer(Number(key));
      if (key === "H") return press(document.querySelector(".rail-home a"));
    }
    switch (key) {
      case "/": return omote.openPalette();
      case "?": return omote.openDialog(document.getElementById("keys"));
      case "G": afterG = event.timeStamp; return true;
      case "[": return press(document.querySelector("[data-period=back]"));
      case "]": return press(document.querySelector("[data-period=next]"));
      case "T": return omote.toggleTable(document.activeElement);
    }
    if (omote.rowKey(event, key)) return true;
    return key.length === 1 && press(byKey(key));
  }

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
      const form = event.target.closest && event.target.closest("form");
      if (form) { event.preventDefault(); form.requestSubmit(); }
      else if (press(document.querySelector('main [aria-keyshortcuts="Control+Enter"]'))) event.preventDefault(); // the button that shows these keys
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (omote.typing(event.target) || document.querySelector("dialog[open]")) return;
    if (off() && event.key.length === 1 && event.key !== "/" && event.key !== "?") return;
    if (command(event)) event.preventDefault();
  });
})();
