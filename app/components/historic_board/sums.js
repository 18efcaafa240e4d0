// The sums that each half of a row can send to a hidden unit: eight from the left, eight from the right.
// A symmetric row sends the same from both sides with opposite signs; every other one leaves something over.

const [LINE_WIDTH, LINE_HEIGHT] = [420, 74];

class Sums {
  constructor() {
    this.element = html("section", { class: "panel sums", "aria-label": "sums of the halves" },
      html("h4", {}, "What the two halves send", html("small", {}, "above: all 8 left halves; below: all 8 right halves, sign turned. Bold: this pattern")));
  }

  paint(shape, parts, scale) {
    const units = shape.linears[0].units;
    if (this.lines?.length !== units) {
      this.lines = Array.from({ length: units }, (_, unit) => {
        const picture = svg("svg", { viewBox: `0 0 ${LINE_WIDTH} ${LINE_HEIGHT}`, class: "line", role: "img" });
        this.element.append(html("div", { class: "sum-line" }, html("b", {}, `h${unit + 1}`), picture));
        return picture;
      });
      [...this.element.querySelectorAll(".sum-line")].slice(0, -units).forEach((old) => old.remove());
    }
    const half = shape.bits.length / 2;
    const [left, right] = [numberOf(shape.bits.slice(0, half)), numberOf(mirrored(shape.bits).slice(0, half))];
    const count = 2 ** half;
    const reach = Math.max(...parts.halves.map(Math.abs), 0.1) * 1.08;
    const x = (sum) => LINE_WIDTH / 2 + (sum / reach) * (LINE_WIDTH / 2 - 6);
    this.lines.forEach((picture, unit) => {
      const above = parts.halves.subarray(2 * unit * count, (2 * unit + 1) * count);
      const below = parts.halves.subarray((2 * unit + 1) * count, (2 * unit + 2) * count).map((sum) => -sum);
      const over = above[left] - below[right];
      picture.setAttribute("aria-label", `hidden unit ${unit + 1}: the left half sends ${format(above[left], 3)}, the right half ${format(-below[right], 3)}, together ${format(over, 3)}`);
      picture.replaceChildren(
        svg("line", { x1: 0, x2: LINE_WIDTH, y1: 37, y2: 37, class: "axis" }),
        svg("line", { x1: x(0), x2: x(0), y1: 31, y2: 43, class: "axis" }),
        svg("rect", { x: Math.min(x(above[left]), x(below[right])), width: Math.abs(x(above[left]) - x(below[right])), y: 33, height: 8, fill: scale.css(over) }),
        ...this.ticks(above, left, x, 37, 14), ...this.ticks(below, right, x, 37, 60),
        svg("text", { x: LINE_WIDTH - 2, y: 12, class: "over", "text-anchor": "end" }, `together ${format(over, 3)}`));
    });
  }

  ticks(sums, chosen, x, from, to) {
    return [...sums].map((sum, half) => svg("line", { x1: x(sum), x2: x(sum), y1: from, y2: to, class: half === chosen ? "tick chosen" : "tick" }));
  }
}
