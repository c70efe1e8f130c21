// Keeps an answer that could not be sent and sends it when the connection is
// back. Without this script everything works as long as there is a connection.
addEventListener("submit", async (e) => {
  const form = e.target, note = document.getElementById("offline");
  if (!note || !form.matches("[data-keep]")) return;
  e.preventDefault();
  const data = new FormData(form, e.submitter);
  const body = form.enctype === "multipart/form-data" ? data : new URLSearchParams(data);
  const send = async () => {
    const answer = await fetch(form.action, { method: "POST", body, redirect: "follow" });
    location.href = answer.url || location.href;
  };
  try {
    await send();
  } catch {
    note.hidden = false;
    addEventListener("online", () => send().catch(() => {}), { once: true });
    const again = setInterval(() => send().then(() => clearInterval(again), () => {}), 5000);
  }
});
