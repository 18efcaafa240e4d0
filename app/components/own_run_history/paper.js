// A canvas in the theme's colours, as sharp as the screen, with places for steps and for numbers.

const EDGES = { left: 52, right: 10, top: 8, bottom: 20 };

class Paper {
  constructor(label, hover) {
    this.canvas = html("canvas", { role: "img", tabindex: 0, "aria-label": label });
    this.canvas.addEventListener("pointermove", (event) => hover(this.share(event.offsetX)));
    this.canvas.addEventListener("pointerdown", (event) => hover(this.share(event.offsetX)));
    this.canvas.addEventListener("pointerleave", () => hover(null));
  }

  share(x) { return clamp((x - EDGES.left) / Math.max(this.width - EDGES.left - EDGES.right, 1), 0, 1); }

  // Begins a drawing; returns the pen, or nothing while the canvas has no size.
  begin() {
    const { canvas } = this;
    [this.width, this.height] = [canvas.clientWidth, canvas.clientHeight];
    if (!this.width) return undefined;
    const density = devicePixelRatio || 1;
    Object.assign(canvas, { width: this.width * density, height: this.height * density });
    const style = getComputedStyle(canvas);
    this.colour = (name) => style.getPropertyValue(`--${name}`);
    const pen = canvas.getContext("2d");
    pen.scale(density, density);
    pen.font = `11px ${style.getPropertyValue("--code")}`;
    return pen;
  }

  x(share) { return EDGES.left + share * (this.width - EDGES.left - EDGES.right); }
  y(share) { return EDGES.top + (1 - share) * (this.height - EDGES.top - EDGES.bottom); }

  // Numbers at the left, step numbers below.
  axes(pen, marks, [first, last]) {
    Object.assign(pen, { fillStyle: this.colour("muted"), strokeStyle: this.colour("border"), lineWidth: 1, textBaseline: "middle", textAlign: "right" });
    for (const [share, text] of marks) {
      pen.fillText(text, EDGES.left - 6, clamp(this.y(share), 7, this.height - EDGES.bottom));
      pen.beginPath();
      pen.moveTo(EDGES.left, this.y(share));
      pen.lineTo(this.width - EDGES.right, this.y(share));
      pen.stroke();
    }
    pen.textBaseline = "alphabetic";
    pen.textAlign = "left";
    pen.fillText(`step ${first}`, EDGES.left, this.height - 5);
    pen.textAlign = "right";
    if (last !== first) pen.fillText(`step ${last}`, this.width - EDGES.right, this.height - 5);
  }
}
