// Where the element that is looked at lies: offset + Σ index · stride, with its own numbers.

class Formula {
  constructor() {
    this.element = html("div", { class: "formula", "aria-live": "polite" });
  }

  general(layout) {
    const terms = layout.strides.map((_, d) => [subscript("i", d), subscript("s", d)]);
    this.element.replaceChildren(
      math("math", {}, math("mtext", {}, "position"), operator("="), math("mtext", {}, "offset"), ...sum(terms)),
      html("span", { class: "hint" }, "Point at a number to see where it lies; click to pin it."));
  }

  // `cell` is one of the view's; `others` are further cells of it that read the same slot.
  show(layout, { index, position, element }, value, others) {
    const terms = index.map((i, d) => [number(i), number(layout.strides[d])]);
    const general = index.map((_, d) => [subscript("i", d), subscript("s", d)]);
    const said = element === OUTSIDE ? "is outside the storage" : `holds ${format(value, 6)}`;
    const also = others.length ? `, read by ${others.length + 1} cells` : "";
    this.element.replaceChildren(
      math("math", {}, math("mtext", {}, "position of\u00a0"), math("mtext", { class: "index" }, `[${index.join(", ")}]`), operator("="), math("mtext", {}, "offset"), ...sum(general),
        operator("="), number(layout.offset), ...sum(terms), operator("="), math("mn", { class: "value" }, format(position))),
      html("span", { class: element === OUTSIDE ? "hint wrong" : "hint" }, `slot ${format(position)} ${said}${also}`));
  }

  say(text) { this.element.replaceChildren(html("span", { class: "hint" }, text)); }
}

const operator = (sign) => math("mo", {}, sign);
const number = (value) => (value < 0 ? math("mrow", {}, operator("("), math("mn", {}, format(value)), operator(")")) : math("mn", {}, format(value)));
const subscript = (name, d) => math("msub", {}, math("mi", {}, name), math("mn", {}, String(d)));
const sum = (terms) => terms.flatMap(([left, right]) => [operator("+"), left, operator("·"), right]);
