// The table of inputs: the value as a handle, and its gradient by every method side by side.

class Inputs {
  constructor(player) {
    this.player = player;
    this.head = html("tr");
    this.body = html("tbody");
    this.handles = new Map();
    this.element = html("div", { class: "inputs" },
      html("table", {}, html("caption", { class: "hidden" }, "inputs and their gradients"), html("thead", {}, this.head), this.body));
  }

  build(model, stage) {
    const methods = model.inputs[0]?.gradients.map(({ method }) => method) ?? [];
    const heading = (text, attributes = {}) => html("th", { scope: "col", ...attributes }, text);
    this.head.replaceChildren(heading("input", { class: "name" }), ...methods.map((method) => heading(method, { title: `gradient by ${method}` })));
    this.cells = [];
    this.handles.clear();
    const none = html("tr", {}, html("td", { colspan: 1 + methods.length }, "This program has no inputs."));
    this.body.replaceChildren(...(model.inputs.length ? model.inputs.map((input) => this.row(input)) : [none]));
    for (const { name, node } of model.inputs) this.handles.get(name).lend(stage.nodes.get(node).element);
  }

  row({ name, node, gradients }) {
    const handle = new Handle(name, (value, final) => this.player.change(name, value, final));
    this.handles.set(name, handle);
    const cells = gradients.map(({ method, live }) => {
      const cell = html("td", { class: live ? "figure live" : "figure", "data-method": method, "data-input": name });
      this.cells.push(cell);
      return cell;
    });
    return html("tr", { "data-node": node, onpointerenter: () => this.player.hover(node), onpointerleave: () => this.player.hover(null) },
      html("th", { scope: "row", class: "name" }, html("span", { class: "input-name", title: name }, name), handle.element), ...cells);
  }

  // Values from Python; while a change of ours is on its way they would be yesterday's.
  setValues(model) {
    for (const { name, value } of model.inputs) this.handles.get(name).set(decode(value));
  }

  // A live figure grows with the steps, the others appear at the end: there is time to predict.
  paint(model, index) {
    const last = index === model.steps.length - 1;
    const figures = model.inputs.flatMap(({ node, gradients }) => gradients.map(({ live, value, agrees }) => (
      {
        ...(live
          ? { value: model.gradient(node, index), more: model.partial(node, index) }
          : { value: last ? decode(value) : undefined }),
        agrees: last ? agrees : undefined,
      })));
    figures.forEach((figure, position) => paintFigure(this.cells[position], figure));
  }
}

function paintFigure(cell, { value, agrees, more }) {
  const text = value === undefined ? "·" : format(value, 4) + (more ? " …" : "");
  const key = `${text} ${agrees}`;
  if (cell.dataset.shown === key) return;
  cell.dataset.shown = key;
  cell.dataset.value = value === undefined ? "" : String(value);
  cell.classList.toggle("empty", value === undefined);
  const mark = agrees === undefined ? [] : [html("span", { class: agrees ? "agrees" : "differs", role: "img",
    "aria-label": agrees ? "agrees" : "differs" }, icon(agrees ? "tick" : "cross"))];
  cell.replaceChildren(html("span", {}, text), ...mark);
}
