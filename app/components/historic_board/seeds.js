// What became of other seeds; pressing one takes it.

class SeedList {
  constructor(take) {
    this.title = html("h4");
    this.items = html("div", { class: "items" });
    this.take = take;
    this.element = html("section", { class: "panel seeds", "aria-label": "other seeds" }, this.title, this.items);
  }

  build(seeds) {
    this.element.hidden = !seeds;
    if (!seeds) return;
    this.title.replaceChildren(seeds.title, html("small", {}, seeds.detail));
    this.items.replaceChildren(...seeds.runs.map(({ seed, solved, told }) => html("button", { type: "button", class: solved ? "solved" : "stuck", title: `take seed ${seed}`, onclick: () => this.take(seed) },
      html("small", {}, `seed ${seed}`), html("b", {}, solved || "not"), html("small", {}, told))));
  }
}
