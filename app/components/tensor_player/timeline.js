// Bytes by step: what is kept for the backward pass, and the gradients on top of it. A click goes to its step.

const TIMELINE_HEIGHT = 60;

class Timeline {
  constructor(player) {
    this.player = player;
    this.kept = svg("path", { class: "area kept" });
    this.gradients = svg("path", { class: "area gradients" });
    this.turn = svg("line", { class: "turn", y1: 0, y2: TIMELINE_HEIGHT });
    this.now = svg("rect", { class: "now", y: 0, height: TIMELINE_HEIGHT });
    this.svg = svg("svg", { preserveAspectRatio: "none", role: "img" }, this.now, this.kept, this.gradients, this.turn);
    this.most = html("span", { class: "most" });
    this.element = html("div", { class: "timeline" },
      html("p", { class: "axis" }, this.most, html("span", { class: "what" }, html("i", { class: "key area kept" }), "kept for the backward pass"),
        html("span", { class: "what" }, html("i", { class: "key area gradients" }), "gradients"), html("span", { class: "rest" })), this.svg);
    for (const name of ["pointerdown", "pointermove"]) this.svg.addEventListener(name, (event) => event.buttons && this.go(event));
  }

  build({ memory, steps }) {
    const count = memory.kept.length;
    const totals = memory.kept.map((kept, step) => kept + memory.gradients[step]);
    const most = Math.max(...totals, 1);
    this.svg.setAttribute("viewBox", `0 0 ${count} ${TIMELINE_HEIGHT}`);
    const height = (value) => TIMELINE_HEIGHT - ((TIMELINE_HEIGHT - 3) * value) / most;
    this.kept.setAttribute("d", band(memory.kept.map(height), memory.kept.map(() => TIMELINE_HEIGHT)));
    this.gradients.setAttribute("d", band(totals.map(height), memory.kept.map(height)));
    const turn = steps.findIndex(({ phase }) => phase === "backward");
    for (const name of ["x1", "x2"]) this.turn.setAttribute(name, turn);
    this.now.setAttribute("width", Math.max(1, count / 400));
    this.most.textContent = `at most ${bytes(most)}`;
    this.element.querySelector(".rest").textContent = `inputs ${bytes(memory.inputs)} · all results ${bytes(memory.everything)}`;
    this.svg.setAttribute("aria-label", `memory by step: kept for the backward pass and gradients together at most ${bytes(most)}, at step ${totals.indexOf(most) + 1}`);
  }

  paint(index) {
    this.now.setAttribute("x", index);
  }

  go(event) {
    const box = this.svg.getBoundingClientRect();
    this.player.visit(Math.floor(((event.clientX - box.left) / box.width) * this.player.model.steps.length));
  }
}

// The area between two lines of steps, one unit wide each.
function band(upper, lower) {
  const there = upper.map((y, x) => `H${x}V${y}H${x + 1}`).join("");
  const back = lower.map((y, x) => [x, y]).reverse().map(([x, y]) => `H${x + 1}V${y}H${x}`).join("");
  return `M0 ${upper[0]}${there}V${lower.at(-1)}${back}z`;
}
