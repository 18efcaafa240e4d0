// Looking at the drawing: fit, zoom, pan, and following the current step.

const PADDING = 26;
const LARGEST_FIT = 1.5;

class Camera {
  constructor(element, world, events) {
    Object.assign(this, { element, world, events });
    this.x = this.y = 0;
    this.scale = 1;
    this.width = this.height = 1;
    this.readable = 0.65; // below this scale numbers cannot be read; the view follows the step instead
    this.following = true;
    this.pointers = new Map();
    this.moved = false;
    element.addEventListener("pointerdown", (event) => this.press(event));
    element.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) element.addEventListener(name, (event) => this.release(event));
    element.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    for (const name of ["focus", "blur"]) element.addEventListener(name, () => this.touch());
  }

  // A new drawing: its size, seen whole or, when that would be too small to read, at a readable scale.
  extent(width, height) {
    this.worldWidth = width;
    this.worldHeight = height;
    this.following = true;
  }

  resize(width, height) {
    Object.assign(this, { width, height });
  }

  get fitScale() {
    const across = (this.width - 2 * PADDING) / this.worldWidth;
    const down = (this.height - 2 * PADDING) / this.worldHeight;
    return Math.max(Math.min(across, down, LARGEST_FIT), 0.05);
  }

  // Whether the whole drawing can be seen at a readable scale: then there is nothing to follow.
  get roomy() { return this.fitScale >= this.readable; }

  get whole() { return this.scale <= this.fitScale * 1.001; }

  home(nodes) {
    this.following = true;
    this.scale = Math.max(this.fitScale, this.readable);
    this.place(...this.target(nodes));
  }

  fit() {
    this.scale = this.fitScale;
    this.following = this.roomy;
    this.glide(...this.bounded(this.width / 2, this.height / 2));
  }

  setFollowing(following, nodes) {
    this.following = following;
    if (!following) return this.apply();
    this.scale = Math.max(this.scale, this.fitScale, this.readable);
    this.glide(...this.target(nodes));
  }

  zoom(factor, at = [this.width / 2, this.height / 2]) {
    const scale = clamp(this.scale * factor, Math.min(this.fitScale, this.readable) * 0.8, 4);
    const ratio = scale / this.scale;
    this.scale = scale;
    this.place(...this.bounded(at[0] - (at[0] - this.x) * ratio, at[1] - (at[1] - this.y) * ratio));
  }

  // Pans so that the step's nodes are in sight, unless the reader has taken the view elsewhere.
  follow(nodes) {
    if (!this.following || this.whole) return;
    const [left, top, right, bottom] = bounds(nodes);
    const inside = left * this.scale + this.x > PADDING && right * this.scale + this.x < this.width - PADDING
      && top * this.scale + this.y > PADDING && bottom * this.scale + this.y < this.height - PADDING;
    if (!inside) this.glide(...this.target(nodes));
  }

  target(nodes) {
    const [left, top, right, bottom] = bounds(nodes);
    return this.bounded(this.width / 2 - ((left + right) / 2) * this.scale, this.height / 2 - ((top + bottom) / 2) * this.scale);
  }

  // Keeps the drawing in the frame: centred when it fits, otherwise without empty margins.
  bounded(x, y) {
    const along = (position, world, frame) => {
      const size = world * this.scale;
      if (size <= frame - 2 * PADDING) return (frame - size) / 2;
      return clamp(position, frame - size - PADDING, PADDING);
    };
    return [along(x, this.worldWidth, this.width), along(y, this.worldHeight, this.height)];
  }

  place(x, y) {
    cancelAnimationFrame(this.frame);
    Object.assign(this, { x, y });
    this.apply();
  }

  glide(x, y) {
    if (reducedMotion()) return this.place(x, y);
    cancelAnimationFrame(this.frame);
    const [fromX, fromY, begun] = [this.x, this.y, performance.now()];
    const tick = (now) => {
      const t = clamp((now - begun) / 260, 0, 1);
      const eased = 1 - (1 - t) ** 3;
      Object.assign(this, { x: fromX + (x - fromX) * eased, y: fromY + (y - fromY) * eased });
      this.apply();
      if (t < 1) this.frame = requestAnimationFrame(tick);
    };
    this.frame = requestAnimationFrame(tick);
  }

  apply() {
    this.world.setAttribute("transform", `translate(${this.x.toFixed(2)} ${this.y.toFixed(2)}) scale(${this.scale.toFixed(4)})`);
    this.touch();
    this.events.looked();
  }

  // A finger scrolls the page until the drawing is zoomed in or focused; then it pans the drawing.
  touch() {
    const engaged = !this.whole && this.element.matches(":focus");
    this.element.style.touchAction = engaged || this.scale > Math.max(this.fitScale, this.readable) * 1.05 ? "none" : "pan-x pan-y";
  }

  press(event) {
    this.pointers.set(event.pointerId, [event.offsetX, event.offsetY]);
    if (this.pointers.size === 1) this.moved = false;
    this.element.focus({ preventScroll: true });
  }

  move(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const after = [event.offsetX, event.offsetY];
    if (!this.moved && Math.hypot(after[0] - before[0], after[1] - before[1]) < 4) return;
    if (!this.moved) this.element.setPointerCapture(event.pointerId);
    this.moved = true;
    if (this.pointers.size === 2) {
      const [other] = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
      const spread = (point) => Math.hypot(point[0] - other[0], point[1] - other[1]);
      this.zoom(spread(after) / Math.max(spread(before), 1), [(after[0] + other[0]) / 2, (after[1] + other[1]) / 2]);
    } else {
      this.following = false;
      this.place(...this.bounded(this.x + after[0] - before[0], this.y + after[1] - before[1]));
    }
    this.pointers.set(event.pointerId, after);
  }

  release(event) {
    this.pointers.delete(event.pointerId);
  }

  wheel(event) {
    if (!event.ctrlKey && !this.element.matches(":focus")) return;
    event.preventDefault();
    this.zoom(Math.exp(-clamp(event.deltaY, -60, 60) * (event.ctrlKey ? 0.01 : 0.003)), [event.offsetX, event.offsetY]);
  }
}

function bounds(nodes) {
  return [
    Math.min(...nodes.map((node) => node.x - node.w / 2)),
    Math.min(...nodes.map((node) => node.y - node.h / 2)),
    Math.max(...nodes.map((node) => node.x + node.w / 2)),
    Math.max(...nodes.map((node) => node.y + node.h / 2)),
  ];
}
