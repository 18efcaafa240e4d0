// The large picture: what a unit (usually the output) gives in every place, under the points.

const NEAR = 0.28; // in the units of the plane: closer than this, a press takes a point away, a stroke adds none

class OutputPicture {
  // `change(points)` hears the own points when they were changed.
  constructor(change) {
    this.change = change;
    this.map = html("canvas", { class: "map", width: 1, height: 1, role: "img", "aria-label": "what the net gives in every place" });
    this.dots = svg("svg", { class: "dots", viewBox: "0 0 1000 1000", "aria-hidden": "true" });
    this.title = html("b", {}, "Output");
    this.showTest = html("input", { type: "checkbox", onchange: () => this.place() });
    this.discrete = html("input", { type: "checkbox", onchange: () => this.repaint?.() });
    this.square = html("div", { class: "square" }, this.map, this.dots);
    this.bar = html("div", { class: "bar", "aria-hidden": "true" }, html("span", {}, "−1"), html("i"), html("span", {}, "1"));
    this.brush = html("div", { class: "brush", role: "radiogroup", "aria-label": "class of the points that you draw" }, html("span", {}, "Draw"),
      ...[0, 1].map((label) => html("button", { type: "button", role: "radio", class: label ? "one" : "zero", "aria-checked": String(label === 1), onclick: () => this.choose(label) }, `class ${label}`)),
      html("small", {}, "press a point to take it away"));
    this.element = html("section", { class: "picture", "aria-label": "output" }, html("header", {}, this.title), this.square, this.bar,
      html("div", { class: "switches" }, html("label", {}, this.showTest, "test points"), html("label", {}, this.discrete, "two tones only")), this.brush);
    this.label = 1;
    this.square.addEventListener("pointerdown", (event) => this.press(event));
    this.square.addEventListener("pointermove", (event) => this.stroke(event));
    for (const name of ["pointerup", "pointercancel"]) this.square.addEventListener(name, () => this.lift());
  }

  build({ train, test, reach, own, most_own: mostOwn }) {
    const key = JSON.stringify([train, test, reach, own]);
    if (key === this.key) return;
    Object.assign(this, { key, train, test, reach, mostOwn });
    this.own = own && own.map((point) => [...point]);
    this.brush.hidden = !own;
    this.square.classList.toggle("drawable", Boolean(own));
    this.place();
  }

  choose(label) {
    this.label = label;
    this.brush.querySelectorAll("button").forEach((button, k) => button.setAttribute("aria-checked", String(k === label)));
  }

  place() {
    const [low, high] = this.reach;
    const at = (value) => ((value - low) / (high - low)) * 1000;
    const dot = ([x, y, target], kind) => svg("circle", { cx: at(x).toFixed(1), cy: (1000 - at(y)).toFixed(1), r: 12, class: kind, fill: `color-mix(in srgb, var(${target < 0 ? "--negative" : "--positive"}) ${Math.round(Math.abs(target) * 100)}%, var(--zero))` });
    const drawn = this.own?.map(([x, y, label]) => dot([x, y, label ? 1 : -1], "own"));
    this.dots.replaceChildren(...(drawn ?? this.train.map((point) => dot(point, "train"))), ...(this.showTest.checked ? this.test.map((point) => dot(point, "test")) : []));
    this.mark(this.marked);
  }

  // A ring round the sample that is looked at, thinner ones round those before it in the batch.
  mark(sample) {
    this.marked = sample;
    this.dots.querySelectorAll(".ring").forEach((ring) => ring.remove());
    const [low, high] = this.reach;
    const at = (value) => ((value - low) / (high - low)) * 1000;
    this.dots.append(...(sample?.rows ?? []).map((row, k, { length }) => {
      const [x, y] = this.train[row];
      return svg("circle", { cx: at(x).toFixed(1), cy: (1000 - at(y)).toFixed(1), r: k === length - 1 ? 30 : 18, class: k === length - 1 ? "ring latest" : "ring" });
    }));
  }

  draw(values, size, scale, title) {
    this.repaint = () => this.draw(values, size, scale, title);
    this.title.textContent = title;
    scale.paint(this.map, values, size, this.discrete.checked);
  }

  // ---- own points

  at(event) {
    const box = this.square.getBoundingClientRect();
    const [low, high] = this.reach;
    const place = (share) => Number((low + clamp(share, 0, 1) * (high - low)).toFixed(2));
    return [place((event.clientX - box.left) / box.width), place(1 - (event.clientY - box.top) / box.height)];
  }

  near([x, y]) { return this.own.findIndex(([a, b]) => Math.hypot(a - x, b - y) < NEAR); }

  press(event) {
    if (!this.own || event.button) return;
    this.square.setPointerCapture(event.pointerId);
    const place = this.at(event);
    const found = this.near(place);
    if (found >= 0) this.own.splice(found, 1);
    else this.add(place);
    this.drawing = { adds: found < 0 };
    this.place();
  }

  stroke(event) {
    if (!this.drawing?.adds) return;
    const place = this.at(event);
    if (this.near(place) >= 0) return;
    this.add(place);
    this.place();
  }

  add(place) { if (this.own.length < this.mostOwn) this.own.push([...place, this.label]); }

  lift() {
    if (!this.drawing) return;
    this.drawing = undefined;
    this.change(this.own.map((point) => point.join(" ")).join("; "));
  }
}
