// One node beside the graph: shape, figures, neighbours, and the ways to look closer; the legend while none is chosen.

const fact = (term, ...detail) => [html("dt", {}, term), html("dd", {}, ...detail)];

class Facts {
  constructor(player) {
    this.player = player;
    this.element = html("section", { class: "inspector", "aria-label": "inspected node" });
  }

  show(model, index, id) {
    if (id === null && this.shown === model) return;
    this.shown = id === null ? model : undefined;
    this.element.replaceChildren(...(id === null ? tensorLegend() : this.details(model, index, id)));
  }

  details(model, index, id) {
    const node = model.nodes.get(id);
    const heading = html("header", {}, html("h3", {}, nodeName(model, id)), html("span", { class: `kind ${node.kind}` }, node.kind === "input" ? "parameter" : node.operator || node.kind),
      iconButton("close", "close (Escape)", () => this.player.select(null), { "data-action": "close" }));
    const figure = (quantity, className) => (quantity === undefined ? [html("span", { class: "pending" }, "not computed yet")] : figuresOf(quantity, className));
    const read = this.player.data.memory.saved.filter(({ readers }) => readers.includes(id));
    const kept = read.map(({ node: owner, math: name, shape, bytes: size }) => html("span", { class: "term", "data-node": owner }, inline(parseMath(name)), ` ${shape} ${bytes(size)}`));
    const rows = [
      fact("shape", `${node.dtype} ${node.shape || "one number"}`),
      fact("value", ...figure(model.value(id, index), "value-figure")),
      fact("gradient", ...figure(model.gradient(id, index), "gradient-figure")),
      ...(node.kind === "operator" ? [fact("keeps", ...(kept.length ? kept : ["nothing: its derivative needs no values"]))] : []),
    ];
    return [heading, html("dl", {}, ...rows.flat()), html("p", { class: "ways" }, ...this.ways(node))];
  }

  ways(node) {
    const button = (label, action, name) => html("button", { type: "button", "data-action": name, onclick: action }, label);
    const fold = node.folded ? [button("Unfold", () => this.player.toggle(node.folded), "unfold")]
      : node.closable ? [button(`Fold ${node.closable.title}`, () => this.player.toggle(node.closable.id), "fold")] : [];
    return [button("Matrices", () => this.player.look("matrix"), "matrix"), button("Formulas", () => this.player.look("formula"), "formula"), ...fold];
  }
}

function tensorLegend() {
  const key = (className, text) => html("li", {}, html("i", { class: `key ${className}` }), text);
  return [
    html("ul", { class: "legend" }, key("input", "parameter"), key("data", "data"), key("operator", "operator"), key("constant", "no history"), key("output", "output"),
      key("waiting", "not computed"), key("invalid", "NaN or ∞"), key("flow gradient", "gradient, backward")),
    html("p", { class: "tip" }, "A node shows least · mean · greatest. Click one to look closer."),
  ];
}
