// The loss at every step that was kept; where it is no number, a cross at the top.

class Losses {
  constructor() {
    this.paper = new Paper("loss over steps", (share) => { this.at = share; this.paint(); });
    this.logarithmic = html("input", { type: "checkbox", onchange: () => this.paint() });
    this.said = html("span", { class: "said" });
    this.element = html("figure", { class: "losses" }, html("figcaption", {}, html("b", {}, "Loss"), this.said, html("label", {}, this.logarithmic, "log scale")), this.paper.canvas);
  }

  build(losses) {
    this.losses = losses.map(([step, loss]) => [step, decode(loss)]);
    this.element.hidden = !losses.length;
  }

  paint() {
    const { paper, losses } = this;
    const pen = losses.length ? paper.begin() : undefined;
    if (!pen) return;
    const log = this.logarithmic.checked;
    const finite = losses.map(([, loss]) => loss).filter((loss) => Number.isFinite(loss) && (!log || loss > 0));
    const [low, high] = finite.length ? [log ? Math.min(...finite) : Math.min(0, ...finite), Math.max(...finite)] : [0, 1];
    const place = log ? (loss) => Math.log(loss / low) / (Math.log(high / low) || 1) : (loss) => (loss - low) / (high - low || 1);
    const steps = [losses[0][0], losses.at(-1)[0]];
    const x = (step) => paper.x((step - steps[0]) / Math.max(steps[1] - steps[0], 1));
    paper.axes(pen, [[0, format(low, 3)], [1, format(high, 3)]], steps);
    Object.assign(pen, { strokeStyle: paper.colour("value"), lineWidth: 1.8, lineJoin: "round" });
    pen.beginPath();
    let down = false;
    for (const [step, loss] of losses) {
      const known = Number.isFinite(loss) && (!log || loss > 0);
      if (known) pen[down ? "lineTo" : "moveTo"](x(step), paper.y(place(loss)));
      down = known;
    }
    pen.stroke();
    Object.assign(pen, { fillStyle: paper.colour("error"), textAlign: "center" });
    for (const [step, loss] of losses) if (!Number.isFinite(loss)) pen.fillText("×", x(step), paper.y(1) + 8);
    const wanted = steps[0] + (this.at ?? 1) * (steps[1] - steps[0]);
    const [step, loss] = losses.reduce((best, each) => (Math.abs(each[0] - wanted) < Math.abs(best[0] - wanted) ? each : best));
    this.said.textContent = `step ${step}: ${format(loss, 4)}`;
    if (Number.isFinite(loss) && (!log || loss > 0)) {
      pen.fillStyle = paper.colour("current");
      pen.beginPath();
      pen.arc(x(step), paper.y(place(loss)), 4, 0, 7);
      pen.fill();
    }
  }
}
