// The run over time: losses, the table of tensors, and the histograms of the chosen one.

class Board {
  constructor(root) {
    this.root = root;
    this.losses = new Losses();
    this.spread = new Spread();
    this.table = new Table((id) => this.choose(id));
    root.replaceChildren(html("div", { class: "board" }, html("div", { class: "charts" }, this.losses.element, this.spread.element), this.table.element));
    this.sizes = new ResizeObserver(() => this.paint());
    this.sizes.observe(root);
  }

  update(data, send) {
    const fresh = this.data?.key !== data.key;
    Object.assign(this, { data, send });
    if (fresh) {
      this.losses.build(data.losses);
      this.table.build(data.series);
      this.chosen = data.chosen;
    }
    this.spread.element.hidden = !data.series.length;
    this.paint();
  }

  choose(id) {
    this.chosen = id;
    this.paint();
    this.send("change", { series: id });
  }

  paint() {
    if (!this.data) return;
    this.losses.paint();
    const series = this.data.series.find(({ id }) => id === this.chosen) ?? this.data.series[0];
    if (!series) return;
    this.table.mark(series.id);
    this.spread.show(series, this.data.moments);
  }

  destroy() {
    this.sizes.disconnect();
  }
}

export default mounting(Board);
