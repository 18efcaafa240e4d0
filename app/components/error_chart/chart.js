// The chart: axes, series, legend, the figures under the pointer, and a marker that Python is told about.

const WIDE = 620; // pixels from which names stand at the ends of the lines
const STEPS = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageDown: 1, PageUp: -1 };

class Chart {
  constructor(root) {
    this.root = root;
    this.hidden = new Set();
    this.channel = new ChangeChannel((change) => this.send("change", change));
    this.plot = new Plot("errors", { grip: () => ([x], final) => this.moveTo(this.plot.x.invert(x), final), hover: (point) => this.hover(point) });
    this.layer = svg("g", { class: "layer" });
    this.cursor = svg("line", { class: "cursor" });
    this.guide = svg("line", { class: "guide" });
    this.labels = svg("g", { class: "end-labels", "aria-hidden": "true" });
    this.grip = new Grip("marker", "marker", (event) => this.key(event));
    this.plot.inside.append(this.cursor, this.layer, this.guide);
    this.plot.over.append(this.labels, this.grip.element);
    this.name = html("p", { class: "name" });
    this.legends = html("div", { class: "legends" });
    this.caption = html("p", { class: "caption" });
    this.live = html("p", { class: "hidden", "aria-live": "polite" });
    const veil = html("p", { class: "veil" }, "Commit to a prediction above, or skip it, to see the answer.");
    root.replaceChildren(html("section", { class: "chart" }, this.name, this.legends, this.plot.svg, this.caption, veil, this.live));
    this.sizes = new ResizeObserver(() => this.resized());
    this.sizes.observe(this.plot.svg);
    this.stopListening = listenAnywhere(root, (event, target) => !target.closest?.(USES_KEYS) && this.key(event));
  }

  get busy() { return this.channel.busy || this.plot.busy; }

  update(data, send) {
    if (data.topic !== this.data?.topic) {
      this.hidden = new Set(data.hidden);
      this.revealed = 1;
      this.started = data.marker?.x;
    }
    Object.assign(this, { data, send });
    this.root.toggleAttribute("data-veiled", data.veiled);
    this.root.toggleAttribute("data-movable", Boolean(data.marker));
    this.channel.answered();
    if (data.marker && !this.busy) this.place = data.marker.x;
    this.name.textContent = data.y.name;
    this.plot.svg.setAttribute("aria-label", `${data.y.name} over ${data.x.name}`);
    this.grip.element.setAttribute("aria-label", data.marker?.label ?? "marker");
    this.buildLegend();
    this.resized();
    if (!data.veiled) this.live.textContent = data.said;
  }

  buildLegend() {
    const { data } = this;
    const named = JSON.stringify([data.groups, data.kinds, data.topic]);
    if (named === this.named) return;
    this.named = named;
    const entry = ({ key, name, hue }) => ({ key, name, mark: hue ? `hue-${hue}` : `kind-${key}` });
    this.legends.replaceChildren(...[data.groups, data.kinds].filter((entries) => entries.length).map((entries) => legend(entries.map(entry), this.hidden, () => this.paint())));
  }

  resized() {
    if (!this.data) return;
    EDGE.right = this.plot.svg.clientWidth >= WIDE ? 104 : 16;
    EDGE.left = 56;
    this.plot.measure();
    this.paint();
  }

  get shown() {
    const { groups: all, reveals } = this.data;
    const groups = new Map(all.slice(0, reveals ? this.revealed : all.length).map((group) => [group.key, group]));
    return this.data.series.filter(({ group, kind }) => groups.has(group) && !this.hidden.has(group) && !this.hidden.has(kind))
      .map((series) => ({ ...series, group: groups.get(series.group) }));
  }

  paint() {
    const { plot, data, shown } = this;
    plot.setScales([data.x.low, data.x.high], [data.y.low, data.y.high]);
    const down = placesOn(data.y, plot.height / 40);
    plot.paintAxes(placesOn(data.x, plot.width / 60), down, { print: (value) => format(value), names: [data.x.name] });
    this.relabel();
    this.layer.replaceChildren(...shown.map((series) => draw(plot, series)));
    this.labels.replaceChildren(...(EDGE.right > 16 ? endLabels(plot, shown) : []));
    this.paintMarker();
    this.hover(null);
  }

  // The axes of the plot print plain numbers: put powers in their place, and 0 where it has a strip of its own.
  relabel() {
    const { plot, data } = this;
    for (const [axis, name] of [[data.x, "across"], [data.y, "down"]]) {
      const texts = [...plot.grid.querySelectorAll(`text.${name}`)];
      const places = placesOn(axis, (name === "across" ? plot.width / 60 : plot.height / 40));
      texts.forEach((text, index) => text.replaceChildren(...[axisLabel(axis)(places[index])].flat()));
    }
    if (data.y.zero === undefined) return;
    const y = plot.y.at(data.y.zero);
    plot.grid.append(svg("line", { x1: EDGE.left, x2: plot.right, y1: y, y2: y, class: "strong" }), svg("text", { class: "down", x: EDGE.left - 7, y: y + 4 }, "0"));
  }

  paintMarker() {
    const { plot, data: { marker } } = this;
    this.grip.element.toggleAttribute("hidden", !marker);
    if (!marker) { setLine(this.guide, NaN); return; }
    const x = plot.x.at(this.place);
    setLine(this.guide, x, EDGE.top, x, plot.bottom);
    const text = this.place === marker.x ? marker.text : `${marker.label} …`;
    this.grip.paint(plot, x, text, this.place, [marker.low, marker.high]);
  }

  moveTo(wanted, final) {
    const { marker } = this.data;
    if (!marker) return;
    const place = clamp(Number((Math.round(wanted / marker.step) * marker.step).toPrecision(12)), marker.low, marker.high);
    if (!final && place === this.place) return;
    this.place = place;
    this.paintMarker();
    const distance = Number((10 ** place).toPrecision(4));
    const value = marker.sign ? Number((marker.centre + marker.sign * distance).toPrecision(12)) : place;
    this.channel.offer({ name: marker.name, value, final });
  }

  key(event) {
    const { marker, present, reveals } = this.data;
    if (reveals) return this.reveal(event.key);
    if (!marker) return false;
    const ends = { Home: marker.low, End: marker.high, ...(present && { r: this.started }) }[event.key];
    const steps = STEPS[event.key];
    if (ends === undefined && steps === undefined) return false;
    this.moveTo(ends ?? this.place + steps * marker.step * (event.shiftKey ? 5 : 1), true);
    return true;
  }

  // A presenter's keys show one group of curves more, or one less, or begin anew.
  reveal(key) {
    const start = key === "Home" || key.toLowerCase() === "r";
    if (!start && !STEPS[key]) return false;
    this.revealed = start ? 1 : clamp(this.revealed + STEPS[key], 1, this.data.groups.length);
    this.root.dataset.revealed = this.revealed;
    this.paint();
    return true;
  }

  // The figures of every line at the place nearest to the pointer.
  hover(point) {
    const { plot, data } = this;
    const inside = point && !data.veiled && point[0] >= EDGE.left && point[0] <= plot.right && point[1] < plot.bottom;
    const lines = this.shown.filter(({ kind, unnamed }) => !unnamed && kind !== "specks");
    if (!inside || !lines.length) {
      setLine(this.cursor, NaN);
      this.caption.replaceChildren(html("span", {}, data.hint));
      return;
    }
    const wanted = plot.x.invert(point[0]);
    const nearest = (xs) => xs.reduce((best, x, index) => (Math.abs(x - wanted) < Math.abs(xs[best] - wanted) ? index : best), 0);
    const [first] = lines;
    const x = first.x[nearest(first.x)];
    setLine(this.cursor, plot.x.at(x), EDGE.top, plot.x.at(x), plot.bottom);
    const figure = ({ group, kind, x: xs, y }) => {
      const place = y[nearest(xs)];
      const said = place === null ? "not computed" : format(onAxis(data.y, place), 3);
      return html("span", { class: "of", style: `--hue: var(--${group.hue})` }, `${group.name}${data.kinds.find(({ key }) => key === kind) ? `, ${data.kinds.find(({ key }) => key === kind).one}` : ""} ${said}`);
    };
    this.caption.replaceChildren(html("span", {}, `${data.x.short} = ${format(onAxis(data.x, x), 4)}`), ...lines.map(figure));
  }

  destroy() {
    this.sizes.disconnect();
    this.stopListening();
  }
}

export default mounting(Chart);
