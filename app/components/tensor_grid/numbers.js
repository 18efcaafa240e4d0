// The numbers of the view: length and stride of every dimension, the offset, and where each dimension is drawn.

const MOST_DIMENSIONS = 6;
const WHY = { explore: "would leave the storage", free: "is further than can be drawn" };

class LayoutTable {
  // `act.edit(layout, final)` hears new numbers, `act.place(letters)` where dimensions are to be drawn.
  constructor(act) {
    this.act = act;
    this.element = html("div", { class: "numbers" });
  }

  build(grid, places, data) {
    const editable = data.editable;
    const signature = `${editable} ${grid.shape.length} ${editable ? "" : JSON.stringify([grid.shape, grid.strides, grid.offset])}`;
    if (signature !== this.signature) this.rebuild(grid, editable);
    this.signature = signature;
    this.selects.forEach((select, d) => { select.value = places[d]; });
    if (editable) this.paint(grid, data);
  }

  rebuild(grid, editable) {
    const dims = grid.shape.map((_, d) => d);
    const row = (name, cells) => html("tr", {}, html("th", { scope: "row" }, name), ...cells.map((content) => html("td", {}, content)));
    this.selects = dims.map((d) => html("select", { "aria-label": `dimension ${d} is drawn as`, onchange: () => this.act.place(this.selects.map(({ value }) => value)) },
      ...PLACES.map(([letter, name]) => html("option", { value: letter }, name))));
    this.handles = editable ? {
      shape: dims.map((d) => new WholeHandle(`length ${d}`, (value, final) => this.change("shape", d, value, final))),
      strides: dims.map((d) => new WholeHandle(`stride ${d}`, (value, final) => this.change("strides", d, value, final))),
      offset: [new WholeHandle("offset", (value, final) => this.change("offset", 0, value, final))],
    } : undefined;
    const shown = (key) => dims.map((d) => (editable ? this.handles[key][d].element : html("b", {}, format(grid[key][d]))));
    const offset = editable ? this.handles.offset[0].element : html("b", {}, format(grid.offset));
    const buttons = editable ? [this.button("−", "remove the last dimension", () => this.resize(-1), dims.length > 0),
      this.button("+", "add a dimension", () => this.resize(1), dims.length < MOST_DIMENSIONS)] : [];
    this.element.replaceChildren(
      html("table", {}, html("thead", {}, html("tr", {}, html("th", { scope: "col" }, "dimension"), ...dims.map((d) => this.heading(d)))),
        html("tbody", {}, row("length", shown("shape")), row("stride", shown("strides")), row("drawn as", this.selects))),
      html("label", { class: "offset" }, html("span", {}, "offset"), offset), html("div", { class: "resize" }, ...buttons));
  }

  // A dimension dropped on another exchanges places with it; the lists below give every other arrangement.
  heading(d) {
    return html("th", { scope: "col", class: "dimension", draggable: "true", title: "drag onto another dimension: the two exchange places",
      ondragstart: (event) => { this.dragged = d; event.dataTransfer.effectAllowed = "move"; },
      ondragover: (event) => { if (this.dragged !== undefined) event.preventDefault(); },
      ondragend: () => { this.dragged = undefined; },
      ondrop: (event) => { event.preventDefault(); this.exchange(this.dragged, d); } }, String(d));
  }

  exchange(from, to) {
    if (from === undefined || from === to) return;
    const places = this.selects.map(({ value }) => value);
    [places[from], places[to]] = [places[to], places[from]];
    this.act.place(places);
  }

  button(sign, label, action, enabled) {
    return html("button", { type: "button", "aria-label": label, title: label, onclick: action, disabled: !enabled }, sign);
  }

  paint(grid, { bounds, break_it: free }) {
    const why = free ? WHY.free : WHY.explore;
    const given = { shape: grid.shape, strides: grid.strides, offset: [grid.offset] };
    const limits = { ...bounds, offset: [bounds.offset] };
    this.layout = { shape: [...grid.shape], strides: [...grid.strides], offset: [grid.offset] };
    for (const [key, handles] of Object.entries(this.handles)) {
      handles.forEach((handle, d) => {
        handle.set(given[key][d]);
        handle.limit(limits[key][d], why);
      });
    }
  }

  get busy() { return Object.values(this.handles ?? {}).flat().some((handle) => handle.busy); }

  change(key, d, value, final) {
    this.layout[key][d] = value;
    this.send(final);
  }

  resize(by) {
    const { shape, strides } = this.layout;
    if (by < 0) { shape.pop(); strides.pop(); } else { shape.push(1); strides.push(1); }
    this.send(true);
  }

  send(final) {
    const { shape, strides, offset: [offset] } = this.layout;
    this.act.edit({ size: shape.join(", "), stride: strides.join(", "), offset }, final);
  }
}
