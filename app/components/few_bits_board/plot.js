// One picture over the epochs: a line for each lane, with a band between the quartiles of its seeds.

const MARGIN = { left: 40, right: 10, top: 8, bottom: 20 };
const DASHES = { nearest: [], stochastic: [5, 3], zero: [1.5, 2.5] };
const NEAR = 14; // pixels within which the pointer finds a line

class LanePlot {
  // `scrub(epoch, final)` hears where the visitor wants to be, `look(lane)` which line the pointer is at.
  constructor({ name, figure, logarithmic, write }, scrub, look) {
    Object.assign(this, { name, figure, logarithmic, write, scrub, look });
    this.canvas = html("canvas", { role: "slider", tabindex: 0, "aria-label": `${name}: moment of the run`, "aria-valuemin": 0 });
    this.element = html("figure", { class: "lane-plot" }, html("figcaption", {}, name), this.canvas);
    this.canvas.addEventListener("pointerdown", (event) => { this.canvas.setPointerCapture(event.pointerId); this.held = true; this.seek(event, false); });
    this.canvas.addEventListener("pointermove", (event) => (this.held ? this.seek(event, false) : this.look(this.nearest(event))));
    this.canvas.addEventListener("pointerup", (event) => { if (this.held) this.seek(event, true); this.held = false; });
    this.canvas.addEventListener("pointercancel", () => { this.held = false; });
    this.canvas.addEventListener("pointerleave", () => this.look(undefined));
    new ResizeObserver(() => this.paint()).observe(this.canvas);
  }

  get width() { return this.canvas.clientWidth - MARGIN.left - MARGIN.right; }
  get height() { return this.canvas.clientHeight - MARGIN.top - MARGIN.bottom; }

  seek(event, final) {
    const share = clamp((event.clientX - this.canvas.getBoundingClientRect().left - MARGIN.left) / this.width, 0, 1);
    if (this.frames?.length) this.scrub(Math.round(share * this.last), final);
  }

  // The lane whose line is nearest to the pointer; undefined where none is near.
  nearest(event) {
    if (!this.frames?.length) return undefined;
    const box = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const frame = this.frames.reduce((best, other) => (Math.abs(this.x(other) - x) < Math.abs(this.x(best) - x) ? other : best));
    const distances = lanesOf(frame).map((lane) => Math.abs(this.y(lane[this.figure][MEDIAN]) - y));
    const lane = distances.indexOf(Math.min(...distances.filter(Number.isFinite)));
    return distances[lane] < NEAR ? lane : undefined;
  }

  draw(frames, shown, styles, looked) {
    Object.assign(this, { frames, shown, styles, looked });
    const { epoch, used } = frames.at(-1) ?? shown;
    this.last = Math.max(epoch + used / this.samples, 1); // in epochs
    this.canvas.setAttribute("aria-valuenow", shown.epoch);
    this.canvas.setAttribute("aria-valuemax", Math.ceil(this.last));
    this.canvas.setAttribute("aria-valuetext", `epoch ${shown.epoch}`);
    this.paint();
  }

  x({ epoch, used }) { return MARGIN.left + ((epoch + used / this.samples) / this.last) * this.width; }

  y(value) {
    const share = this.logarithmic ? Math.log(value / this.low) / Math.log(this.high / this.low) : (value - this.low) / (this.high - this.low);
    return MARGIN.top + (1 - clamp(share, 0, 1)) * this.height;
  }

  paint() {
    if (!this.frames?.length || !this.canvas.clientWidth) return;
    const { canvas, frames } = this;
    const ratio = devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) Object.assign(canvas, { width: width * ratio, height: height * ratio });
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    this.css = getComputedStyle(canvas);
    this.setScale();
    this.paintAxes(context);
    const count = lanesOf(frames[0]).length;
    const order = [...Array(count).keys()].sort((a, b) => (a === this.looked) - (b === this.looked));
    for (const lane of order) this.paintLane(context, lane);
    this.paintLine(context, [[this.x(this.shown), MARGIN.top], [this.x(this.shown), MARGIN.top + this.height]], "--muted", 1);
  }

  setScale() {
    if (!this.logarithmic) {
      [this.low, this.high] = [0, 1];
      return;
    }
    const values = this.frames.flatMap((frame) => lanesOf(frame).map((lane) => lane[this.figure][MEDIAN])).filter((value) => Number.isFinite(value) && value > 0);
    this.low = Math.max(Math.min(...values, 1) / 1.15, 1e-4);
    this.high = clamp(Math.max(...values, 2) * 1.15, 2.5, 100);
  }

  ticks() {
    if (!this.logarithmic) return [0, 0.25, 0.5, 0.75, 1];
    return [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100].filter((value) => value >= this.low && value <= this.high);
  }

  paintAxes(context) {
    context.font = `11px ${this.css.fontFamily}`;
    context.fillStyle = this.css.getPropertyValue("--muted");
    context.textAlign = "right";
    for (const tick of this.ticks()) {
      this.paintLine(context, [[MARGIN.left, this.y(tick)], [MARGIN.left + this.width, this.y(tick)]], "--border", 1);
      context.fillText(this.write(tick), MARGIN.left - 6, this.y(tick) + 4);
    }
    const step = [1, 2, 5, 10, 20, 50, 100, 200].find((size) => this.last / size <= 8) ?? 500;
    context.textAlign = "center";
    for (let epoch = 0; epoch <= this.last; epoch += step) context.fillText(epoch, this.x({ epoch, used: 0 }), MARGIN.top + this.height + 15);
  }

  paintLane(context, lane) {
    const { figure, frames } = this;
    const { hue, rounding } = this.styles[lane];
    const faded = this.looked !== undefined && this.looked !== lane;
    const values = (frame, quartile) => lanesOf(frame)[lane]?.[figure][quartile];
    // what is not computed leaves a gap; what is infinite runs along the upper edge
    const points = (quartile) => frames.filter((frame) => !Number.isNaN(values(frame, quartile) ?? NaN)).map((frame) => [this.x(frame), this.y(values(frame, quartile))]);
    if (this.banded) {
      context.globalAlpha = faded ? 0.04 : 0.16;
      context.fillStyle = this.css.getPropertyValue(`--${hue}`);
      context.beginPath();
      for (const [x, y] of [...points(LOWER), ...points(UPPER).reverse()]) context.lineTo(x, y);
      context.fill();
    }
    context.globalAlpha = faded ? 0.25 : 1;
    context.setLineDash(DASHES[rounding]);
    const line = points(MEDIAN);
    if (line.length === 1) line.push([line[0][0] + 3, line[0][1]]); // a run that has not begun is seen as a dash
    this.paintLine(context, line, `--${hue}`, this.looked === lane ? 2.8 : 1.8);
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  paintLine(context, points, colour, width) {
    context.strokeStyle = this.css.getPropertyValue(colour);
    context.lineWidth = width;
    context.beginPath();
    for (const [x, y] of points) context.lineTo(x, y);
    context.stroke();
  }
}
