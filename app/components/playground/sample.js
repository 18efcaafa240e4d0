// A batch, sample by sample: what the net makes of the latest one, and what all have added to the gradient so far.

class SeenSample {
  constructor() {
    this.title = html("h4");
    this.told = html("p");
    this.bars = html("div", { class: "shares" });
    this.rest = html("p");
    this.element = html("section", { class: "sample", "aria-label": "sample by sample", hidden: true }, this.title, this.told, this.bars, this.rest);
  }

  // One bar for each layer: the length of the gradient so far, and of what the latest sample adds to it.
  build(sample) {
    this.sample = sample;
    if (!sample) return;
    const { seen, size, point, target, answer, loss, adds, sums } = sample;
    const [x, y] = point.map((place) => format(place, 3));
    this.title.textContent = `Sample ${seen} of ${size} in this batch`;
    this.told.replaceChildren(`At (${x}, ${y}) the net should say ${format(target, 3)} and says `, html("b", {}, format(answer, 3)), `: a loss of ${format(loss, 3)}.`);
    const longest = Math.max(...adds, ...sums) || 1;
    const bar = (kind, value) => html("i", { class: kind, style: `width: ${Math.max((value / longest) * 100, 0.5)}%` });
    const layer = (k) => (k === adds.length - 1 ? "output" : `layer ${k + 1}`);
    this.bars.replaceChildren(html("span"), html("small", {}, html("i", { class: "adds" }), " it adds ", html("i", { class: "sums" }), " so far"), html("span"),
      ...adds.flatMap((value, k) => [html("span", {}, layer(k)), html("div", {}, bar("adds", value), bar("sums", sums[k])), html("b", {}, format(sums[k], 3))]));
    this.rest.textContent = seen < size
      ? `Lengths of the gradient, of which each sample adds 1/${size} of its own. No weight moves before all ${size} are in.`
      : `All ${size} are in: the next press makes the step that they add up to.`;
  }

  // `now` is where the run stands, as text; what is told may be of the moment before, until the page has caught up.
  show(visible, now, moment) {
    this.element.hidden = !visible;
    this.element.classList.toggle("late", now !== moment);
  }
}
