// One node beside the graph: where it comes from, its figures and cells, its check; the legend while none is chosen.

const fact = (term, ...detail) => [html("dt", {}, term), html("dd", {}, ...detail)];

class Facts {
  constructor(player) {
    this.player = player;
    this.element = html("section", { class: "inspector", "aria-label": "inspected node" });
  }

  show(model, index, id) {
    const { opened } = this.player.data;
    const looks = id === null ? model : `${index} ${id} ${JSON.stringify(opened?.node === id ? opened : null)} ${this.player.root.dataset.theme}`;
    if (this.looks === looks) return;
    this.looks = looks;
    this.heats = [];
    this.element.replaceChildren(...(id === null ? runLegend() : this.details(model, index, id, opened?.node === id ? opened : null)));
    for (const heat of this.heats) heat.draw();
  }

  details(model, index, id, opened) {
    const node = model.nodes.get(id);
    const heading = html("header", {}, html("h3", {}, node.title), html("span", { class: `kind ${node.kind}` }, node.kind === "input" ? "parameter" : node.kind),
      iconButton("close", "close (Escape)", () => this.player.select(null), { "data-action": "close" }));
    const figure = (quantity, className) => (quantity === undefined ? [html("span", { class: "pending" }, "not computed")] : figuresOf(quantity, className));
    const last = model.steps.length - 1;
    const rows = [
      ...(node.place ? [fact("line", html("code", {}, node.place))] : []),
      ...(node.rule ? [fact("derivative", html("code", {}, node.rule))] : []),
      ...(node.module ? [fact("module", html("code", {}, node.module))] : []),
      ...(node.inside ? [fact("inside", `${node.inside} operations`)] : []),
      fact("shape", `${node.dtype} ${node.shape || "one number"}`),
      fact("value", ...figure(model.value(id, last), "value-figure")),
      fact("gradient", ...figure(model.gradient(id, last), "gradient-figure")),
      ...(opened?.check ? [fact("checked", ...verdictFigures(opened.check))] : []),
      ...(opened?.sends ?? []).map(({ name, check }) => fact(`sent to ${name}`, ...verdictFigures(check))),
    ];
    return [heading, html("dl", {}, ...rows.flat()), ...(opened ? this.cells(opened) : []), html("p", { class: "ways" }, ...this.ways(node))];
  }

  cells(opened) {
    const shown = opened.cells.filter(({ numbers }) => numbers).map(({ name, shape, numbers, whole }) => {
      const heat = new Heat(name, asMatrix(shape), numbers, () => {}, Math.min(300, this.element.clientWidth - 40));
      this.heats.push(heat);
      return html("figure", {}, html("figcaption", {}, `${name}${whole ? "" : ", first elements"}`), heat.element);
    });
    return shown.length ? [html("div", { class: "cells" }, ...shown)] : [];
  }

  ways(node) {
    const button = (label, action, name) => html("button", { type: "button", "data-action": name, onclick: action }, label);
    return node.folded ? [button("Unfold", () => this.player.toggle(node.folded), "unfold")]
      : node.closable ? [button(`Fold ${node.closable.title}`, () => this.player.toggle(node.closable.id), "fold")] : [];
  }
}

function runLegend() {
  const key = (className, text) => html("li", {}, html("i", { class: `key ${className}` }), text);
  return [
    html("ul", { class: "legend" }, key("input", "parameter"), key("data", "data"), key("operator", "operation"), key("output", "loss"),
      key("waiting", "not computed"), key("invalid", "NaN or ∞"), key("flow gradient", "gradient, backward")),
    html("p", { class: "tip" }, "A node shows least · mean · greatest. ✓ its derivative agrees with differences of the function, ✗ it does not. Click one to look closer."),
  ];
}
