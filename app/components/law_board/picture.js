// Around the example: how far the sides are apart, over a line or a plane of inputs that are numbers of the format.

const MOST_BITS = 24; // log2 of the difference at which the colour is full
const PAD = { left: 86, right: 12, top: 10, bottom: 40 };

const depth = (apart) => (apart <= 0 ? 0 : 0.25 + 0.75 * Math.min(Math.log2(apart + 1) / MOST_BITS, 1));

class Picture {
  constructor(zoomed) {
    this.canvas = html("canvas", { role: "img", tabindex: 0, onpointermove: (event) => this.point(event), onpointerleave: () => this.say(), onkeydown: (event) => this.key(event) });
    this.caption = html("p", { class: "caption", "aria-live": "polite" });
    this.zoomed = zoomed;
    const button = (name, label, by) => iconButton(name, label, () => this.zoom(by));
    this.legend = html("div", { class: "legend" });
    this.title = html("h3", {});
    this.element = html("section", { class: "picture" }, html("header", {}, this.title, html("span", { class: "zoom" }, button("zoomOut", "wider", 1), button("zoomIn", "closer", -1))), this.canvas, this.legend, this.caption);
    this.sizes = new ResizeObserver(() => this.paint());
    this.sizes.observe(this.canvas);
  }

  update({ picture }, root) {
    this.element.hidden = !picture;
    if (!picture) return;
    Object.assign(this, { data: picture, root });
    const inputs = picture.down ? `${picture.across} and ${picture.down}` : picture.across;
    this.title.textContent = picture.is_example ? `Around this example: ${inputs}` : `Around 1: ${inputs}`;
    this.canvas.setAttribute("aria-label", `difference of the two sides over ${inputs}`);
    const swatch = (name, text) => html("span", {}, html("i", { class: name }), text);
    this.legend.replaceChildren(swatch("same", "equal"), html("span", {}, html("i", { class: "ramp" }), "1 to 2²⁴ ulp apart"), swatch("far", "infinity or NaN"), swatch("none", "no such numbers"));
    this.paint();
    this.say();
  }

  zoom(by) { this.zoomed(clamp(this.data.zoom + by, -30, 12)); }

  key(event) {
    const by = { "+": -1, "-": 1, "=": -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    this.zoom(by);
  }

  colours() {
    const style = getComputedStyle(this.root);
    const named = (name) => rgb(style.getPropertyValue(`--${name}`));
    return { same: named("surface"), low: named("current"), high: named("error"), far: named("tangent"), text: style.getPropertyValue("--muted"), line: style.getPropertyValue("--text"), mark: style.getPropertyValue("--accent") };
  }

  paint() {
    if (!this.data || !this.canvas.clientWidth) return;
    const { xs, ys, apart, down } = this.data;
    const ratio = devicePixelRatio || 1;
    const [width, height] = [this.canvas.clientWidth, this.canvas.clientHeight];
    Object.assign(this.canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    const context = this.canvas.getContext("2d");
    context.scale(ratio, ratio);
    this.area = { left: PAD.left, top: PAD.top, width: width - PAD.left - PAD.right, height: height - PAD.top - PAD.bottom };
    this.edges = { x: edges(xs, this.area.left, this.area.width), y: edges(ys, this.area.top + this.area.height, -this.area.height) };
    const colours = this.colours();
    if (down) this.plane(context, apart, colours);
    else this.line(context, apart[0], colours);
    this.axes(context, colours);
    this.cross(context, colours);
  }

  colour(value, colours) {
    if (value === "Infinity") return colours.far;
    return value === 0 ? colours.same : mixed(colours.low, colours.high, (depth(value) - 0.25) / 0.75);
  }

  plane(context, apart, colours) {
    const { x, y } = this.edges;
    apart.forEach((row, j) => row.forEach((value, i) => {
      if (value === "") return;
      context.fillStyle = `rgb(${this.colour(value, colours).map(Math.round).join(" ")})`;
      context.fillRect(x[i], y[j + 1], Math.max(x[i + 1] - x[i], 1), Math.max(y[j] - y[j + 1], 1));
    }));
  }

  line(context, apart, colours) {
    const { area, edges: { x } } = this;
    apart.forEach((value, i) => {
      if (value === "") return;
      const tall = value === "Infinity" ? 1 : depth(value);
      context.fillStyle = `rgb(${this.colour(value, colours).map(Math.round).join(" ")})`;
      context.fillRect(x[i], area.top + area.height * (1 - Math.max(tall, 0.02)), Math.max(x[i + 1] - x[i], 1), area.height * Math.max(tall, 0.02));
    });
  }

  axes(context, { text, line }) {
    const { area, data: { xs, ys, across, down } } = this;
    context.strokeStyle = text;
    context.lineWidth = 1;
    context.strokeRect(area.left, area.top, area.width, area.height);
    context.fillStyle = text;
    context.font = `500 11.5px ${getComputedStyle(this.root).fontFamily}`;
    const places = (values) => (values.length > 2 ? [0, (values.length - 1) >> 1, values.length - 1] : values.map((_, k) => k));
    context.textBaseline = "top";
    for (const k of places(xs)) {
      const share = xs.length > 1 ? k / (xs.length - 1) : 0.5;
      context.textAlign = share < 0.1 ? "left" : share > 0.9 ? "right" : "center";
      context.fillText(format(Number(xs[k]), 4), area.left + share * area.width, area.top + area.height + 5);
    }
    context.textAlign = "right";
    context.textBaseline = "middle";
    if (down) for (const k of places(ys)) context.fillText(format(Number(ys[k]), 4), area.left - 7, clamp((this.edges.y[k] + this.edges.y[k + 1]) / 2, area.top + 6, area.top + area.height - 6));
    context.fillStyle = line;
    context.font = `italic 600 12.5px ${getComputedStyle(this.root).fontFamily}`;
    context.textAlign = "center";
    context.fillText(across, area.left + area.width / 2, area.top + area.height + 30);
    if (!down) return;
    context.save();
    context.translate(11, area.top + area.height / 2);
    context.rotate(-Math.PI / 2);
    context.fillText(down, 0, 0);
    context.restore();
  }

  // Where the example is.
  cross(context, { mark }) {
    const { data: { xs, ys, middle, down, is_example: shown }, area } = this;
    if (!shown) return;
    const at = (values, value) => values.reduce((best, each, k) => (Math.abs(Number(each) - Number(value)) < Math.abs(Number(values[best]) - Number(value)) ? k : best), 0);
    const centre = (bounds, k) => (bounds[k] + bounds[k + 1]) / 2;
    const x = centre(this.edges.x, at(xs, middle[0]));
    const y = down ? centre(this.edges.y, at(ys, middle[1])) : area.top + area.height - 6;
    context.strokeStyle = mark;
    context.lineWidth = 2.5;
    context.beginPath();
    context.arc(x, y, 7, 0, 2 * Math.PI);
    context.stroke();
  }

  point(event) {
    const box = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const within = (bounds, place) => bounds.findIndex((bound, k) => k + 1 < bounds.length && Math.min(bound, bounds[k + 1]) <= place && place <= Math.max(bound, bounds[k + 1]));
    const i = within(this.edges.x, x);
    const j = this.data.down ? within(this.edges.y, y) : 0;
    this.say(i, j);
  }

  say(i = -1, j = -1) {
    const { across, down, xs, ys, apart, fixed, is_example: shown } = this.data;
    const others = fixed.length ? `; ${fixed.slice(0, 5).join(", ")}${fixed.length > 5 ? " …" : ""}` : "";
    if (i < 0 || j < 0) {
      this.caption.textContent = `${shown ? "The ring is the example. " : ""}Point at a place for its numbers${others ? others.replace("; ", ". Held: ") : ""}.`;
      return;
    }
    const value = apart[j][i];
    const said = value === "" ? "the law says nothing here" : value === "Infinity" ? "an infinity or NaN on one side" : value === 0 ? "the sides are equal" : `${format(value, 6)} ulp apart`;
    this.caption.textContent = `${across} = ${format(Number(xs[i]), 9)}${down ? `, ${down} = ${format(Number(ys[j]), 9)}` : ""}: ${said}${others}`;
  }
}

// The borders between numbers that lie evenly in view, from one end of an axis to the other, at whole pixels.
function edges(values, start, length) {
  return Array.from({ length: values.length + 1 }, (_, k) => Math.round(start + (k / values.length) * length));
}
