// How the batch that comes next pulls at one weight: what each of its points adds to the gradient.

const WIDE = 280; // of the picture, in its own units
const HIGH = 74;

class Pull {
  constructor() {
    this.title = html("h4");
    this.told = html("p");
    this.bars = svg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", preserveAspectRatio: "none" });
    this.element = html("section", { class: "pull", "aria-label": "gradient of one weight" }, this.title, this.bars, this.told);
  }

  // One bar for each point, from the one that pulls down most to the one that pulls up most.
  build(gradient, scale) {
    this.element.hidden = !gradient;
    if (!gradient) return;
    const { name, total, numeric, penalty, parts, waiting } = gradient;
    this.title.textContent = `Pull at the ${told(name)}`;
    const reach = Math.max(...parts.map(Math.abs)) || 1;
    const step = WIDE / parts.length;
    this.bars.setAttribute("aria-label", `what each of ${parts.length} points adds to the gradient`);
    this.bars.replaceChildren(svg("line", { x1: 0, x2: WIDE, y1: HIGH / 2, y2: HIGH / 2, class: "base" }), ...parts.map((part, k) => {
      const height = (Math.abs(part) / reach) * (HIGH / 2 - 2);
      return svg("rect", { x: k * step + 0.5, width: Math.max(step - 1, 0.5), y: part > 0 ? HIGH / 2 - height : HIGH / 2, height, fill: scale.css(part), class: waiting[k] ? "waiting" : undefined }, svg("title", {}, format(part, 3)));
    }));
    const extra = penalty ? `, ${format(penalty, 3)} of it the penalty's` : "";
    const pale = waiting.some(Boolean) ? " Pale ones have not been looked at." : "";
    this.told.replaceChildren(`Each bar is a point of the next batch.${pale} Together `, html("b", {}, format(total, 4)), `${extra}; by a difference quotient `, html("b", {}, format(numeric, 4)), ".");
  }
}
