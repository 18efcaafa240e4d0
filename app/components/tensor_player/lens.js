// The opened node in the place of the graph: as matrices with its Jacobians, or as formulas.

const FIRST = { i: 0, operand: null, j: null }; // what is lit while nothing is pointed at
const ZOOMS = [["graph", "Graph"], ["matrix", "Matrices"], ["formula", "Formulas"]];

class Lens {
  constructor(player) {
    this.player = player;
    this.tabs = html("div", { class: "zooms", role: "tablist", "aria-label": "zoom" }, ...ZOOMS.map(([name, label]) => html("button",
      { type: "button", role: "tab", "data-zoom": name, onclick: () => player.look(name) }, label)));
    this.element = html("div", { class: "lens", hidden: true, role: "group", "aria-label": "opened node" });
    this.element.addEventListener("pointerleave", () => this.choose(FIRST));
  }

  show(opened, zoom) {
    for (const tab of this.tabs.children) tab.setAttribute("aria-selected", String(tab.dataset.zoom === zoom));
    this.element.hidden = zoom === "graph";
    this.tabs.classList.toggle("over", zoom !== "graph");
    if (zoom === "graph") return;
    const looks = `${zoom} ${this.player.root.dataset.theme}`;
    if (this.opened === opened && this.looks === looks) return;
    Object.assign(this, { opened, looks });
    this.heats = [];
    if (!opened) return this.element.replaceChildren(html("p", { class: "pending" }, "Looking closer …"));
    this.live = html("div", { class: "live", "aria-live": "polite" });
    const body = zoom === "matrix" ? this.matrices(opened) : this.formulas(opened);
    this.element.replaceChildren(this.heading(opened), ...body, this.live);
    for (const { heat } of this.heats) heat.draw();
    this.choose(FIRST);
  }

  heading(opened) {
    const operands = opened.operands.map(({ letter, math: name, shape }) => html("span", {}, ...(letter ? [inline(math("mi", {}, letter)), " = "] : []), inline(parseMath(name)), ` ${written(shape)}`));
    return html("header", {}, html("h3", {}, inline(parseMath(opened.math)), ` ${written(opened.shape)}`), html("span", { class: "kind" }, opened.title),
      ...(operands.length ? [html("span", { class: "of" }, "of"), ...operands] : []));
  }

  // A matrix of cells; `role` says what of the node they are, `choose` what a hovered one stands for.
  heat(label, shape, values, role, room, choose) {
    const heat = new Heat(label, asMatrix(shape), values, (place) => place !== null && this.choose(choose(place)), room);
    this.heats.push({ heat, ...role });
    return heat.element;
  }

  figure(caption, content, className = "") {
    return html("figure", { class: className }, html("figcaption", {}, ...[caption].flat()), content);
  }

  missing(why) { return html("p", { class: "pending" }, why); }

  // Numbers of the tensor of this name: its values, or a gradient, which says so before it.
  numbers(name, before, shape, values, role, choose) {
    const caption = [before, ...(before ? [" "] : []), inline(parseMath(name))];
    if (values === null) return this.figure(caption, this.missing(before ? "nothing came here" : `more than ${this.opened.most} numbers`));
    return this.figure(caption, this.heat(`${before} ${plainText(name)}`.trim(), shape, values, role, 170, choose));
  }

  values(opened) {
    return [
      ...opened.operands.map((operand) => this.numbers(operand.math, "", operand.shape, operand.values, { operand }, (j) => ({ i: null, operand, j }))),
      ...(opened.operands.length ? [html("b", { class: "sign" }, "→")] : []),
      this.numbers(opened.math, "", opened.shape, opened.values, { result: true }, (i) => ({ i, operand: null, j: null })),
    ];
  }

  matrices(opened) {
    const wanted = opened.operands.filter(({ needs }) => needs);
    const jacobians = wanted.map((operand) => this.jacobian(opened, operand));
    const back = [
      this.numbers(opened.math, "gradient of", opened.shape, opened.upstream, { upstream: true }, (i) => ({ i, operand: null, j: null })),
      ...(wanted.length ? [html("b", { class: "sign" }, "→")] : []),
      ...wanted.map((operand) => this.numbers(operand.math, "sent to", operand.shape, operand.sent, { operand, sent: true }, (j) => ({ i: null, operand, j }))),
    ];
    return [this.values(opened), jacobians, back].map((parts) => html("div", { class: parts === back ? "strip back" : "strip" }, ...parts));
  }

  // Rows are elements of the result, columns those of the operand: what comes back is Σ of rows times its gradient.
  jacobian(opened, operand) {
    const [rows, columns] = [lengthOf(opened.shape), lengthOf(operand.shape)];
    const label = `∂${plainText(opened.math)}/∂${plainText(operand.math)}`;
    const local = inline(math("mfrac", {}, math("mrow", {}, math("mo", {}, "∂"), parseMath(opened.math)), math("mrow", {}, math("mo", {}, "∂"), parseMath(operand.math))));
    if (!operand.jacobian) return this.figure(local, this.missing(`${rows} × ${columns} = ${format(rows * columns)} entries: more than ${opened.most}; choose smaller sizes`));
    const share = (100 * operand.nonzeros) / (rows * columns);
    const caption = [local, ` ${rows} × ${columns}, `, html("b", { "data-nonzeros": operand.nonzeros }, `${operand.nonzeros} of ${rows * columns} not 0`), ` (${format(share, 3)} %)`];
    const whole = this.heat(label, [rows, columns], operand.jacobian, { operand, jacobian: true }, 330, (place) => ({ i: Math.floor(place / columns), operand, j: place % columns }));
    const { size } = this.heats.at(-1).heat;
    const strip = (name, values, shape, role, choose) => {
      const element = this.heat(name, shape, values, role, 0, choose);
      this.heats.at(-1).heat.size = size;
      return element;
    };
    const parts = [whole];
    if (opened.upstream) parts.unshift(html("div", { class: "beside" }, strip("its gradient", opened.upstream, [rows, 1], { upstream: true }, (i) => ({ i, operand: null, j: null }))));
    if (operand.sent) parts.push(html("div", { class: "under" }, strip("what is sent", operand.sent, [1, columns], { operand, sent: true }, (j) => ({ i: null, operand, j }))));
    return this.figure(caption, html("div", { class: "jacobian" }, ...parts), "wide");
  }

  formulas(opened) {
    const lines = [opened.formula, ...opened.operands.map(({ backward }) => backward)].filter(Boolean);
    const none = opened.operands.length ? "Several operators in one: unfold it to see their formulas. The Jacobian is that of all together." : "An input: nothing made it.";
    const symbolic = lines.length ? lines.map((line) => html("p", {}, inline(parseMath(line)))) : [this.missing(none)];
    return [html("div", { class: "symbolic" }, ...symbolic), html("div", { class: "strip" }, ...this.values(opened))];
  }

  // Lights an element of the result and what it meets, or one of an operand, and writes both out.
  choose({ i, operand, j }) {
    const { opened } = this;
    if (!opened) return;
    for (const { heat, ...role } of this.heats) heat.light(this.lights(role, { i, operand, j }));
    const lines = [];
    if (i !== null && opened.values) lines.push(forwardLine(opened, i));
    const wanted = operand ? [[operand, j]] : opened.operands.filter(({ jacobian }) => jacobian).map((each) => [each, inRow(each.jacobian, i ?? 0, lengthOf(each.shape))[0]]);
    for (const [each, place] of wanted) {
      if (each.jacobian && opened.upstream && place !== undefined && place !== null) lines.push(backwardLine(opened, each, place));
    }
    this.live.replaceChildren(...lines.map((line) => html("p", { class: "row" }, line)));
  }

  lights({ operand: own, result, upstream, jacobian }, { i, operand, j }) {
    const columns = own ? lengthOf(own.shape) : 0;
    if (jacobian) return { row: i, column: own === operand ? j : null };
    if (result || upstream) {
      if (i !== null) return { cells: [i] };
      return { cells: operand?.jacobian && j !== null ? inColumn(operand.jacobian, j, lengthOf(operand.shape)) : [] };
    }
    if (own === operand && j !== null) return { cells: [j] };
    return { cells: i !== null && own.jacobian && !operand ? inRow(own.jacobian, i, columns) : [] };
  }
}

const written = (shape) => (shape.length ? `(${shape.join(", ")}${shape.length === 1 ? "," : ""})` : "one number");
