// The same setting with other seeds: a small picture of where each of them came to.

class SeedStrip {
  // `take(seed)` hears a seed that was pressed.
  constructor(take) {
    this.take = take;
    this.title = html("h4");
    this.items = html("div", { class: "items" });
    this.element = html("section", { class: "strip", "aria-label": "other seeds" }, this.title, this.items);
  }

  build(seeds, grid, scale) {
    this.element.hidden = !seeds;
    if (!seeds) return;
    const { shape, runs, quartiles, epoch } = seeds;
    const parts = layersOf(shape);
    const [lower, median, upper] = quartiles.map((loss) => format(Number(loss), 3));
    this.title.replaceChildren(`${runs.length} seeds, epoch ${epoch}: test loss `, html("b", {}, median), html("small", {}, `half of them between ${lower} and ${upper}`));
    this.items.replaceChildren(...runs.map(({ seed, loss, drawn }) => {
      const row = Float32Array.from([...FIGURES.map(() => 0), ...drawn.map(Number)]);
      const canvas = html("canvas", { width: 1, height: 1 });
      scale.paint(canvas, grid.forward(parts, shape.inputs, row).at(-1)[0], grid.size, false);
      return html("button", { type: "button", title: `seed ${seed}: take it`, onclick: () => this.take(seed) }, canvas, html("small", {}, format(Number(loss), 3)));
    }));
  }
}
