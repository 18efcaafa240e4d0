// What moves in a step: edges that carry something now, the amounts on them, and sums where they meet.

class Flow {
  constructor() {
    this.paths = svg("g", { class: "flow" });
    this.labels = svg("g", { class: "labels" });
  }

  paint(model, index, moving) {
    const step = model.steps[index];
    const still = moving ? "" : " still";
    const contributions = step.contributions ?? [];
    const backward = step.phase === "backward";
    const edges = backward ? contributions.map((item) => model.edgeOf(step, item)) : model.incoming.get(step.node);
    const look = backward ? "backward" : step.kind === "value" ? "forward" : "tangent";
    this.paths.replaceChildren(...edges.filter(Boolean).map((edge) => stream(edge, look + still)));
    const amounts = contributions.map((item) => ({ edge: model.edgeOf(step, item), amount: readQuantity(item.product) }));
    this.labels.replaceChildren(
      ...amountLabels(amounts.filter(({ edge }) => edge), look + still),
      ...(backward ? sumBadges(model, step, still) : []),
    );
  }
}

// Forward streams run with the edge; backward ones run against it, so their points are reversed.
function stream(edge, className) {
  const points = className.startsWith("backward") ? [...edge.points].reverse() : edge.points;
  const path = curve(points);
  return svg("g", { class: `stream ${className}` }, svg("path", { class: "bed", d: path }),
    svg("path", { class: "line", d: path, pathLength: className.startsWith("backward") ? undefined : 1 }),
    svg("path", { class: "head", d: arrowhead(points, 10, 9) }));
}

// The amount on each edge, moved along its curve until it covers no other label; above a short edge, so
// that the stream stays in sight.
function amountLabels(amounts, className) {
  const placed = [];
  return amounts.map(({ edge, amount }) => {
    const text = printAmount(amount);
    const width = text.length * BADGE_CHARACTER + 10;
    const [[fromX, fromY], [toX, toY]] = [edge.points[0], edge.points.at(-1)];
    const lift = width > 0.6 * Math.hypot(toX - fromX, toY - fromY) ? 13 : 0;
    const spots = [0.5, 0.4, 0.6, 0.3, 0.7, 0.22, 0.78].map((at) => pointAt(edge.points, at)).map(([x, y]) => [x, y - lift]);
    const covers = ([x, y]) => placed.find((other) => Math.abs(other.x - x) < (other.width + width) / 2 && Math.abs(other.y - y) < 19);
    let [x, y] = spots.find((spot) => !covers(spot)) ?? spots[0];
    const other = covers([x, y]); // edges too close and too short: step aside
    if (other) y = other.y + (y < other.y ? -19 : 19);
    placed.push({ x, y, width });
    return pill(text, x, y, `amount ${className}`);
  });
}

// "Σ 0.3 + 0.2" under a node where a contribution arrives on top of earlier ones.
function sumBadges(model, step, still) {
  const sums = new Map();
  for (const contribution of step.contributions ?? []) {
    const before = readQuantity(contribution.before);
    const terms = sums.get(contribution.to) ?? (before === undefined ? [] : [before]);
    sums.set(contribution.to, [...terms, readQuantity(contribution.product)]);
  }
  return [...sums].filter(([, terms]) => terms.length > 1).map(([id, terms]) => {
    const { x, y, h } = model.nodes.get(id);
    const [first, ...rest] = terms.map(printAmount);
    const text = `Σ ${first}${rest.map((term) => (term.startsWith("−") ? ` − ${term.slice(1)}` : ` + ${term}`)).join("")}`;
    return pill(text, x, y + h / 2 + 11, `sum${still}`, id);
  });
}

function pill(text, x, y, className, id) {
  const width = text.length * BADGE_CHARACTER + 12;
  return svg("g", { class: `pill ${className}`, transform: `translate(${x} ${y})`, "data-sum": id },
    svg("rect", { x: -width / 2, y: -9, width, height: 18, rx: 9 }), svg("text", { y: 4 }, text));
}

// The point at parameter `at` (0..1) of a spline of cubic pieces.
function pointAt(points, at) {
  const pieces = (points.length - 1) / 3;
  const piece = Math.min(Math.floor(at * pieces), pieces - 1);
  const t = at * pieces - piece;
  const weights = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t ** 3];
  const control = points.slice(3 * piece, 3 * piece + 4);
  return [0, 1].map((axis) => control.reduce((total, point, k) => total + weights[k] * point[axis], 0));
}
