// What the step does, in a row for each tensor it makes: name, operator, shape, figures.

class StepBar {
  constructor() {
    this.note = html("p", { class: "note" });
    this.rows = html("div", { class: "rows" });
    this.element = html("div", { class: "formula", role: "group", "aria-label": "what this step does" }, this.note, this.rows);
  }

  show(model, index) {
    const step = model.steps[index];
    this.note.textContent = step.note ?? "";
    const rows = step.kind === "cotangent" ? (step.contributions ?? []).map((each) => sentRow(model, step, each)) : [madeRow(model, step, index)];
    this.rows.className = `rows ${rows.length === 1 ? "single" : rows.length > 2 ? "many" : ""}`;
    this.rows.replaceChildren(...(rows.length ? rows : [html("p", { class: "row" }, "Nothing goes further back: its operands need no gradient.")]));
  }
}

const nodeName = (model, id) => html("span", { "data-node": id, class: "term" }, inline(parseMath(model.nodes.get(id).math)));
const overL = (model, id) => html("span", { "data-node": id, class: "term" },
  inline(math("mfrac", {}, math("mrow", {}, math("mo", {}, "∂"), math("mi", {}, "L")), math("mrow", {}, math("mo", {}, "∂"), parseMath(model.nodes.get(id).math)))));
const shapeOf = (model, id) => html("span", { class: "of-shape" }, model.nodes.get(id).shape || "one number");

// Least · mean · greatest with their names, or the number.
function figuresOf(quantity, className) {
  if (quantity.one) return [html("b", { class: className }, quantity.text)];
  const named = [["least", quantity.least], ["mean", quantity.mean], ["greatest", quantity.greatest]].filter(([, value]) => value !== null);
  const faults = [[quantity.nan, "NaN"], [quantity.infinite, "∞"]].filter(([count]) => count).map(([count, name]) => html("span", { class: "differs" }, `${count} ${name}`));
  return [...named.map(([name, value]) => html("span", { class: "named" }, `${name} `, html("b", { class: className }, format(decode(value), 3)))), ...faults];
}

function madeRow(model, step, index) {
  const node = model.nodes.get(step.node);
  if (step.kind === "seed") return html("p", { class: "row" }, overL(model, step.node), "= 1");
  const operands = model.argumentsOf(step.node).flatMap((id, k) => [...(k ? [", "] : []), nodeName(model, id)]);
  const made = node.kind === "operator" ? ["=", html("span", { class: "operator" }, node.operator), html("span", {}, "(", ...operands, ")")] : [html("span", { class: "kind" }, node.kind === "input" ? "parameter" : node.kind)];
  const inside = node.folded ? [html("span", { class: "named" }, `${node.inside} operators, folded`)] : [];
  return html("p", { class: "row" }, nodeName(model, step.node), ...made, shapeOf(model, step.node), ...figuresOf(model.value(step.node, index), "value-figure"), ...inside);
}

// ∂L/∂a += what this operator sends back, from the shape of its result to that of its operand.
function sentRow(model, step, contribution) {
  const amount = readQuantity(contribution.product);
  const [from, to] = [model.nodes.get(step.node).shape, amount.shape];
  const change = from === to ? [] : [html("span", { class: "of-shape" }, `${from || "one number"} → ${to || "one number"}`)];
  const local = inline(math("mfrac", {}, math("mrow", {}, math("mo", {}, "∂"), parseMath(model.nodes.get(step.node).math)), math("mrow", {}, math("mo", {}, "∂"), parseMath(model.nodes.get(contribution.to).math))));
  return html("p", { class: "row" }, overL(model, contribution.to), "+=", overL(model, step.node), "·", local, ...change, ...figuresOf(amount, "gradient-figure"));
}
