// The array: every element with the operands that meet in it and its sum; beside it what will enter next.

const QUEUE = 3; // values shown that wait at the edge

class Elements {
  constructor(links) {
    this.links = links;
    this.element = html("div", { class: "elements", role: "group", "aria-label": "the array" });
    links.listen(this.element);
  }

  build(passage) {
    this.passage = passage;
    const shape = JSON.stringify([passage.rows, passage.columns, passage.keepsWeights]);
    if (shape === this.shape) return;
    this.shape = shape;
    const { rows, columns, keepsWeights } = passage;
    this.links.clear("pe");
    const queues = (count, way) => Array.from({ length: count }, () => html("div", { class: `queue ${way}`, "aria-hidden": "true" }));
    [this.left, this.above, this.below] = [queues(rows, "left"), queues(columns, "above"), queues(columns, "below")];
    this.nodes = passage.cycles[0].map(({ place }) => this.node(place));
    this.element.style.setProperty("--columns", columns);
    this.element.replaceChildren(
      html("span", { class: "corner" }), ...this.above,
      ...this.left.flatMap((queue, row) => [queue, ...this.nodes.slice(row * columns, (row + 1) * columns)]),
      html("span", { class: "corner" }), ...(keepsWeights ? this.below : []));
  }

  node(place) {
    const node = html("div", { class: "cell pe", tabindex: place.some(Boolean) ? -1 : 0, "data-place": place.join(","), role: "img" },
      html("span", { class: "before" }), html("span", { class: "product" }), html("span", { class: "after" }), html("small", { class: "next" }));
    this.links.add(node, { part: "pe", index: place });
    return node;
  }

  paint(cycle) {
    const { passage } = this;
    passage.cycles[cycle].forEach((element, at) => this.paintElement(this.nodes[at], element));
    this.left.forEach((queue, row) => this.fill(queue, cycle, row * passage.columns, "activation"));
    this.above.forEach((queue, column) => (passage.keepsWeights ? queue.replaceChildren() : this.fill(queue, cycle, column, "weight")));
    if (!passage.keepsWeights) return;
    this.below.forEach((queue, column) => {
      const leaving = passage.leaving[cycle].find(({ place }) => place[1] === column);
      queue.replaceChildren(...(leaving ? [html("b", {}, format(leaving.after)), html("small", {}, `→ Y[${leaving.i}, ${leaving.j}]`)] : []));
    });
  }

  paintElement(node, element) {
    const { busy, real, kept, activation, weight, before, after, stays, next } = element;
    const { keepsWeights } = this.passage;
    node.classList.toggle("idle", !busy);
    node.classList.toggle("padding", busy && !real);
    const held = html("b", { class: keepsWeights ? "weight" : "value" }, kept ? format(stays) : element.holds ? "0" : "");
    const [top, middle, bottom, corner] = node.children;
    corner.textContent = next === undefined ? "" : format(next);
    corner.title = "the weight that waits";
    top.textContent = busy && keepsWeights ? `↓ ${format(before)}` : busy ? `Σ ${format(before)}` : "";
    if (busy) middle.replaceChildren(html("b", { class: "activation" }, format(activation)), " · ", html("b", { class: "weight" }, format(weight)));
    else middle.replaceChildren(...(keepsWeights ? [held] : []));
    if (busy) bottom.replaceChildren(keepsWeights ? "↓ " : "Σ ", html("b", { class: "value" }, format(after)));
    else bottom.replaceChildren(...(keepsWeights ? [] : [held]));
    node.setAttribute("aria-label", `element (${element.place.join(", ")}): ${busy ? `${format(before)} + ${format(activation)} · ${format(weight)} = ${format(after)}` : "idle"}`);
  }

  // The next values for an element at the edge, the first of them nearest to it.
  fill(queue, cycle, at, operand) {
    const coming = Array.from({ length: QUEUE }, (_, k) => this.passage.cycles[cycle + 1 + k]?.[at]);
    queue.replaceChildren(...coming.map((element) => html("span", { class: element?.busy ? operand : "none" }, element?.busy ? format(element[operand]) : "·")).reverse());
  }
}
