// Losses over time, and the way back: drag along the curve to see the net at any moment of the run.

const PAD = 4; // pixels round the curves

class Curves {
  // `scrub(epoch, final)` hears where the visitor wants to be.
  constructor(scrub) {
    this.scrub = scrub;
    this.canvas = html("canvas", { role: "slider", tabindex: 0, "aria-label": "moment of the run", "aria-valuemin": 0 });
    this.figures = html("div", { class: "figures" });
    this.logarithmic = html("input", { type: "checkbox", onchange: () => this.paint() });
    this.element = html("section", { class: "curves", "aria-label": "losses" }, this.figures, html("div", { class: "plot" }, this.canvas),
      html("footer", {}, html("span", { class: "low" }, "0"), html("label", {}, this.logarithmic, "log scale"), html("span", { class: "high" })));
    this.canvas.addEventListener("pointerdown", (event) => { this.canvas.setPointerCapture(event.pointerId); this.held = true; this.seek(event, false); });
    this.canvas.addEventListener("pointermove", (event) => { if (this.held) this.seek(event, false); });
    this.canvas.addEventListener("pointerup", (event) => { if (this.held) this.seek(event, true); this.held = false; });
    this.canvas.addEventListener("pointercancel", () => { this.held = false; });
    new ResizeObserver(() => this.paint()).observe(this.canvas);
  }

  seek(event, final) {
    const box = this.canvas.getBoundingClientRect();
    const share = clamp((event.clientX - box.left - PAD) / (box.width - 2 * PAD), 0, 1);
    if (this.frames?.length) this.scrub(Math.round(share * this.last), final);
  }

  draw(frames, shown, classes) {
    Object.assign(this, { frames, shown, classes, last: Math.max(frames.at(-1)?.epoch ?? 0, 1) });
    this.paint();
    const figure = (name, value, kind) => html("span", { class: `figure ${kind}` }, html("small", {}, name), html("b", {}, value));
    const accuracy = (share) => (classes ? ` · ${format(share * 100, 3)} %` : "");
    this.figures.replaceChildren(
      figure("train loss", `${format(shown.trainLoss, 3)}${accuracy(shown.trainAccuracy)}`, "train"),
      figure("test loss", `${format(shown.testLoss, 3)}${accuracy(shown.testAccuracy)}`, "test"),
      ...(shown.penalty ? [figure("penalty", format(shown.penalty, 3), "penalty")] : []));
    this.canvas.setAttribute("aria-valuenow", shown.epoch);
    this.canvas.setAttribute("aria-valuemax", this.last);
    this.canvas.setAttribute("aria-valuetext", `epoch ${shown.epoch}, test loss ${format(shown.testLoss, 3)}`);
    this.element.querySelector(".high").textContent = `epoch ${this.last.toLocaleString("en")}`;
  }

  paint() {
    if (!this.frames?.length) return;
    const { canvas, frames, last } = this;
    const ratio = devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (canvas.width !== width * ratio) Object.assign(canvas, { width: width * ratio, height: height * ratio });
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const style = getComputedStyle(canvas);
    const log = this.logarithmic.checked;
    const finite = frames.flatMap(({ trainLoss, testLoss }) => [trainLoss, testLoss]).filter(Number.isFinite);
    const high = Math.max(...finite.slice(0, 1e5), 1e-6);
    const low = log ? Math.max(Math.min(...finite.slice(0, 1e5)), 1e-7) : 0;
    const place = log ? (loss) => Math.log(loss / low) / Math.log(high / low || 2) : (loss) => loss / high;
    const x = (epoch) => PAD + (epoch / last) * (width - 2 * PAD);
    const y = (loss) => height - PAD - clamp(place(loss), 0, 1) * (height - 2 * PAD);
    const moment = ({ epoch, used }) => epoch + (used ? 0.5 : 0);
    for (const [name, colour] of [["trainLoss", "--data"], ["testLoss", "--value"]]) {
      context.beginPath();
      let pen = false;
      for (const frame of frames) {
        if (!Number.isFinite(frame[name])) { pen = false; continue; }
        context[pen ? "lineTo" : "moveTo"](x(moment(frame)), y(frame[name]));
        pen = true;
      }
      context.strokeStyle = style.getPropertyValue(colour);
      context.lineWidth = 1.6;
      context.stroke();
    }
    context.strokeStyle = style.getPropertyValue("--muted");
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(x(moment(this.shown)), 0);
    context.lineTo(x(moment(this.shown)), height);
    context.stroke();
  }
}
