// Accuracy and loss of all lanes: what a board draws of the whole run.

class LaneCurves {
  constructor(scrub, look) {
    this.plots = [
      new LanePlot({ name: "Test accuracy", figure: "accuracy", logarithmic: false, write: (share) => `${100 * share} %` }, scrub, look),
      new LanePlot({ name: "Test loss", figure: "testLoss", logarithmic: true, write: (loss) => format(loss) }, scrub, look),
      new LanePlot({ name: "Training loss", figure: "trainLoss", logarithmic: true, write: (loss) => format(loss) }, scrub, look),
    ];
    this.element = html("div", { class: "lane-plots" }, ...this.plots.map(({ element }) => element));
  }

  build({ lanes, samples, seeds }) {
    this.styles = lanes;
    for (const plot of this.plots) Object.assign(plot, { samples, banded: seeds > 1 });
  }

  draw(frames, shown) {
    Object.assign(this, { frames, shown });
    const current = frames.filter((frame) => frame.shape === shown.shape); // others are of lanes that are gone
    if (shown.shape.lanes.length !== this.styles.length) return; // the page is about to say what they look like
    for (const plot of this.plots) plot.draw(current, shown, this.styles, this.looked);
  }

  highlight(lane) {
    this.looked = lane;
    if (this.frames) this.draw(this.frames, this.shown);
  }
}
