// A small map in the corner while only part of the drawing is in sight; a click goes there.

const MAP_WIDTH = 168;
const MAP_HEIGHT = 72;

class Overview {
  constructor(camera) {
    this.camera = camera;
    this.canvas = html("canvas", { "aria-hidden": "true" });
    this.window = html("div", { class: "window" });
    this.element = html("div", { class: "overview", hidden: true, title: "overview: click to go there" }, this.canvas, this.window);
    this.element.addEventListener("pointerdown", (event) => this.go(event));
    this.element.addEventListener("pointermove", (event) => event.buttons && this.go(event));
  }

  build(model, width, height) {
    this.scale = Math.min(MAP_WIDTH / width, MAP_HEIGHT / height);
    this.size = [width * this.scale, height * this.scale];
    const density = globalThis.devicePixelRatio || 1;
    Object.assign(this.canvas, { width: this.size[0] * density, height: this.size[1] * density });
    Object.assign(this.element.style, { width: `${this.size[0]}px`, height: `${this.size[1]}px` });
    this.density = density * this.scale;
  }

  // Reads the colours of the theme once: asking for them at every step would force a layout.
  dress() {
    const style = getComputedStyle(this.element);
    this.colour = Object.fromEntries(["zero", "value", "gradient", "tangent", "current"].map((name) => [name, style.getPropertyValue(`--${name}`)]));
  }

  paint(model, index) {
    this.painted = [model, index];
    if (this.element.hidden) return;
    const { colour } = this;
    const paper = this.canvas.getContext("2d");
    paper.setTransform(this.density, 0, 0, this.density, 0, 0);
    paper.clearRect(0, 0, this.canvas.width, this.canvas.height);
    const reached = model.forwardMode ? colour.tangent : colour.gradient;
    for (const [id, { x, y, w, h }] of model.nodes) {
      paper.fillStyle = id === model.steps[index].node ? colour.current : model.gradient(id, index) !== undefined ? reached
        : model.value(id, index) !== undefined ? colour.value : colour.zero;
      paper.fillRect(x - w / 2, y - h / 2, w, h);
    }
  }

  looked() {
    const { camera } = this;
    const hidden = camera.whole || !this.scale;
    if (this.element.hidden !== hidden) {
      this.element.hidden = hidden;
      if (!hidden) this.paint(...this.painted);
    }
    if (hidden) return;
    const ratio = this.scale / camera.scale;
    const [left, top] = [Math.max(-camera.x * ratio, 0), Math.max(-camera.y * ratio, 0)];
    const [right, bottom] = [Math.min((camera.width - camera.x) * ratio, this.size[0]), Math.min((camera.height - camera.y) * ratio, this.size[1])];
    Object.assign(this.window.style, { transform: `translate(${left}px, ${top}px)`, width: `${right - left}px`, height: `${bottom - top}px` });
  }

  go(event) {
    const { camera } = this;
    const box = this.element.getBoundingClientRect();
    const [x, y] = [(event.clientX - box.left) / this.scale, (event.clientY - box.top) / this.scale];
    camera.following = false;
    camera.place(...camera.bounded(camera.width / 2 - x * camera.scale, camera.height / 2 - y * camera.scale));
  }
}
