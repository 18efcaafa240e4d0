// One plotting area: its frame, axes and clipped inside, and where on it a pointer is.

const EDGE = { left: 48, right: 16, top: 12, bottom: 46 };
let plots = 0;

class Scale {
  constructor([low, high], [from, to]) {
    Object.assign(this, { low, high, from, to });
  }

  at(value) { return this.from + ((value - this.low) / (this.high - this.low)) * (this.to - this.from); }
  invert(position) { return this.low + ((position - this.from) / (this.to - this.from)) * (this.high - this.low); }
  holds(value) { return value >= this.low && value <= this.high; }
}

// Round numbers between two bounds, about `count` of them.
function ticks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= rough) * power;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}

// Whole decades, thinned out to about `count`, as exponents.
function decades(low, high, count) {
  const step = [1, 2, 4, 8].find((every) => (high - low) / every <= count) ?? 8;
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, index) => (first + index) * step);
}

// A power of ten as a label: the exponent small and raised.
const powerOfTen = (exponent) => ["10", svg("tspan", { dy: "-.45em", class: "exponent" }, format(exponent))];

class Plot {
  // `events.grip(point)` says what a press there moves: a function of (point, final), or nothing.
  constructor(label, events) {
    this.events = events;
    const clip = `inside-${plots += 1}`;
    this.area = svg("rect");
    this.grid = svg("g", { class: "grid", "aria-hidden": "true" });
    this.inside = svg("g", { "clip-path": `url(#${clip})` });
    this.over = svg("g");
    this.svg = svg("svg", { class: "plot", role: "group", "aria-label": label, onpointerdown: (event) => this.press(event),
      onpointermove: (event) => this.move(event), onpointerup: (event) => this.release(event),
      onpointercancel: (event) => this.release(event), onpointerleave: () => this.events.hover(null) },
      svg("defs", {}, svg("clipPath", { id: clip }, this.area)), this.grid, this.inside, this.over);
  }

  get busy() { return Boolean(this.moves); }

  measure() {
    const { clientWidth, clientHeight } = this.svg;
    this.width = Math.max(clientWidth, 120);
    this.height = Math.max(clientHeight, 120);
    this.right = this.width - EDGE.right;
    this.bottom = this.height - EDGE.bottom;
    for (const [name, value] of Object.entries({ x: EDGE.left, y: EDGE.top, width: this.right - EDGE.left, height: this.bottom - EDGE.top })) {
      this.area.setAttribute(name, value);
    }
  }

  setScales(horizontal, vertical) {
    this.x = new Scale(horizontal, [EDGE.left, this.right]);
    this.y = new Scale(vertical, [this.bottom, EDGE.top]);
  }

  // Grid lines and labels; `zero` draws the lines through the origin stronger.
  paintAxes(across, down, { print = format, names, zero }) {
    const line = (x1, y1, x2, y2, strong) => svg("line", { x1, y1, x2, y2, class: strong ? "strong" : undefined });
    const text = (x, y, className, ...content) => svg("text", { x, y, class: className }, ...content);
    this.grid.replaceChildren(
      ...across.map((value) => line(this.x.at(value), EDGE.top, this.x.at(value), this.bottom, zero && value === 0)),
      ...down.map((value) => line(EDGE.left, this.y.at(value), this.right, this.y.at(value), zero && value === 0)),
      ...across.map((value) => text(this.x.at(value), this.bottom + 16, "across", ...[print(value)].flat())),
      ...down.map((value) => text(EDGE.left - 7, this.y.at(value) + 4, "down", ...[print(value)].flat())),
      text(this.right, this.height - 6, "axis-name across-end", names[0]));
  }

  // A curve through these samples; it breaks where a value is not finite, and where it leaps over the whole plot.
  path(xs, ys) {
    let text = "";
    let before;
    xs.forEach((x, index) => {
      const y = ys[index];
      if (!Number.isFinite(y)) { before = undefined; return; }
      const leaps = before !== undefined && !this.y.holds(before) && !this.y.holds(y) && (before > this.y.high) !== (y > this.y.high);
      const [left, top] = [this.x.at(x), clamp(this.y.at(y), -2 * this.height, 3 * this.height)];
      text += `${before === undefined || leaps ? "M" : "L"}${left.toFixed(2)} ${top.toFixed(2)}`;
      before = y;
    });
    return text;
  }

  point(event) {
    const box = this.svg.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  press(event) {
    if (event.button) return;
    const point = this.point(event);
    this.moves = this.events.grip(point, event.pointerType === "touch" ? 26 : 16);
    this.last = point;
    this.svg.setPointerCapture(event.pointerId);
    this.svg.classList.add("dragging");
    this.moves(point, false);
    event.preventDefault();
  }

  move(event) {
    const point = this.point(event);
    if (!this.moves) return this.events.hover(event.pointerType === "touch" ? null : point);
    this.last = point;
    this.moves(point, false);
  }

  release() {
    const { moves, last } = this;
    this.moves = undefined;
    this.svg.classList.remove("dragging");
    moves?.(last, true);
  }
}

const move = (element, x, y) => {
  element.toggleAttribute("hidden", !Number.isFinite(x) || !Number.isFinite(y));
  if (!element.hasAttribute("hidden")) element.setAttribute("transform", `translate(${x.toFixed(2)} ${y.toFixed(2)})`);
};

function setLine(element, x1, y1, x2, y2) {
  const known = [x1, y1, x2, y2].every(Number.isFinite);
  element.toggleAttribute("hidden", !known);
  if (known) Object.entries({ x1, y1, x2, y2 }).forEach(([name, value]) => element.setAttribute(name, value.toFixed(2)));
}

// The label on an axis that is also a slider for the keyboard: a rounded box that follows its number.
class Grip {
  constructor(label, className, keys) {
    this.box = svg("rect", { rx: 6, height: 22, y: -11 });
    this.text = svg("text", { y: 4.5 });
    this.element = svg("g", { class: `grip ${className}`, tabindex: 0, role: "slider", "aria-label": label,
      onkeydown: (event) => { if (!event.ctrlKey && !event.metaKey && keys(event)) { event.preventDefault(); event.stopPropagation(); } } }, this.box, this.text);
  }

  paint(plot, centre, text, number, [low, high]) {
    this.text.textContent = text;
    const half = text.length * 3.9 + 9;
    this.box.setAttribute("x", -half);
    this.box.setAttribute("width", 2 * half);
    const x = clamp(centre, EDGE.left + half - 8, plot.right - half + 8);
    this.element.setAttribute("transform", `translate(${x.toFixed(2)} ${plot.bottom + 13})`);
    for (const [name, value] of Object.entries({ valuenow: number, valuemin: low, valuemax: high, valuetext: text })) {
      this.element.setAttribute(`aria-${name}`, value);
    }
  }
}

// Buttons that show and hide the parts of a plot; `hidden` is the set of those hidden.
function legend(entries, hidden, changed) {
  const button = ({ key, name, mark }) => html("button", { type: "button", class: "entry", "data-part": key, "aria-pressed": String(!hidden.has(key)),
    onclick: (event) => {
      if (!hidden.delete(key)) hidden.add(key);
      event.currentTarget.setAttribute("aria-pressed", String(!hidden.has(key)));
      changed();
    } }, html("i", { class: `mark ${mark ?? key}`, "aria-hidden": "true" }), name);
  return html("div", { class: "entries", role: "group", "aria-label": "show or hide" }, ...entries.map(button));
}
