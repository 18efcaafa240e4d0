// What is looked at, written out: an element's product, an output's sum, where a value goes.

class Terms {
  constructor() { this.element = html("div", { class: "formula terms", "aria-live": "polite" }); }

  show(passage, cycle, key) {
    const [part, place] = key.split(" ");
    const index = place?.split(",").map(Number);
    const all = passage.list(key);
    const now = all.find((one) => one.cycle === cycle)?.element;
    const say = { pe: () => this.work(passage, now), y: () => this.sum(passage, all, index), x: () => this.travels("X", all, index, now), w: () => this.weight(passage, all, index) }[part];
    this.element.replaceChildren(...(say ? say() : this.cycle(passage, cycle)));
  }

  cycle(passage, cycle) {
    const working = passage.cycles[cycle].filter(({ real }) => real).length;
    const said = working ? `${working} of ${passage.rows * passage.columns} elements multiply` : "weights are loaded, nothing is multiplied";
    return [hint(`Cycle ${cycle + 1}: ${said}. Point at an element, or at a cell of X, W or Y.`)];
  }

  work(passage, element) {
    const { place, busy, real, before, activation, weight, after, i, k, j, kept } = element;
    const name = `element (${place.join(", ")})`;
    if (!busy) return [hint(`${name} idles${kept ? `; it holds ${element.holds.replace(" ", "[").replace(",", ", ").toUpperCase()}] = ${format(element.stays)}` : ""}.`)];
    const formula = equation(math("mn", { class: "value" }, format(after)), [piece(number(before), operator("+"), number(activation), operator("·"), number(weight))]);
    const [row, column] = place;
    const next = [column < passage.columns - 1 ? `X goes on to (${row}, ${column + 1})` : "X leaves", passage.keepsWeights ? (row < passage.rows - 1 ? `the sum to (${row + 1}, ${column})` : "the sum to Y") : "the sum stays"];
    const what = real ? `a product of Y[${i}, ${j}]: X[${i}, ${k}] · W[${k}, ${j}]` : "padding: outside the matrices, a product with 0";
    return [...formula, hint(`${name} does ${what}; then ${next.join(", ")}.`)];
  }

  sum(passage, all, [i, j]) {
    const term = ({ element }) => math("mrow", {}, number(element.activation), operator("·"), number(element.weight));
    const cycles = all.map(({ cycle }) => cycle + 1);
    const places = [...new Set(all.map(({ element }) => `(${element.place.join(", ")})`))];
    const total = passage.stored(passage.last).get(`${i},${j}`);
    return [...equation(named("Y", [i, j]), [...added(all, term), piece(infix("="), math("mn", { class: "value" }, format(total)))]),
      hint(`passes through ${places.length > 4 ? `${places.length} elements` : places.join(" ")} in cycles ${Math.min(...cycles)} to ${Math.max(...cycles)}`)];
  }

  travels(name, all, index, now) {
    const where = now ? `now in (${now.place.join(", ")})` : "not in the array now";
    return [piece(named(name, index)), hint(`read once for each tile across, used ${count(all.length, "time")}: one element further every cycle; ${where}.`)];
  }

  weight(passage, all, index) {
    if (!passage.keepsWeights) return this.travels("W", all, index, undefined);
    return [piece(named("W", index)), hint(`stays in (${all[0]?.element.place.join(", ")}) and is used ${count(all.length, "time")}: once for each example.`)];
  }
}
