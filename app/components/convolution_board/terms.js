// What the number that is looked at is made of: products and their sum, written out with live numbers.

class Terms {
  constructor() { this.element = html("div", { class: "formula terms", "aria-live": "polite" }); }

  show(data, meetings, { part, index }) {
    const make = { y: "output", x: "inputRead", w: "weightUsed", "y.grad": "upstream", "x.grad": "inputGradient", "w.grad": "weightGradient" }[part];
    this[make](data, meetings, index);
  }

  say(...children) { this.element.replaceChildren(...children); }

  output(data, meetings, index) {
    const met = meetings.of(OUT, index);
    const x = (one) => (meetings.inside(one[IN]) ? figure(data.input, one[IN]) : padding(data));
    const value = figure(data.output, index, "value");
    if (data.winners) return this.say(...equation(named("y", index), [piece(math("mtext", {}, "max of")), ...listing(met, x), piece(infix("="), value)]));
    const term = data.weight ? (one) => math("mrow", {}, x(one), operator("·"), figure(data.weight, one[WEIGHT])) : x;
    const mean = data.weight ? [] : [piece(math("mtext", {}, `all divided by ${data.share}`))];
    return this.say(...equation(named("y", index), [...added(met, term), ...mean, piece(infix("="), value)]),
      hint(this.readAt(met, meetings)));
  }

  readAt(met, meetings) {
    const within = met.filter((one) => meetings.inside(one[IN])).length;
    if (!within) return "no element of x reaches this one";
    const outside = met.length - within;
    return `reads ${count(within, "element")} of x${outside ? `, and ${count(outside, "cell")} outside of it` : ""}`;
  }

  inputRead(data, meetings, index) {
    const inside = meetings.inside(index);
    const readers = meetings.of(IN, index).length;
    this.say(...equation(named("x", index), [piece(inside ? figure(data.input, index, "value") : padding(data))]),
      hint(`${inside ? "is" : "outside the input: is"} read by ${count(readers, "element")} of y${data.weight && readers > 1 ? ", each time through another weight" : ""}`));
  }

  weightUsed(data, meetings, index) {
    this.say(...equation(named("w", index), [piece(figure(data.weight, index, "value"))]),
      hint(`joins ${count(meetings.of(WEIGHT, index).length, "pair")} of an element of x and one of y; drag it, or type`));
  }

  upstream(data, meetings, index) {
    const met = meetings.back(OUT, index);
    const goes = (role) => new Set(met.map((one) => one[role].join())).size;
    this.say(...equation(derivative("y", index), [piece(figure(data.upstream, index, "gradient"))]),
      hint(`comes back to y, and goes into ${count(goes(IN), "element")} of ∂L/∂x${data.weight ? ` and ${goes(WEIGHT)} of ∂L/∂w` : ""}`));
  }

  inputGradient(data, meetings, index) {
    const term = (one) => {
      const back = figure(data.upstream, one[OUT]);
      if (data.weight) return math("mrow", {}, back, operator("·"), figure(data.weight, one[WEIGHT]));
      return data.share > 1 ? math("mrow", {}, back, operator("/"), math("mn", {}, String(data.share))) : back;
    };
    this.gradient("x", index, meetings.back(IN, index), term, data.input_gradient, data.winners ? "came back to elements that took this one" : "came back to elements that read it");
  }

  weightGradient(data, meetings, index) {
    const term = (one) => math("mrow", {}, figure(data.upstream, one[OUT]), operator("·"), figure(data.input, one[IN]));
    this.gradient("w", index, meetings.back(WEIGHT, index), term, data.weight_gradient, "came back, each times the element of x it met here");
  }

  gradient(name, index, met, term, total, said) {
    const terms = met.length ? [...added(met, term), piece(infix("="), figure(total, index, "gradient"))] : [piece(figure(total, index, "gradient"))];
    this.say(...equation(derivative(name, index), terms), hint(met.length ? `the sum of ${count(met.length, "gradient")} that ${said}` : "nothing comes back to it"));
  }
}

const derivative = (name, index) => math("mfrac", {}, math("mi", {}, "∂L"), math("mrow", {}, math("mi", {}, `∂${name}`), bracketed(index)));
const padding = (data) => math("mn", { class: "padding" }, outsideOf(data));
const outsideOf = ({ winners }) => (winners ? "−∞" : "0");
