// Links where something is always lit: if nothing is pointed at or pinned, what a slider stands on.

class SteppedLinks extends Links {
  hover(cell) { super.hover(cell ?? (this.pinned ? undefined : this.stepped)); }

  pin(cell) {
    super.pin(cell);
    if (!this.hovered) this.hover();
  }
}
