// The large picture: what a unit (usually the output) gives in every place, under the points.

const EDGE = 300; // pixels

class OutputPicture {
  constructor(drawn) {
    this.drawn = drawn;
    this.map = html("canvas", { class: "map", width: 1, height: 1, role: "img", "aria-label": "what the net gives in every place" });
    this.dots = svg("svg", { class: "dots", viewBox: "0 0 1000 1000", "aria-hidden": "true" });
    this.told = html("span", { class: "told" });
    this.title = html("b", {}, "Output");
    this.showTest = html("input", { type: "checkbox", onchange: () => this.place() });
    this.discrete = html("input", { type: "checkbox", onchange: () => this.repaint?.() });
    this.square = html("div", { class: "square" }, this.map, this.dots);
    this.bar = html("div", { class: "bar", "aria-hidden": "true" }, html("span", {}, "−1"), html("i"), html("span", {}, "1"));
    this.element = html("section", { class: "picture", "aria-label": "output" }, html("header", {}, this.title, this.told), this.square, this.bar,
      html("div", { class: "switches" }, html("label", {}, this.showTest, "test points"), html("label", {}, this.discrete, "two tones only")));
    this.square.addEventListener("click", (event) => this.click(event));
  }

  build({ train, test, reach }) {
    const key = JSON.stringify([train, test, reach]);
    if (key === this.key) return;
    Object.assign(this, { key, train, test, reach });
    this.place();
  }

  place() {
    const [low, high] = this.reach;
    const at = (value) => ((value - low) / (high - low)) * 1000;
    const dot = (x, y, target, test) => svg("circle", { cx: at(x).toFixed(1), cy: (1000 - at(y)).toFixed(1), r: 11, class: test ? "test" : "train", fill: `color-mix(in srgb, var(${target < 0 ? "--negative" : "--positive"}) ${Math.round(Math.abs(target) * 100)}%, var(--zero))` });
    const of = (points, test) => points.map(([x, y, target]) => dot(x, y, target, test));
    this.dots.replaceChildren(...of(this.train, false), ...(this.showTest.checked ? of(this.test, true) : []));
  }

  draw(values, size, scale, title) {
    this.repaint = () => this.draw(values, size, scale, title);
    this.title.textContent = title;
    scale.paint(this.map, values, size, this.discrete.checked);
  }

  click(event) {
    const box = this.square.getBoundingClientRect();
    const [low, high] = this.reach;
    const place = (share) => Number((low + share * (high - low)).toPrecision(3));
    this.drawn?.(place((event.clientX - box.left) / box.width), place(1 - (event.clientY - box.top) / box.height), event.shiftKey ? 1 : 0);
  }
}
