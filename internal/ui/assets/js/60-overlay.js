// Dialogs and toasts. A dialog is opened by a button that names it; a toast stays
// ten seconds and waits while the pointer or the focus is on it.
(() => {
  omote.openDialog = (dialog) => {
    if (!dialog || dialog.open) return false;
    dialog.showModal();
    return true;
  };
  omote.on("click", "[data-dialog]", (event, button) => {
    if (omote.openDialog(document.getElementById(button.dataset.dialog))) event.preventDefault();
  });
  omote.on("click", "[data-dialog-close]", (event, button) => button.closest("dialog").close());
  omote.on("click", "dialog", (event, dialog) => { if (event.target === dialog) dialog.close(); });

  function live(toast) {
    if (toast.dataset.live) return;
    toast.dataset.live = "1";
    const button = toast.querySelector("[data-toast-close]");
    button.hidden = false;
    button.addEventListener("click", () => toast.remove());
    let left = 10000, since = Date.now(), timer = setTimeout(() => toast.remove(), left);
    const pause = () => { clearTimeout(timer); left -= Date.now() - since; };
    const resume = () => { since = Date.now(); timer = setTimeout(() => toast.remove(), Math.max(left, 1500)); };
    toast.addEventListener("pointerenter", pause);
    toast.addEventListener("pointerleave", resume);
    toast.addEventListener("focusin", pause);
    toast.addEventListener("focusout", resume);
  }
  // A request of htmx that failed is told where results are told.
  const failed = () => {
    const box = document.getElementById("toasts");
    const toast = document.createElement("div");
    toast.className = "toast";
    toast.textContent = box.dataset.failed;
    box.append(toast);
    setTimeout(() => toast.remove(), 10000);
  };
  document.addEventListener("htmx:responseError", failed);
  document.addEventListener("htmx:sendError", failed);

  const all = () => document.querySelectorAll("#toasts [data-toast]").forEach(live);
  omote.ready(all);
  document.addEventListener("htmx:oobAfterSwap", all);
})();
