// All steps of the block at once: a row for each thread, a column for each step, its colour what the thread does.

const TALLEST = 84; // pixels

class Timeline {
  constructor(go) {
    this.canvas = html("canvas", { role: "img" });
    this.cursor = html("i", { class: "cursor" });
    this.frame = html("div", { class: "chart", title: "a row is a thread, a column a step; click to go there", onclick: (event) => this.pick(event, go) }, this.canvas, this.cursor);
    this.element = html("section", { class: "timeline", "aria-label": "all steps of the block" }, html("small", {}, "threads\u00a0↓ steps\u00a0→"), this.frame);
  }

  build(launch, theme) {
    this.steps = launch.steps.length;
    const signature = `${theme} ${JSON.stringify(launch.steps.map(({ kind, threads }) => [kind, threads]))}`;
    if (signature === this.signature) return;
    this.signature = signature;
    const { canvas } = this;
    canvas.width = Math.max(this.steps, 1);
    canvas.height = launch.threads;
    canvas.setAttribute("aria-label", `${this.steps} steps of ${launch.threads} threads`);
    canvas.style.height = `${clamp(launch.threads * 3, 36, TALLEST)}px`;
    const style = getComputedStyle(canvas);
    const colour = (name) => style.getPropertyValue(name).trim();
    const colours = { read: colour("--value"), write: colour("--current"), atomic: colour("--tangent"), barrier: colour("--muted"), fault: colour("--error") };
    const paper = canvas.getContext("2d");
    launch.steps.forEach(({ kind, threads }, step) => {
      paper.fillStyle = colours[kind];
      for (const thread of threads) paper.fillRect(step, thread, 1, 1);
    });
  }

  paint(step) {
    this.cursor.style.left = `${(100 * step) / Math.max(this.steps, 1)}%`;
    this.cursor.style.width = `max(2px, ${100 / Math.max(this.steps, 1)}%)`;
  }

  pick(event, go) {
    const { left, width } = this.frame.getBoundingClientRect();
    go(Math.floor(((event.clientX - left) / width) * this.steps));
  }
}
