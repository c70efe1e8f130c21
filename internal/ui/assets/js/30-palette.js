// The command palette: the search box of the top bar opens it, and it finds by
// name without marks ("dong y" finds "đồng ý"). Without script the box is a form
// that leads to the search page; Enter on no choice still does that.
(() => {
  const palette = () => document.getElementById("palette");
  let chosen = -1;

  const shown = (box) => [...box.querySelectorAll("[role=option]")].filter((o) => !o.hidden);

  function choose(box, index) {
    const list = shown(box);
    chosen = list.length ? (index + list.length) % list.length : -1;
    box.querySelectorAll("[aria-selected]").forEach((o) => o.removeAttribute("aria-selected"));
    const input = box.querySelector("input");
    if (chosen < 0) { input.removeAttribute("aria-activedescendant"); return; }
    list[chosen].setAttribute("aria-selected", "true");
    list[chosen].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", list[chosen].id);
  }

  function filter(box) {
    const words = omote.fold(box.querySelector("input").value).split(/\s+/).filter(Boolean);
    let first = -1;
    box.querySelectorAll("[role=option]").forEach((o) => {
      const text = omote.fold(o.textContent);
      o.hidden = !words.every((w) => text.includes(w));
      if (!o.hidden && first < 0) first = 0;
    });
    box.querySelector(".palette-none").hidden = first >= 0;
    choose(box, words.length ? first : -1);
  }

  omote.openPalette = () => {
    const box = palette();
    if (!box || box.open) return false;
    box.showModal();
    const input = box.querySelector("input");
    input.value = "";
    filter(box);
    input.focus();
    return true;
  };

  omote.on("focusin", "form[data-palette] input", (event, input) => { input.blur(); omote.openPalette(); });
  omote.on("input", "#palette input", () => filter(palette()));
  omote.on("keydown", "#palette input", (event) => {
    const box = palette();
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      choose(box, chosen + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter" && chosen >= 0 && !event.isComposing) {
      event.preventDefault();
      location.assign(shown(box)[chosen].dataset.href);
    }
  });
  omote.on("click", "#palette [role=option]", (event, option) => location.assign(option.dataset.href));
})();
