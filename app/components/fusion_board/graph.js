// The computation after a pass: what the pass took away is struck out, groups have a colour and a number.

const MARGIN = 16;
const [SMALLEST_SCALE, LARGEST_SCALE] = [0.78, 1.35]; // below, text cannot be read, and the graph is scrolled

class StageGraph {
  constructor() {
    this.canvas = svg("svg", { role: "img" });
    this.element = html("div", { class: "graph", tabindex: 0, "aria-label": "graph of the computation" }, this.canvas);
    this.fitting = iconButton("fit", "the whole graph", () => this.toggle(), { class: "icon-button", "aria-pressed": "false" });
    new ResizeObserver(() => this.fit()).observe(this.element);
  }

  build({ nodes, paths, size: [width, height], node_height: tall, groups }) {
    this.nodes = new Map(nodes.map((node) => [node.id, node]));
    this.groups = groups;
    this.canvas.setAttribute("viewBox", `${-MARGIN} ${-MARGIN} ${width + 2 * MARGIN} ${height + 2 * MARGIN}`);
    this.extent = [width + 2 * MARGIN, height + 2 * MARGIN];
    this.tall = tall;
    this.edges = new Map(Object.entries(paths).map(([key, points]) => [key, svg("path", { class: "edge", d: spline(points) })]));
    this.boxes = new Map(nodes.map((node) => [node.id, this.box(node)]));
    this.canvas.replaceChildren(...this.edges.values(), ...this.boxes.values());
    this.fit();
  }

  fit() {
    if (!this.extent) return;
    const [width, height] = this.extent;
    const { clientWidth: across, clientHeight: down } = this.element;
    const whole = Math.min(across / width, down / height, LARGEST_SCALE);
    const scale = this.whole ? whole : Math.max(whole, SMALLEST_SCALE);
    this.fitting.hidden = whole >= SMALLEST_SCALE;
    this.canvas.setAttribute("width", scale * width);
    this.canvas.setAttribute("height", scale * height);
  }

  box({ id, kind, symbol, name, shape, at: [x, y], width, result }) {
    const half = this.tall / 2;
    const title = svg("text", { class: "symbol", y: -2 }, svg("tspan", { class: "operator" }, symbol), name ? svg("tspan", { class: "name", dx: 6 }, name) : "");
    return svg("g", { class: `node ${kind}${result ? " result" : ""}`, transform: `translate(${x} ${y})`, "data-nodes": id, tabindex: -1 },
      svg("rect", { x: -width / 2, y: -half, width, height: this.tall, rx: kind === "operation" || kind === "backward" ? 6 : half }),
      title, svg("text", { class: "shape", y: 11 }, shape),
      svg("path", { class: "strike", d: `M${4 - width / 2} ${half - 4}L${width / 2 - 4} ${4 - half}` }),
      svg("g", { class: "badge", transform: `translate(${width / 2 - 2} ${-half})` }, svg("circle", { r: 8 }), svg("text", { y: 3.5 })));
  }

  // All of it at once, or large enough to be read.
  toggle() {
    this.whole = !this.whole;
    this.fitting.setAttribute("aria-pressed", String(this.whole));
    this.fit();
  }

  // `grouped`: after fusion, when nodes have groups.
  show({ present, removed, changed, idle, edges }, grouped) {
    const here = new Set(present);
    for (const [id, box] of this.boxes) {
      const { group } = this.nodes.get(id);
      const owner = grouped && here.has(id) && group !== null && group !== undefined ? this.groups[group] : null;
      box.classList.toggle("gone", !here.has(id) && !removed.includes(id));
      box.classList.toggle("removed", removed.includes(id));
      box.classList.toggle("changed", changed.includes(id));
      box.classList.toggle("idle", idle.includes(id));
      box.classList.toggle("grouped", Boolean(owner));
      if (owner) box.style.setProperty("--hue", `var(--${owner.hue})`);
      box.querySelector(".badge text").textContent = owner ? group + 1 : "";
    }
    const where = new Map(edges.map(([from, to, place]) => [`${from}-${to}`, place]));
    for (const [key, path] of this.edges) {
      const [from, to] = key.split("-").map(Number);
      const { group } = this.nodes.get(to);
      path.setAttribute("class", `edge ${where.get(key) ?? "none"}${changed.includes(to) ? " changed" : ""}`);
      path.style.setProperty("--hue", `var(--${this.groups[group]?.hue ?? "muted"})`);
      path.dataset.between = `${from} ${to}`;
    }
  }
}

const spline = ([[x, y], ...rest]) => `M${x} ${y}C${rest.map((point) => point.join(" ")).join(" ")}`;
