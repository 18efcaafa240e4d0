// Each convolution: its kernels, and what they make of the image.

class Stages {
  constructor() { this.element = html("section", { class: "panel stages", "aria-label": "convolutions" }); }

  build(shape) {
    const key = JSON.stringify(shape.stages);
    if (key === this.key) return;
    this.key = key;
    this.parts = shape.stages.map(([channels, inputs, edge], k) => {
      const units = Array.from({ length: channels }, (_, channel) => {
        const kernels = Array.from({ length: inputs }, () => picture({ class: "picture kernel" }));
        const map = picture({ class: "picture map" });
        const element = html("figure", { class: "unit", title: `convolution ${k + 1}, channel ${channel + 1}: ${inputs} kernel${inputs > 1 ? "s" : ""} of ${edge} × ${edge}, and its map` }, map, html("div", { class: "kernels" }, ...kernels));
        return { kernels, map, element };
      });
      return { units, edge, element: html("div", { class: "stage" }, html("h4", {}, `Convolution ${k + 1}`, html("small", {}, `${channels} channel${channels > 1 ? "s" : ""} of ${inputs} × ${edge} × ${edge}`)), html("div", { class: "units" }, ...units.map(({ element }) => element))) };
    });
    this.element.replaceChildren(...this.parts.map(({ element }) => element));
  }

  paint(shape, parts, scale) {
    this.build(shape);
    this.parts.forEach(({ units, edge }, k) => {
      const [kernels, maps] = [parts[`kernels ${k}`], parts[`maps ${k}`]];
      const [weight, value] = [reachOf(kernels), reachOf(maps)];
      const area = maps.length / units.length;
      const size = edge * edge;
      units.forEach((unit, channel) => {
        paintSigns(unit.map, maps.subarray(channel * area, (channel + 1) * area), Math.sqrt(area), scale, value);
        unit.kernels.forEach((canvas, input) => {
          const at = (channel * unit.kernels.length + input) * size;
          paintSigns(canvas, kernels.subarray(at, at + size), edge, scale, weight);
        });
      });
    });
  }
}
