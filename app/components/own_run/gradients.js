// Every leaf with the gradient that backprop left, and beside it whether differences of the functions agree.

const HEADS = [["|∂L/∂·|", "size of the gradient"], ["backprop", "the gradient along a random direction"], ["differences", "the same by differences of the functions"], ["", undefined]];

class Gradients {
  constructor(player) {
    this.player = player;
    this.head = html("p", { class: "total" });
    this.rows = html("tbody");
    this.element = html("div", { class: "inputs" }, html("h3", {}, "Gradients, checked"), this.head,
      html("table", {}, html("caption", { class: "hidden" }, "parameters, their gradients and checks"),
        html("thead", {}, html("tr", {}, html("th", { scope: "col", class: "name" }, "parameter"), ...HEADS.map(([name, title]) => html("th", { scope: "col", title }, name)))), this.rows));
  }

  build() { this.setValues(); }

  setValues() {
    const { counts, inputs } = this.player.data;
    const total = counts.passed + counts.failed + counts.undecided;
    this.head.replaceChildren(...(total ? [verdictMark(counts.failed ? "failed" : counts.undecided ? "undecided" : "passed"), " ", html("b", {}, `${counts.passed} of ${total}`), ` derivatives agree with differences${counts.failed ? `; ${counts.failed} differ` : ""}${counts.undecided ? `; ${counts.undecided} undecided` : ""}`]
      : ["No gradients: the step did not get that far."]));
    const figure = (value) => html("td", { class: "figure" }, value === null || value === undefined ? "·" : format(decode(value), 3));
    const rows = inputs.map(({ name, node, shape, gradient, check }) => html("tr", { "data-node": node, ...this.linked(node) },
      html("th", { scope: "row", class: "name" }, html("span", { class: "input-name", title: name }, html("bdi", {}, name)), html("small", {}, shape || "one number")),
      figure(gradient), figure(check?.recorded), figure(check?.numeric), html("td", { class: "figure" }, verdictMark(gradient === null ? undefined : check?.verdict ?? "undecided"))));
    this.rows.replaceChildren(...(rows.length ? rows : [html("tr", {}, html("td", { colspan: 5 }, "This step has no parameters."))]));
  }

  linked(node) {
    return { onpointerenter: () => this.player.hover(node), onpointerleave: () => this.player.hover(null), onclick: () => this.player.select(node) };
  }

  paint() {}
}
