// The image that is looked at: one of the test images, or a drawing; and what the net takes it for.

const LEVELS = "0123456789abcdef";

const percent = (share) => (share > 0 && share < 0.001 ? "< 0.1 %" : `${(100 * share).toFixed(1)} %`);

class ProbePanel {
  // `change(probe)` hears the number of a test image, or a drawing.
  constructor(change) {
    this.change = change;
    this.canvas = picture({ class: "picture probe", role: "img", "aria-label": "the image that is looked at; draw on it" });
    this.saliency = picture({ class: "picture saliency", role: "img", "aria-label": "how much each pixel matters for the highest score" });
    this.told = html("p", { class: "told" });
    this.bars = html("div", { class: "bars", role: "img" });
    this.rows = Array.from({ length: 10 }, (_, digit) => {
      const fill = html("i");
      const share = html("span");
      this.bars.append(html("div", { class: "bar" }, html("b", {}, digit), html("div", { class: "track" }, fill), share));
      return { fill, share };
    });
    this.element = html("section", { class: "panel probe-panel", "aria-label": "image" },
      html("header", {}, html("h3", {}, "Image"), html("span", { class: "tools" },
        html("button", { type: "button", onclick: () => this.step(-1), title: "the test image before", "aria-label": "the test image before" }, "‹"),
        html("button", { type: "button", onclick: () => this.step(1), title: "the next test image", "aria-label": "the next test image" }, "›"),
        html("button", { type: "button", onclick: () => this.clear() }, "clear"))),
      html("div", { class: "pair" }, html("figure", {}, this.canvas, html("figcaption", {}, "draw on it")), html("figure", {}, this.saliency, html("figcaption", {}, "saliency"))),
      this.told, this.bars);
    this.canvas.addEventListener("pointerdown", (event) => this.press(event));
    this.canvas.addEventListener("pointermove", (event) => { if (this.pen !== undefined) this.stroke(event); });
    for (const name of ["pointerup", "pointercancel"]) this.canvas.addEventListener(name, () => this.lift());
  }

  build({ probe, images, size, watching }) { Object.assign(this, { probe, images, size, watching }); }

  paint(shape, parts, dark, scale) {
    this.dark = dark;
    if (this.pen === undefined) {
      this.pixels = [...shape.probe];
      paintGrey(this.canvas, this.pixels, shape.size, dark);
    }
    paintSigns(this.saliency, parts.saliency, shape.size, scale, reachOf(parts.saliency));
    const chances = parts.probabilities;
    const answer = chances.indexOf(Math.max(...chances));
    this.rows.forEach(({ fill, share }, digit) => {
      fill.style.width = `${(100 * chances[digit]).toFixed(1)}%`;
      share.textContent = percent(chances[digit]);
      fill.parentElement.parentElement.classList.toggle("answer", digit === answer);
    });
    const right = shape.label === null ? "" : shape.label === answer ? ", and it is" : `, and it is ${one(shape.label)}`;
    this.told.replaceChildren(shape.label === null ? "Drawn: " : `Test image ${this.number}: `, "taken for ", html("b", {}, one(answer)), right);
    this.told.classList.toggle("wrong", shape.label !== null && shape.label !== answer);
    this.bars.setAttribute("aria-label", `taken for ${one(answer)} with ${percent(chances[answer])}`);
  }

  // Of the test image; a drawing of another size than the images' is none of them, and the first one is shown.
  get number() { return /^\d{1,4}$/.test(this.probe) ? Number(this.probe) % this.images : 0; }

  step(by) { this.change(String((this.number + by + this.images) % this.images)); }

  clear() { this.change("0".repeat(this.size ** 2)); }

  // ---- drawing: a soft brush, as a pen on the paper that was scanned

  press(event) {
    if (this.watching || event.button) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.pen = event.shiftKey ? 0 : 1;
    this.stroke(event);
  }

  stroke(event) {
    const box = this.canvas.getBoundingClientRect();
    const { size } = this;
    const [x, y] = [((event.clientX - box.left) / box.width) * size - 0.5, ((event.clientY - box.top) / box.height) * size - 0.5];
    const width = size / 9;
    this.pixels.forEach((level, k) => {
      const ink = clamp(1.35 - Math.hypot((k % size) - x, Math.floor(k / size) - y) / width, 0, 1);
      this.pixels[k] = this.pen ? Math.max(level, ink) : Math.min(level, 1 - ink);
    });
    paintGrey(this.canvas, this.pixels, size, this.dark);
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.send(), 120);
  }

  lift() {
    if (this.pen === undefined) return;
    clearTimeout(this.soon);
    this.send();
    this.pen = undefined;
  }

  send() { this.change(this.pixels.map((level) => LEVELS[Math.round(15 * clamp(level, 0, 1))]).join("")); }
}
