// Replay: plays where cases stood, frame by frame. The page shows the last frame
// without this script. Nothing moves by itself: somebody presses play, or moves
// the slider; with reduced motion play goes one frame on.
omote.ready((root) => {
  root.querySelectorAll("[data-replay]").forEach((box) => {
    if (box.dataset.ready) return;
    box.dataset.ready = "1";
    const data = JSON.parse(document.getElementById(box.dataset.replay).textContent);
    const slider = box.querySelector("[data-replay-at]"), button = box.querySelector("[data-replay-play]"), when = box.querySelector("[data-replay-when]");
    const bars = [...box.querySelectorAll("[data-replay-bar]")], numbers = [...box.querySelectorAll("[data-replay-n]")];
    if (!data.frames.length) return;
    const play = button.textContent.trim(), pause = button.dataset.replayPlay, text = button.firstChild;
    const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
    let timer = 0;
    const show = (i) => {
      slider.value = i;
      slider.setAttribute("aria-valuetext", data.when[i]);
      when.textContent = data.when[i];
      data.frames[i].forEach((n, k) => {
        bars[k].setAttribute("width", data.most ? 100 * n / data.most : 0);
        numbers[k].textContent = data.counts[i][k];
      });
    };
    const stop = () => { clearInterval(timer); timer = 0; delete box.dataset.playing; text.textContent = play; };
    const step = () => {
      const next = Number(slider.value) + 1;
      if (next >= data.frames.length) { stop(); return; }
      show(next);
    };
    button.hidden = slider.hidden = false;
    slider.addEventListener("input", () => { stop(); show(Number(slider.value)); });
    button.addEventListener("click", () => {
      if (timer) { stop(); return; }
      if (Number(slider.value) >= data.frames.length - 1) show(0);
      if (still()) { step(); return; }
      box.dataset.playing = "1";
      text.textContent = pause;
      timer = setInterval(step, 200);
    });
  });
});

// The slider of detail redraws the map at once; its button stands for those
// without this script.
omote.ready((root) => {
  root.querySelectorAll("[data-detail]").forEach((form) => {
    form.querySelector("button").hidden = true;
    form.querySelector("input[type=range]").addEventListener("change", () => form.requestSubmit());
  });
});
