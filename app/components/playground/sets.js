// The sets of points to choose from, each as a small picture of itself.

const THUMB = 44; // pixels

class Sets {
  constructor(change) {
    this.change = change;
    this.element = html("div", { class: "sets", role: "radiogroup", "aria-label": "points" });
  }

  build({ sets, set, can_edit: canEdit, thumbnails }, scale) {
    const key = JSON.stringify([sets, set, canEdit, thumbnails["own points"]]) + scale.css(-1);
    if (key === this.key) return;
    this.key = key;
    this.element.hidden = !canEdit;
    this.element.replaceChildren(...sets.map((name) => {
      const chosen = name === set;
      return html("button", { type: "button", role: "radio", "aria-checked": String(chosen), "aria-label": name, title: name, class: chosen ? "chosen" : undefined,
        onclick: () => this.change({ data: name }) }, this.picture(thumbnails[name], scale), html("small", {}, name));
    }));
  }

  picture(points, scale) {
    const ratio = 2;
    const canvas = html("canvas", { width: THUMB * ratio, height: THUMB * ratio });
    const context = canvas.getContext("2d");
    for (const [x, y, target] of points) { // places from 0 to 1
      context.fillStyle = scale.css(target, Math.max(Math.abs(target), 0.15));
      context.beginPath();
      context.arc((0.06 + 0.88 * x) * THUMB * ratio, (0.94 - 0.88 * y) * THUMB * ratio, 1.6 * ratio, 0, 2 * Math.PI);
      context.fill();
    }
    return canvas;
  }
}
