// The plane as a hidden layer sees it: a mesh and the points, at the values that two of its units give them.
// What the net makes of a place is its colour; where the layer is the last one, the two colours meet in a line.

const MESH = 28; // places along an edge of the mesh
const MARGIN = 0.06; // of the picture, round what is drawn

class HiddenSpace {
  // `ask()` has the picture drawn again.
  constructor(ask) {
    Object.assign(this, { layer: 0, pair: 0 });
    this.choice = html("select", { "aria-label": "where the points are shown", onchange: () => { this.layer = Number(this.choice.value); this.pair = 0; ask(); } });
    this.next = html("button", { type: "button", title: "another pair of units", onclick: () => { this.pair += 1; ask(); } });
    this.controls = html("div", { class: "seen" }, html("label", {}, "Seen ", this.choice), this.next);
    this.canvas = html("canvas", { class: "space", role: "img", hidden: true, onpointerdown: (event) => event.stopPropagation() });
  }

  build({ layers, train, reach }) {
    const seen = layers.map(([units], k) => [units, k + 1]).filter(([units]) => units > 1);
    if (!seen.some(([, layer]) => layer === this.layer)) this.layer = 0;
    this.choice.replaceChildren(html("option", { value: 0, selected: !this.layer }, "in the plane"), ...seen.map(([, layer]) => html("option", { value: layer, selected: layer === this.layer }, `by layer ${layer}`)));
    this.controls.hidden = !seen.length;
    if (this.train === train && this.reach === reach) return;
    Object.assign(this, { train, reach });
    this.points = new Places(train);
    this.mesh = new Grid(MESH, reach);
  }

  // The two units that are shown, of all pairs in order.
  units(count) {
    const pairs = Array.from({ length: count }, (_, a) => Array.from({ length: count - a - 1 }, (_unused, b) => [a, a + b + 1])).flat();
    return pairs[this.pair % pairs.length];
  }

  // Draw a frame; the title of the picture, or nothing where the plane itself is shown.
  draw({ shape, row }, scale) {
    const part = shape.parts[this.layer - 1];
    this.canvas.hidden = !this.layer || !part || part.units < 2;
    this.next.hidden = this.canvas.hidden || part.units < 3;
    if (this.canvas.hidden) return undefined;
    const [a, b] = this.units(part.units);
    const [mesh, points] = [this.mesh, this.points].map((places) => places.forward(shape.parts, shape.inputs, row));
    const [u, v] = [mesh[this.layer - 1][a], mesh[this.layer - 1][b]];
    const [s, t] = [points[this.layer - 1][a], points[this.layer - 1][b]];
    const size = this.canvas.clientWidth * (devicePixelRatio || 1);
    Object.assign(this.canvas, { width: size, height: size });
    const context = this.canvas.getContext("2d");
    const [x, y] = [axis([u, s], size), axis([v, t], size)];
    const at = (k) => [x(u[k]), size - y(v[k])];
    this.sheet(context, at, mesh.at(-1)[0], scale);
    this.train.forEach(([, , target], k) => {
      context.beginPath();
      context.arc(x(s[k]), size - y(t[k]), size / 85, 0, 2 * Math.PI);
      context.fillStyle = scale.css(target);
      context.fill();
      context.lineWidth = size / 300;
      context.strokeStyle = getComputedStyle(this.canvas).getPropertyValue("--background");
      context.stroke();
    });
    this.next.textContent = `units ${a + 1} and ${b + 1}`;
    const title = `Layer ${this.layer}: unit ${a + 1} across, unit ${b + 1} up`;
    this.canvas.setAttribute("aria-label", `the plane as layer ${this.layer} sees it`);
    return title;
  }

  // The mesh as a sheet of small quadrilaterals, each in the colour of the output there.
  sheet(context, at, output, scale) {
    context.lineWidth = 1;
    for (let row = 0; row < MESH - 1; row += 1) {
      for (let column = 0; column < MESH - 1; column += 1) {
        const k = row * MESH + column;
        context.beginPath();
        for (const corner of [k, k + 1, k + MESH + 1, k + MESH]) context.lineTo(...at(corner));
        context.closePath();
        const value = (output[k] + output[k + MESH + 1]) / 2;
        context.fillStyle = scale.css(value, 0.15 + 0.5 * Math.min(Math.abs(value), 1));
        context.fill();
        context.strokeStyle = scale.css(value, 0.35);
        context.stroke();
      }
    }
  }
}

// Values to pixels, so that all of them fit.
function axis(parts, size) {
  const finite = parts.flatMap((values) => [...values]).filter(Number.isFinite);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const reach = (high - low) || 1;
  return (value) => size * (MARGIN + (1 - 2 * MARGIN) * ((value - low) / reach));
}
