// What stands for each person: a Hinton diagram for each of the 6 units, the English above, the Italians below.
// The area of a square is the size of the weight from that person to that unit.

const LARGEST = 22; // pixels of the edge of the largest square

class People {
  constructor(look) {
    this.look = look;
    this.rows = html("div", { class: "codes" });
    this.element = html("section", { class: "panel people", "aria-label": "what stands for each person" },
      html("h4", {}, "What stands for each person", html("small", {}, "weights to each of 6 units; above the English, below the Italians in the same places. Press one to ask about them")), this.rows);
  }

  build({ people, traits }) {
    if (this.units) return;
    this.people = people;
    const half = people.length / 2;
    this.units = Array.from({ length: 6 }, (_, unit) => {
      const squares = people.map((name) => html("i"));
      const cells = people.map((name, k) => html("button", { type: "button", class: "cell", title: name, "data-person": name, onclick: () => this.look({ person: name }) }, squares[k]));
      const bars = traits.map((trait) => ({ trait, fill: html("i"), value: html("span") }));
      const told = html("div", { class: "traits" }, ...bars.map(({ trait, fill, value }) => html("div", {}, html("small", {}, trait), html("div", { class: "track" }, fill), value)));
      this.rows.append(html("div", { class: "code" }, html("b", {}, unit + 1), html("div", { class: "diagram", role: "img", style: `--people: ${half}` }, ...cells), told));
      return { squares, cells, bars };
    });
    const initials = people.slice(0, half).map((name, k) => html("span", {}, name, html("br"), people[k + half]));
    this.rows.prepend(html("div", { class: "code names", "aria-hidden": "true" }, html("b"), html("div", { class: "diagram", style: `--people: ${half}` }, ...initials), html("small", {}, "share of the unit's variance that lies between groups of")));
  }

  paint(shape, parts, scale) {
    const { weight, units, inputs } = shape.linears[0];
    const weights = parts.parameters.subarray(weight, weight + units * inputs);
    const reach = Math.max(...weights.map(Math.abs), 1e-6);
    this.units.forEach(({ squares, cells, bars }, unit) => {
      squares.forEach((square, person) => {
        const now = weights[unit * inputs + person];
        const edge = `${(LARGEST * Math.sqrt(Math.abs(now) / reach)).toFixed(1)}px`;
        Object.assign(square.style, { width: edge, height: edge, background: scale.css(now) });
        cells[person].classList.toggle("chosen", this.people[person] === shape.question[0]);
        cells[person].title = `${this.people[person]} to unit ${unit + 1}: ${format(now, 3)}`;
      });
      bars.forEach(({ fill, value }, k) => {
        const share = parts.told[unit * bars.length + k];
        fill.style.width = `${Math.round(100 * (share || 0))}%`;
        value.textContent = Number.isNaN(share) ? "–" : `${Math.round(100 * share)} %`;
      });
    });
  }
}
