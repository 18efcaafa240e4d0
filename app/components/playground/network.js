// The net: inputs, hidden layers, output; every unit with its picture, every weight a line.

const LINE = 5; // pixels of the thickest line

class Network {
  // `act(name, value)` hears what was done; `look(place)` which unit is looked at, `touch(link, event)` which weight.
  constructor(act, look, touch) {
    Object.assign(this, { act, look, touch });
    this.lines = html("canvas", { class: "lines", "aria-hidden": "true" });
    this.columns = html("div", { class: "columns" });
    this.element = html("div", { class: "network" }, this.lines, this.columns);
    this.element.addEventListener("pointermove", (event) => this.hover(event));
    this.element.addEventListener("pointerleave", () => this.touch(undefined));
    this.element.addEventListener("click", (event) => this.pick(event));
    new ResizeObserver(() => this.place()).observe(this.element);
  }

  build({ inputs, layers, features, activations, most_layers: mostLayers, most_units: mostUnits, can_edit: canEdit }) {
    const key = JSON.stringify([inputs, layers, canEdit]);
    if (key === this.key) return;
    Object.assign(this, { key, inputs, layers, features, activations, mostUnits, canEdit });
    this.units = [[], ...layers.map(() => []), []];
    this.unused = {}; // pictures of inputs that the net is not shown
    const add = html("button", { type: "button", class: "add-layer", title: "add a layer", "aria-label": "add a layer", disabled: layers.length >= mostLayers || !canEdit,
      onclick: () => this.setLayers([...layers, [Math.min(layers.at(-1)?.[0] ?? 4, 4), layers.at(-1)?.[1] ?? "tanh"]]) }, "+");
    this.painted = undefined;
    this.told = undefined;
    this.columns.replaceChildren(this.inputColumn(), ...layers.map((layer, k) => this.layerColumn(layer, k)), html("div", { class: "more" }, add), this.outputColumn());
    this.place();
  }

  inputColumn() {
    const rows = this.features.map((name) => {
      const on = this.inputs.includes(name);
      const unit = this.unit(0, this.inputs.indexOf(name), { name, class: `input ${on ? "" : "off"}`, title: on ? `${name}: shown to the net; click to leave it out` : `show ${name} to the net`,
        "aria-pressed": String(on), disabled: !this.canEdit, onclick: () => this.toggle(name, on) });
      return html("label", { class: "feature" }, html("span", {}, ...pretty(name)), unit);
    });
    return html("div", { class: "column inputs" }, html("header", {}, "Inputs"), html("div", { class: "stack" }, ...rows));
  }

  layerColumn([units, activation], k) {
    const resize = (step) => this.setLayers(this.layers.map((layer, j) => (j === k ? [layer[0] + step, layer[1]] : layer)).filter(([count]) => count > 0));
    const choose = html("select", { "aria-label": `activation of layer ${k + 1}`, disabled: !this.canEdit,
      onchange: (event) => this.setLayers(this.layers.map((layer, j) => (j === k ? [layer[0], event.target.value] : layer))) },
    ...this.activations.map((name) => html("option", { value: name, selected: name === activation }, name)));
    const count = html("span", { class: "count" },
      html("button", { type: "button", title: units === 1 ? "remove this layer" : "one unit less", "aria-label": `layer ${k + 1}: one unit less`, disabled: !this.canEdit, onclick: () => resize(-1) }, "−"),
      html("b", {}, units),
      html("button", { type: "button", title: "one unit more", "aria-label": `layer ${k + 1}: one unit more`, disabled: !this.canEdit || units >= this.mostUnits, onclick: () => resize(1) }, "+"));
    const stack = Array.from({ length: units }, (_, u) => this.unit(k + 1, u, { title: `layer ${k + 1}, unit ${u + 1}: what it gives in every place` }));
    return html("div", { class: "column hidden-layer" }, html("header", {}, count, choose), html("div", { class: "stack" }, ...stack));
  }

  outputColumn() {
    return html("div", { class: "column output" }, html("header", {}, "Output"), html("div", { class: "stack" }, this.unit(this.layers.length + 1, 0, { title: "the output" })));
  }

  unit(layer, unit, attributes) {
    const picture = html("canvas", { width: 1, height: 1 });
    const bias = layer > 0 ? html("i", { class: "bias", "data-name": `bias.${layer - 1}.${unit}` }) : "";
    const element = html("button", { type: "button", ...attributes, class: `unit ${attributes.class ?? ""}`, "data-layer": layer, "data-unit": unit,
      onpointerenter: () => this.look({ layer, unit }), onpointerleave: () => this.look(undefined), onfocus: () => this.look({ layer, unit }), onblur: () => this.look(undefined) }, picture, bias);
    if (unit >= 0) this.units[layer][unit] = { element, picture, bias };
    else this.unused[attributes.name] = picture;
    return element;
  }

  toggle(name, on) {
    const inputs = on ? this.inputs.filter((other) => other !== name) : [...this.inputs, name];
    if (inputs.length) this.act("features", inputs.join(", "));
  }

  setLayers(layers) { this.act("hidden", layers.map(([units, activation]) => `${units} ${activation}`).join(", ")); }

  // Where the units are, for the lines between them.
  place() {
    const frame = this.element.getBoundingClientRect();
    const ratio = devicePixelRatio || 1;
    Object.assign(this.lines, { width: frame.width * ratio, height: frame.height * ratio });
    this.spots = (this.units ?? []).map((layer) => layer.map(({ picture }) => {
      const box = picture.getBoundingClientRect();
      return { left: box.left - frame.left, right: box.right - frame.left, y: box.top + box.height / 2 - frame.top };
    }));
    if (this.frame) this.drawLines(this.frame);
  }

  // Pictures and lines of a frame; `values` are those of every layer on the grid, the inputs first.
  draw(frame, values, grid, scale) {
    Object.assign(this, { frame, scale });
    if (this.painted !== grid || this.tones !== scale) for (const [name, picture] of Object.entries(this.unused)) scale.paint(picture, grid.feature(name), grid.size, false);
    Object.assign(this, { painted: grid, tones: scale });
    if (values.length !== this.units.length) return; // a frame of a net that is being changed
    this.units.forEach((layer, l) => layer.forEach(({ picture, bias }, u) => {
      if (!values[l][u]) return;
      scale.paint(picture, values[l][u], grid.size, false);
      if (bias) bias.style.background = scale.css(frame.row[frame.shape.parts[l - 1].bias + u]);
    }));
    this.drawLines(frame);
  }

  // What each unit gives for one sample, layer by layer; nothing where none is looked at.
  tell(values) {
    if (this.told === values) return;
    this.told = values;
    this.units.forEach((layer, l) => layer.forEach(({ element }, u) => {
      if (values?.[l]?.[u] === undefined) delete element.dataset.value;
      else element.dataset.value = format(values[l][u], 2);
    }));
  }

  // Lines as (from, to, weight, its place in the row), layer by layer.
  * links(frame) {
    for (const [l, part] of frame.shape.parts.entries()) {
      for (let to = 0; to < part.units; to += 1) {
        for (let from = 0; from < part.fanIn; from += 1) {
          const [a, b] = [this.spots[l]?.[from], this.spots[l + 1]?.[to]];
          if (a && b) yield { a, b, name: `weight.${l}.${to}.${from}`, weight: frame.row[part.weight + to * part.fanIn + from] };
        }
      }
    }
  }

  drawLines(frame) {
    const context = this.lines.getContext("2d");
    const ratio = devicePixelRatio || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.lines.width, this.lines.height);
    if (!this.scale) return;
    for (const { a, b, weight, name } of this.links(frame)) {
      const size = Math.min(Math.abs(weight), 4);
      context.beginPath();
      context.moveTo(a.right, a.y);
      const middle = (a.right + b.left) / 2;
      context.bezierCurveTo(middle, a.y, middle, b.y, b.left, b.y);
      context.lineWidth = name === this.touched ? LINE + 1.5 : 0.4 + (LINE - 0.4) * (size / 4) ** 0.6;
      context.strokeStyle = this.scale.css(weight, name === this.touched ? 1 : 0.25 + 0.6 * Math.min(size, 1));
      context.stroke();
    }
  }

  // The parameter under the pointer: a bias, or the nearest line.
  under(event) {
    const bias = event.target.closest?.(".bias");
    if (bias) return { name: bias.dataset.name };
    if (!this.frame || event.target.closest?.("button, select, header")) return undefined;
    const frame = this.element.getBoundingClientRect();
    const [x, y] = [event.clientX - frame.left, event.clientY - frame.top];
    let [best, nearest] = [undefined, 7];
    for (const link of this.links(this.frame)) {
      const { a, b } = link;
      if (x < a.right || x > b.left) continue;
      const distance = Math.abs(curveAt(a, b, (x - a.right) / (b.left - a.right)) - y);
      if (distance < nearest) [best, nearest] = [link, distance];
    }
    return best;
  }

  hover(event) {
    const found = this.under(event);
    this.touched = found?.name;
    this.touch(found, event);
    this.element.classList.toggle("over-line", Boolean(found));
    if (this.frame) this.drawLines(this.frame);
  }

  pick(event) {
    const found = this.under(event);
    if (found && this.canEdit) this.act("hold", { ...found, event });
  }
}

// The height of the Bézier curve of a line at a share of its way; its x is nearly linear in the middle.
function curveAt(a, b, share) {
  let [low, high] = [0, 1];
  for (let k = 0; k < 12; k += 1) { // x(t) = 1.5 t (1-t) + t³ … of the way grows with t
    const t = (low + high) / 2;
    if (1.5 * t * (1 - t) + t ** 3 < share) low = t;
    else high = t;
  }
  const t = (low + high) / 2;
  return a.y + (b.y - a.y) * t * t * (3 - 2 * t);
}

// x1^2 as x with a subscript and a superscript.
function pretty(name) {
  return name.replace("*", "").split(/(x\d|\^2)/).filter(Boolean).flatMap((part) => {
    if (part === "^2") return [html("sup", {}, "2")];
    return /^x\d$/.test(part) ? [html("i", {}, "x"), html("sub", {}, part[1])] : [part];
  });
}
