// A small plot of a few lines: logarithmic or not, with a cursor, and hatched where there is no number any more.

const INSET = { left: 46, right: 12, top: 8, bottom: 22 };
const NAMED = 58; // room for names at the ends of lines
let hatches = 0;

class Lines {
  // `scrub(x, final)`, if given, hears where the pointer is on the horizontal axis.
  constructor(label, scrub) {
    this.scrub = scrub;
    this.svg = svg("svg", { class: `lines${scrub ? " scrubbed" : ""}`, role: "img", "aria-label": label });
    this.hatch = `hatch-${hatches += 1}`;
    new ResizeObserver(() => this.paint()).observe(this.svg);
    if (!scrub) return;
    const to = (event, final) => {
      const box = this.svg.getBoundingClientRect();
      scrub(this.x.invert(clamp(event.clientX - box.left, INSET.left, this.right)), final);
    };
    this.svg.addEventListener("pointerdown", (event) => { this.svg.setPointerCapture(event.pointerId); this.held = true; to(event, false); });
    this.svg.addEventListener("pointermove", (event) => { if (this.held) to(event, false); });
    this.svg.addEventListener("pointerup", (event) => { if (this.held) to(event, true); this.held = false; });
    this.svg.addEventListener("pointercancel", () => { this.held = false; });
  }

  // data: { x: {low, high, name, log}, y: {log, low, high}, series: [{x, y, kind, name}], level }
  draw(data) {
    this.data = data;
    this.paint();
  }

  // A line down at this place.
  point(at) {
    this.at = at;
    if (this.cursor && this.x) setLine(this.cursor, this.x.at(at), INSET.top, this.x.at(at), this.height - INSET.bottom);
  }

  place(axis, value) {
    if (value === null || value === undefined) return NaN;
    const number = Number(value);
    return axis.log ? (number > 0 ? Math.log10(number) : NaN) : number;
  }

  paint() {
    const { data, svg: picture } = this;
    if (!data || !picture.clientWidth) return;
    this.width = picture.clientWidth;
    this.height = picture.clientHeight;
    this.right = this.width - (data.series.some(({ name }) => name) ? NAMED : INSET.right);
    const shown = data.series.map((series) => ({ ...series, x: series.x.map((value) => this.place(data.x, value)), y: series.y.map((value) => this.place(data.y, value)) }));
    const [low, high] = this.range(shown.flatMap(({ y }) => y));
    const [right, bottom] = [this.right, this.height - INSET.bottom];
    this.x = new Scale([data.x.low, data.x.high], [INSET.left, right]);
    this.y = new Scale([low, high], [bottom, INSET.top]);
    this.cursor = svg("line", { class: "cursor" });
    picture.replaceChildren(this.pattern(), ...this.axes(right, bottom), ...this.lost(shown, right, bottom), ...this.level(right),
      ...shown.map((series) => svg("path", { class: `line ${series.kind}`, d: this.path(series) })), ...this.names(shown, right), this.cursor);
    if (this.at === undefined) setLine(this.cursor, NaN); else this.point(this.at);
  }

  // What is hugely off the scale of the rest does not flatten it.
  range(values) {
    const { y } = this.data;
    const known = values.filter(Number.isFinite);
    let [low, high] = known.length ? [Math.min(...known), Math.max(...known)] : [0, 1];
    low = Math.min(low, y.low ?? low);
    high = Math.max(high, y.high ?? high);
    if (y.least !== undefined) low = Math.max(low, y.least);
    if (y.most !== undefined) high = Math.min(high, y.most);
    if (high - low < 1e-9) [low, high] = [low - 0.5, high + 0.5];
    const pad = 0.04 * (high - low);
    return [low - pad, high + pad];
  }

  axes(right, bottom) {
    const { data } = this;
    const down = data.y.log ? decades(this.y.low, this.y.high, 5) : ticks(this.y.low, this.y.high, 4);
    const room = Math.max(2, Math.floor((right - INSET.left) / 90));
    const across = data.x.log ? decades(data.x.low, data.x.high, room) : ticks(data.x.low, data.x.high, room);
    const label = (axis, value) => (axis.log ? powerOfTen(value) : [format(value)]);
    return [
      ...down.map((value) => svg("line", { class: "grid", x1: INSET.left, x2: right, y1: this.y.at(value), y2: this.y.at(value) })),
      ...down.map((value) => svg("text", { class: "down", x: INSET.left - 6, y: this.y.at(value) + 4 }, ...label(data.y, value))),
      ...across.slice(0, -1).map((value) => svg("text", { class: "across", x: this.x.at(value), y: bottom + 15 }, ...label(data.x, value))),
      svg("text", { class: "axis-name", x: right, y: bottom + 15 }, `${data.x.name} `, ...label(data.x, across.at(-1)))];
  }

  path({ x, y }) {
    let pen = false;
    return x.map((across, k) => {
      if (!Number.isFinite(y[k]) || !Number.isFinite(across)) { pen = false; return ""; }
      const step = `${pen ? "L" : "M"}${this.x.at(across).toFixed(1)} ${clamp(this.y.at(y[k]), -200, this.height + 200).toFixed(1)}`;
      pen = true;
      return step;
    }).join("");
  }

  // From the first NaN of the patient's own lines on there is nothing to see.
  lost(shown, right, bottom) {
    const firsts = shown.filter(({ kind }) => kind !== "twin").flatMap(({ x, y, from }) => {
      const at = y.findIndex((value, k) => k >= (from ?? 0) && !Number.isFinite(value));
      return at < 0 || y.slice(at).some(Number.isFinite) ? [] : [x[at]];
    });
    if (!firsts.length) return [];
    const left = this.x.at(Math.min(...firsts));
    return [svg("rect", { class: "lost", x: left, y: INSET.top, width: Math.max(right - left, 0), height: bottom - INSET.top, fill: `url(#${this.hatch})` }),
      svg("text", { class: "lost-name", x: Math.min(left + 8, right - 40), y: INSET.top + 16 }, "NaN")];
  }

  pattern() {
    return svg("defs", {}, svg("pattern", { id: this.hatch, width: 7, height: 7, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, svg("line", { class: "hatch", x1: 0, y1: 0, x2: 0, y2: 7 })));
  }

  level(right) {
    const { level } = this.data;
    if (!level) return [];
    const y = this.y.at(this.place(this.data.y, level.at));
    return [svg("line", { class: "level", x1: INSET.left, x2: right, y1: y, y2: y }), svg("text", { class: "level-name", x: INSET.left + 6, y: y - 5 }, level.name)];
  }

  // Names at the end of the lines that have one, pushed apart.
  names(shown, right) {
    const ends = shown.filter(({ name }) => name).map(({ name, kind, y }) => ({ name, kind, at: this.y.at(y.findLast(Number.isFinite) ?? NaN) })).filter(({ at }) => Number.isFinite(at)).sort((a, b) => a.at - b.at);
    ends.forEach((end, k) => { end.at = Math.max(clamp(end.at, INSET.top + 8, this.height - INSET.bottom - 4), k ? ends[k - 1].at + 15 : 0); });
    return ends.map(({ name, kind, at }) => svg("text", { class: `end ${kind}`, x: right + 5, y: at + 4 }, name));
  }
}
