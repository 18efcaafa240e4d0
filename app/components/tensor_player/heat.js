// A matrix as coloured cells: sign and size by colour, zeros empty, NaN hatched, numbers where there is room.

const TALLEST = 250; // pixels
const HEAT = { least: 3, most: 28, legible: 24 };

class Heat {
  // `act(place)` hears the cell under the pointer or the keyboard, null when it leaves.
  constructor(name, [rows, columns], values, act, room) {
    Object.assign(this, { rows, columns, values: values.map(decode), act });
    this.size = clamp(Math.floor(room / columns), HEAT.least, rows * HEAT.most > TALLEST ? Math.max(HEAT.least, Math.floor(TALLEST / rows)) : HEAT.most);
    this.canvas = html("canvas", { tabindex: 0, role: "img", "aria-label": `${name}: ${rows} × ${columns}` });
    this.marks = html("div", { class: "marks" });
    this.element = html("div", { class: "heat" }, this.canvas, this.marks);
    this.canvas.addEventListener("pointermove", (event) => act(this.under(event)));
    this.canvas.addEventListener("pointerdown", (event) => act(this.under(event)));
    this.canvas.addEventListener("keydown", (event) => this.key(event));
  }

  under({ offsetX, offsetY }) {
    const [row, column] = [Math.floor(offsetY / this.size), Math.floor(offsetX / this.size)];
    return row < 0 || column < 0 || row >= this.rows || column >= this.columns ? null : row * this.columns + column;
  }

  key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns }[event.key];
    if (step === undefined) return;
    this.place = clamp((this.place ?? 0) + step, 0, this.values.length - 1);
    this.act(this.place);
    event.preventDefault();
    event.stopPropagation();
  }

  // Draws everything once; marks are laid over it, so that hovering draws nothing again.
  draw() {
    const { canvas, size, rows, columns } = this;
    const density = globalThis.devicePixelRatio || 1;
    const style = getComputedStyle(canvas);
    const colour = (name) => style.getPropertyValue(`--${name}`);
    Object.assign(canvas, { width: columns * size * density, height: rows * size * density });
    Object.assign(canvas.style, { width: `${columns * size}px`, height: `${rows * size}px` });
    const paper = canvas.getContext("2d");
    paper.scale(density, density);
    const gap = size > 8 ? 1 : 0;
    const sizes = this.values.map(Math.abs).filter(Number.isFinite);
    const largest = sizes.reduce((most, each) => Math.max(most, each), 0) || 1;
    Object.assign(paper, { font: `${Math.min(12, size * 0.38)}px ${style.getPropertyValue("--code")}`, textAlign: "center", textBaseline: "middle" });
    this.values.forEach((value, place) => {
      const [x, y] = [(place % columns) * size, Math.floor(place / columns) * size];
      paper.globalAlpha = 1;
      paper.fillStyle = colour(value === 0 ? "background" : Number.isFinite(value) ? (value > 0 ? "positive" : "negative") : "error");
      if (value !== 0) paper.globalAlpha = Number.isFinite(value) ? 0.14 + (0.7 * Math.abs(value)) / largest : 0.35;
      paper.fillRect(x, y, size - gap, size - gap);
      if (size < HEAT.legible) return;
      paper.globalAlpha = value === 0 ? 0.45 : 1;
      paper.fillStyle = colour("text");
      paper.fillText(heatText(value), x + size / 2, y + size / 2);
    });
  }

  // Lights cells (by place), or whole rows and columns.
  light({ cells = [], row = null, column = null } = {}) {
    const box = (r, c, height, width) => html("i", { style: `left:${c * this.size}px;top:${r * this.size}px;width:${width * this.size}px;height:${height * this.size}px` });
    const boxes = cells.map((place) => box(Math.floor(place / this.columns), place % this.columns, 1, 1));
    if (row !== null) boxes.push(box(row, 0, 1, this.columns));
    if (column !== null) boxes.push(box(0, column, this.rows, 1));
    this.marks.replaceChildren(...boxes);
  }
}

// Two digits fit into a cell.
const heatText = (value) => format(Math.abs(value) < 0.005 ? 0 : Math.abs(value) < 10 ? Math.round(value * 100) / 100 : value, 2).replace(/^(−?)0\./, "$1.");

// Any shape as a matrix: the last dimension makes the columns.
const asMatrix = (shape) => {
  const columns = shape.length ? shape.at(-1) : 1;
  return [shape.reduce((product, length) => product * length, 1) / Math.max(columns, 1), columns];
};
