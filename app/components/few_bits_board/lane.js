// One lane: its name and line, its figures, its lost updates layer by layer, its gradients, and its fields.

class Lane {
  // `act(name, value)` hears what was done to it: look, set, remove.
  constructor(act) {
    this.act = act;
    this.line = svg("line", { x1: 0, y1: 5, x2: 28, y2: 5 });
    this.name = html("b");
    this.chips = html("span", { class: "chips" });
    this.accuracy = html("output", { class: "accuracy" });
    this.loss = html("output", { class: "loss" });
    this.bars = html("div", { class: "layers" });
    this.scale = html("p", { class: "scale" });
    this.histogram = new Histogram();
    this.editor = new Editor((field, value) => act("set", { field, value }));
    this.toggle = html("button", { type: "button", class: "edit", "aria-expanded": "false", onclick: () => this.open(this.editor.element.hidden) }, "Edit");
    this.remove = iconButton("close", "remove this lane", () => act("remove"));
    this.element = html("section", { class: "lane", onpointerenter: () => act("look", true), onpointerleave: () => act("look", false) },
      html("header", {}, svg("svg", { class: "line", viewBox: "0 0 28 10", "aria-hidden": "true" }, this.line), html("div", {}, this.name, this.chips)),
      html("div", { class: "figure-pair" }, this.accuracy, this.loss), html("div", { class: "lost" }, this.bars), html("div", {}, this.histogram.element, this.scale),
      html("div", { class: "tools" }, this.toggle, this.remove), this.editor.element);
  }

  open(shown) {
    this.editor.element.hidden = !shown;
    this.toggle.setAttribute("aria-expanded", String(shown));
  }

  build(lane, { options, present, problem, lanes }, number) {
    this.style = lane;
    this.name.textContent = lane.name;
    this.chips.replaceChildren(...lane.chips.map((chip) => html("span", {}, chip)));
    this.line.setAttribute("style", `stroke: var(--${lane.hue}); stroke-dasharray: ${DASHES[lane.rounding].join(" ") || "none"}`);
    this.element.setAttribute("aria-label", `lane ${number + 1}: ${lane.text}`);
    this.toggle.hidden = present;
    this.remove.hidden = present || lanes.length < 2;
    const own = problem?.lane === number ? problem : undefined;
    this.editor.build(lane, options, own);
    if (own) this.open(true);
  }

  paint(figures, shape, seeds) {
    const range = ([lower, , upper]) => (seeds > 1 ? ` (${(100 * lower).toFixed(1)}–${(100 * upper).toFixed(1)})` : "");
    const diverged = isDiverged(figures);
    this.element.toggleAttribute("data-diverged", diverged);
    this.accuracy.replaceChildren(percent(figures.accuracy[MEDIAN]), html("small", {}, range(figures.accuracy)));
    this.loss.textContent = diverged ? "diverged: loss is not finite" : `test loss ${format(figures.testLoss[MEDIAN], 3)}`;
    this.paintLost(figures.lost, !Number.isNaN(figures.trainLoss[MEDIAN]));
    this.histogram.draw(figures, shape, this.style);
    this.scale.textContent = this.style.fields.scaling === "off" ? "" : `gradients × ${format(figures.scale)}${figures.skipped > 0 ? ` · ${percent(figures.skipped)} of steps skipped` : ""}`;
  }

  paintLost(lost, trained) {
    while (this.bars.children.length > lost.length) this.bars.lastChild.remove();
    while (this.bars.children.length < lost.length) this.bars.append(html("div", { class: "layer" }, html("small"), html("i", {}, html("i")), html("output")));
    lost.forEach((share, k) => {
      const [name, bar, text] = this.bars.children[k].children;
      name.textContent = `layer ${k + 1}`;
      bar.firstChild.style.width = `${Number.isNaN(share) ? 0 : 100 * share}%`;
      text.textContent = Number.isNaN(share) && trained ? "no gradient" : roughly(share);
      text.title = Number.isNaN(share) ? "nothing was to be moved" : "";
    });
  }
}
