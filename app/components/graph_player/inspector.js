// One node under the lens: its formula, numbers, local partials and neighbours; the legend while none is chosen.

class Inspector {
  constructor(player) {
    this.player = player;
    this.element = html("section", { class: "inspector", "aria-label": "inspected node" });
  }

  show(model, index, id) {
    const kind = id === null ? `legend ${model.forwardMode}` : "node";
    if (id === null && this.kind === kind) return;
    this.kind = kind;
    this.element.replaceChildren(...(id === null ? legend(model) : this.details(model, index, id)));
  }

  details(model, index, id) {
    const node = model.nodes.get(id);
    const notation = new Notation(model);
    const kind = node.kind === "operator" ? node.operator : node.kind;
    const heading = html("header", {}, html("h3", {}, inline(notation.name(id))), html("span", { class: `kind ${node.kind}` }, kind),
      ...(node.output ? [html("span", { class: "kind output" }, "output")] : []),
      iconButton("close", "close (Escape)", () => this.player.select(null), { "data-action": "close" }));
    const symbolic = notation.operation(id, (term) => notation.name(term));
    const rows = [];
    if (symbolic) rows.push(fact("formula", inline(equalities([notation.name(id), symbolic]))));
    rows.push(fact("value", figure(model.value(id, index), "value")));
    rows.push(fact(inline(notation.derivative(id)), this.gradient(model, index, id)));
    const edges = model.incoming.get(id);
    for (const edge of edges) {
      rows.push(fact(inline(notation.local(edge)), localPartial(notation, edge, index)));
    }
    if (edges.length) rows.push(fact("operands", this.links(model, [...new Set(model.argumentsOf(id))])));
    rows.push(fact("used by", node.output && !model.consumersOf(id).length ? "nothing: it is the output" : this.links(model, model.consumersOf(id))));
    return [heading, html("dl", {}, ...rows.flat())];
  }

  // The gradient, and the contributions it is the sum of as far as they have arrived.
  gradient(model, index, id) {
    const arrived = model.arrived(id, index);
    const total = figure(model.gradient(id, index), model.forwardMode ? "tangent" : "gradient");
    if (arrived.length < 2) return total;
    const terms = sum(arrived.map(([, contribution]) => number(decode(contribution.product), "gradient")));
    return html("span", {}, inline(math("mrow", {}, terms, sign("="))), " ", total);
  }

  links(model, ids) {
    return html("span", { class: "links" }, ...ids.map((id) => html("button", { type: "button", "data-node": id,
      onclick: () => this.player.select(id), onpointerenter: () => this.player.hover(id), onpointerleave: () => this.player.hover(null) },
      inline(parseMath(model.nodes.get(id).math)))));
  }
}

const fact = (term, detail) => [html("dt", {}, term), html("dd", {}, detail)];

function figure(value, className) {
  if (value === undefined) return html("span", { class: "pending" }, "not computed yet");
  return html("span", { class: `number ${className}`, "data-value": value }, format(value));
}

function localPartial(notation, edge, index) {
  const local = notation.model.local(edge, index);
  const symbolic = notation.partial(edge, (term) => notation.name(term));
  return inline(equalities([symbolic, local === undefined ? undefined : number(local)]));
}

function legend(model) {
  const key = (className, text) => html("li", {}, html("i", { class: `key ${className}` }), text);
  const derivative = model.forwardMode ? key("flow tangent", "tangent, forward") : key("flow gradient", "gradient, backward");
  return [
    html("ul", { class: "legend" }, key("input", "input"), key("operator", "operator"), key("constant", "constant"), key("output", "output"),
      key("waiting", "not computed"), key("invalid", "NaN or ∞"), key("flow value", "value, forward"), derivative),
    html("p", { class: "tip" }, "Drag an input to change it. Click a node to inspect it."),
  ];
}
