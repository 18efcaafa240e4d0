// The drawing: nodes and edges as SVG, built once a structure; a step touches only what changed.

const BADGE_CHARACTER = 6.7; // width of a label character at 11 px in the code font
const CHARACTER = 7.3; // and at the size of a node's figures

class Stage {
  constructor(events) {
    this.events = events;
    this.world = svg("g", { class: "world" });
    this.svg = svg("svg", { class: "stage", role: "img", tabindex: 0 }, this.world);
    this.hint = html("p", { class: "stage-hint" });
    this.camera = new Camera(this.svg, this.world, events);
    this.map = new Overview(this.camera);
    this.element = html("div", { class: "stage-frame" }, this.svg, this.map.element);
    this.svg.addEventListener("pointerover", (event) => events.hover(nodeUnder(event)));
    this.svg.addEventListener("pointerleave", () => events.hover(null));
    this.svg.addEventListener("pointerup", (event) => {
      if (!this.camera.moved) events.select(nodeUnder(event));
    });
  }

  build(model, width, height) {
    this.edges = new Map(model.edges.map((edge) => [`${edge.to} ${edge.slot}`, drawEdge(edge)]));
    this.nodes = new Map([...model.nodes.values()].map((node) => [node.id, drawNode(node, model)]));
    this.flow = new Flow();
    this.world.replaceChildren(
      svg("g", { class: "edges" }, ...[...this.edges.values()].map((edge) => edge.element)),
      this.flow.paths,
      svg("g", { class: "nodes" }, ...[...this.nodes.values()].map((node) => node.element)),
      this.flow.labels,
    );
    this.camera.extent(width, height);
    this.map.build(model, width, height);
  }

  // Paints step `index`; `moving` starts the flow afresh (a new step rather than new numbers).
  paint(model, index, selected, moving) {
    const step = model.steps[index];
    const involved = new Set((step.contributions ?? []).map((item) => model.edgeOf(step, item)?.from));
    for (const [id, node] of this.nodes) {
      paintNode(node, nodeState(model, id, index), {
        current: id === step.node,
        involved: involved.has(id),
        selected: id === selected,
      });
    }
    for (const [key, edge] of this.edges) {
      setClass(edge, `edge${model.value(edge.from, index) === undefined ? " waiting" : ""}`);
    }
    this.flow.paint(model, index, moving);
    this.map.paint(model, index);
    this.svg.classList.toggle("forward-mode", model.forwardMode);
    this.svg.setAttribute("aria-label", `computation graph, ${model.nodes.size} nodes, step ${index + 1} of ${model.steps.length}`);
  }

  // The part of the picture that a step is about.
  focus(model, index) {
    const step = model.steps[index];
    const ids = [step.node, ...(step.contributions ?? []).map((item) => model.edgeOf(step, item)?.from)];
    return ids.filter(Boolean).map((id) => model.nodes.get(id));
  }
}

const nodeUnder = (event) => event.target.closest?.(".node")?.dataset.node ?? null;

function drawEdge(edge) {
  const line = svg("path", { class: "line", d: curve(edge.points) });
  const element = svg("g", { class: "edge waiting" }, line, svg("path", { class: "head", d: arrowhead(edge.points) }));
  return { element, from: edge.from, to: edge.to, className: "edge waiting" };
}

function curve(points) {
  const [first, ...rest] = points;
  return `M${first.join(" ")}C${rest.map((point) => point.join(" ")).join(" ")}`;
}

// A triangle whose tip is the curve's last point, pointing the way the curve arrives.
function arrowhead(points, length = 8, width = 6.5) {
  const [x, y] = points.at(-1);
  const [bx, by] = points.slice(0, -1).findLast(([px, py]) => Math.hypot(x - px, y - py) > 0.5) ?? [x - 1, y];
  const distance = Math.hypot(x - bx, y - by);
  const [ux, uy] = [(x - bx) / distance, (y - by) / distance];
  const [cx, cy] = [x - ux * length, y - uy * length];
  const side = width / 2;
  return `M${x} ${y}L${cx - uy * side} ${cy + ux * side}L${cx + uy * side} ${cy - ux * side}z`;
}

// Where the lines of text of a node are, and the height that they are made for.
const NUMBER_ROWS = { height: 56, symbol: -8, value: 7, gradient: 20.5 };
const TENSOR_ROWS = { height: 84, symbol: -22, shape: -6.5, value: 13, gradient: 32 };

function drawNode(node, model) {
  const { w, h } = node;
  const box = (inset, name, radius) => svg("rect", { class: name, x: inset - w / 2, y: inset - h / 2,
    width: w - 2 * inset, height: h - 2 * inset, rx: Math.max(radius - inset, 0) });
  const radius = node.kind === "constant" ? 3 : 9;
  const rows = node.shape === undefined ? NUMBER_ROWS : TENSOR_ROWS;
  const symbol = svg("text", { class: "symbol", y: node.kind === "constant" && rows === NUMBER_ROWS ? 5 : rows.symbol }, node.symbol);
  const value = svg("text", { class: "value", y: rows.value });
  const gradient = svg("text", { class: "gradient", y: rows.gradient });
  const shape = node.shape === undefined ? [] : [svg("text", { class: "shape", y: rows.shape }, node.shape || "one number")];
  const texts = svg("g", { transform: `scale(${Math.min(h / rows.height, 1.3)})` }, symbol, ...shape, value, gradient);
  const tag = node.kind === "operator" ? [svg("text", { class: "tag", x: 3 - w / 2, y: -9 - h / 2 }, model.label(node.id))] : [];
  const element = svg("g", { class: "node", "data-node": node.id, transform: `translate(${node.x} ${node.y})` },
    box(-4, "halo", radius), box(0, "box", radius), ...(node.output ? [box(3, "inner", radius)] : []),
    ...(node.folded ? [sheet(w, h, radius)] : []), ...tag, texts);
  const kind = `node ${node.kind}${node.output ? " output" : ""}${node.folded ? " folded" : ""}${node.symbol.length > 2 ? " word" : ""}`;
  return { element, value, gradient, kind, width: w, height: h, className: "" };
}

// A second sheet behind a node that stands for several.
const sheet = (w, h, radius) => svg("path", { class: "sheet",
  d: `M${4 - w / 2} ${h / 2 + 4}H${w / 2 + 4 - radius}Q${w / 2 + 4} ${h / 2 + 4} ${w / 2 + 4} ${h / 2 + 4 - radius}V${4 - h / 2}` });

function nodeState(model, id, index) {
  const value = model.value(id, index);
  const gradient = model.gradient(id, index);
  const node = model.nodes.get(id);
  const constant = node.kind === "constant" && node.shape === undefined; // its symbol is its value
  const mark = model.forwardMode ? "v̇" : "∂";
  const more = gradient !== undefined && model.partial(id, index) ? " …" : "";
  return {
    value: value === undefined || constant ? "" : printQuantity(value),
    gradient: gradient === undefined ? "" : `${mark} ${printQuantity(gradient)}${more}`,
    bins: value?.bins,
    waiting: value === undefined && gradient === undefined,
    invalid: [value, gradient].some((item) => item !== undefined && isFaulty(item)),
    reached: gradient !== undefined,
  };
}

function paintNode(node, state, role) {
  setText(node, "value", state.value);
  setText(node, "gradient", state.gradient);
  if (state.bins !== node.bins) paintBars(node, state.bins);
  if (state.invalid && !node.hatch) {
    node.hatch = svg("path", { class: "hatch", d: hatching(node.width - 6, node.height - 6) });
    node.element.querySelector(".box").after(node.hatch);
  }
  const flags = { waiting: state.waiting, invalid: state.invalid, reached: state.reached, ...role };
  setClass(node, [node.kind, ...Object.keys(flags).filter((flag) => flags[flag])].join(" "));
}

// A histogram in the node's upper corner, while its value is there.
function paintBars(node, bins) {
  node.bars ??= node.element.appendChild(svg("path", { class: "bars", transform: `translate(${node.width / 2 - 41} ${-node.height / 2 + 7})` }));
  const most = Math.max(...(bins ?? []));
  node.bars.setAttribute("d", (bins ?? []).map((count, k) => (count ? `M${3 * k} 12v${(-11 * count) / most - 1}` : "")).join(""));
  node.bins = bins;
}

// Diagonal lines over the node: "this is not a number" without relying on colour.
function hatching(width, height, gap = 7) {
  let path = "";
  for (let offset = gap; offset < width + height; offset += gap) {
    const [x1, y1] = offset <= height ? [0, offset] : [offset - height, height];
    const [x2, y2] = offset <= width ? [offset, 0] : [width, offset - width];
    path += `M${x1 - width / 2} ${y1 - height / 2}L${x2 - width / 2} ${y2 - height / 2}`;
  }
  return path;
}

// Writing only what changed keeps a step cheap: most nodes stay as they are.
function setClass(item, className) {
  if (item.className === className) return;
  const lit = item.element.classList.contains("lit");
  item.element.setAttribute("class", lit ? `${className} lit` : className);
  item.className = className;
}

function setText(node, key, text) {
  if (node[`${key}Text`] === text) return;
  node[key].textContent = text;
  const room = node.width - 10;
  const tight = text.length * CHARACTER > room; // rare figures are long: they are set closer
  for (const [name, value] of [["textLength", room], ["lengthAdjust", "spacingAndGlyphs"]]) {
    if (tight) node[key].setAttribute(name, value);
    else node[key].removeAttribute(name);
  }
  node[`${key}Text`] = text;
}
