// The read-outs: x, h and the second operand as handles, and between them the figures that Python has computed for them.

const EXACT_DIGITS = 12;

class Figures {
  constructor(explorer) {
    this.handles = {
      x: new Handle("x", (value, final) => explorer.change("x", value, final)),
      other: new Handle("b", (value, final) => explorer.change("other", value, final)),
      step_exponent: new Handle("log₁₀ h", (value, final) => explorer.change("step_exponent", value, final)),
    };
    this.formula = html("span", { class: "math" });
    this.slopeFormula = html("span", { class: "math" });
    this.note = html("span", { class: "domain" });
    this.bar = html("header", { class: "formulas" }, this.formula, this.slopeFormula, this.note);
    this.numbers = Object.fromEntries(["value", "slope", "central", "error", "h"].map((key) => [key, html("output", { class: `exact ${key}`, "data-figure": key })]));
    const cell = (className, title, ...content) => html("div", { class: `cell ${className}` }, html("span", { class: "title" }, ...title), ...content);
    this.other = cell("other", ["b, second operand"], this.handles.other.element);
    this.element = html("div", { class: "figures", role: "group", "aria-label": "figures at x" },
      cell("x", ["x"], this.handles.x.element),
      this.other,
      cell("value", ["f(x)"], this.numbers.value),
      cell("slope", ["f′(x), from the table"], this.numbers.slope),
      cell("central", ["central difference"], this.numbers.central),
      cell("error", ["absolute error"], this.numbers.error),
      cell("h", ["log₁₀ h, with h = ", this.numbers.h], this.handles.step_exponent.element));
  }

  build({ operator }) {
    this.formula.innerHTML = operator.formula; // MathML from the table's own rows
    this.slopeFormula.innerHTML = operator.slope;
    this.other.hidden = !operator.binary;
    this.element.classList.toggle("binary", operator.binary);
    this.note.textContent = operator.note;
    this.note.title = operator.note;
  }

  paint(explorer) {
    const { data, exact, hand, h } = explorer;
    for (const [field, handle] of Object.entries(this.handles)) handle.set(hand[field]);
    this.element.classList.toggle("waiting", !exact);
    this.numbers.h.textContent = format(h, 3);
    for (const key of ["value", "slope"]) this.numbers[key].textContent = format(decode(data[key]), EXACT_DIGITS);
    this.numbers.central.replaceChildren(...agreement(format(decode(data.central), EXACT_DIGITS), format(decode(data.slope), EXACT_DIGITS)));
    this.numbers.error.textContent = format(decode(data.error), 3);
  }
}

// The digits that two figures share, and those after: how much of the slope was found is seen at once.
function agreement(found, right) {
  if (found === right) return [found];
  let shared = 0;
  while (found[shared] === right[shared]) shared += 1;
  return [found.slice(0, shared), html("span", { class: "astray" }, found.slice(shared))];
}
