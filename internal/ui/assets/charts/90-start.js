// Each figure that carries data is drawn when it comes near the window, and again
// when the scheme changes.
omote.ready((root) => {
  if (!omoteCharts.wide()) return;
  const seen = new IntersectionObserver((entries) => entries.forEach((entry) => {
    if (!entry.isIntersecting) return;
    seen.unobserve(entry.target);
    const figure = entry.target;
    omoteCharts.load().then((t) => omoteCharts.kinds[figure.dataset.chart](figure, t)).catch(() => {}); // the drawing of the server stays
  }), { rootMargin: "200px" });
  root.querySelectorAll("[data-chart]").forEach((figure) => {
    if (omoteCharts.kinds[figure.dataset.chart] && figure.querySelector("script[type='application/json']")) seen.observe(figure);
  });
});
