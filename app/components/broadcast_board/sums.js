// What the cell that is looked at is made of: the operands of an element, or the terms of a gradient.

const MOST_TERMS = 6;

class Sums {
  constructor() { this.element = html("div", { class: "formula", "aria-live": "polite" }); }

  hint() {
    this.element.replaceChildren(html("span", { class: "hint" }, "Point at a number: forward it lights what it reads, backward what its gradient is the sum of."));
  }

  // One element of the result: its operands, and where each is read.
  result(data, { index, position, reads }) {
    const { operands, output, sign } = data;
    const terms = operands.flatMap(({ name, gradient }, k) => [...(k ? [operator(sign)] : []), named(name, indexAt(gradient.shape, reads[k]))]);
    const figures = operands.flatMap(({ value }, k) => [...(k ? [operator(sign)] : []), figure(value.values[reads[k]])]);
    const where = operands.map(({ name, expanded }, k) => `${name}: ${index.map((i, d) => `${i}·${expanded[d]}`).join(" + ") || "0"} = position ${reads[k]}`).join(";  ");
    this.element.replaceChildren(math("math", {}, named("y", index), operator("="), ...terms, operator("="), ...figures, operator("="), math("mn", { class: "value" }, format(decode(output.values[position])))),
      html("span", { class: "hint" }, where));
  }

  // One element of a gradient: the sum over every element of the result that read it.
  gradient(data, k, position, reads) {
    const { name, local, gradient, repeated, terms: count } = data.operands[k];
    const from = reads.filter(({ reads: places }) => places[k] === position);
    const simple = data.sign !== "×";
    const terms = from.slice(0, MOST_TERMS).flatMap(({ position: at }, n) => [...(n ? [operator("+")] : []), figure(data.upstream.values[at]),
      ...(simple && decode(local.values[at]) === 1 ? [] : [operator("·"), figure(local.values[at])])]);
    const more = count > Math.min(from.length, MOST_TERMS) ? [operator("+"), math("mtext", {}, `… (${count.toLocaleString("en")} terms)`)] : [];
    const value = decode(gradient.values[position]);
    const plain = terms.length === 1 && !more.length; // one number: it is the value
    this.element.replaceChildren(math("math", {}, math("mfrac", {}, math("mrow", {}, math("mi", {}, "∂L")), math("mrow", {}, math("mi", {}, `∂${name}`), math("mtext", { class: "index" }, `[${indexAt(gradient.shape, position).join(", ")}]`))), operator("="),
      ...(plain ? [] : [...terms, ...more, operator("=")]), math("mn", { class: "gradient" }, format(value))),
      html("span", { class: "hint" }, repeated.length ? `summed over dimension${repeated.length > 1 ? "s" : ""} ${repeated.join(", ")} of the result, along which ${name} was repeated` : `${name} was not repeated: nothing is summed`));
  }
}

const figure = (value) => number(decode(value));
const named = (name, index) => math("mrow", {}, math("mi", {}, name), math("mtext", { class: "index" }, `[${index.join(", ")}]`));
