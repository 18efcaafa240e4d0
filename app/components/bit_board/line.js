// The number line: one lane a format, all to the same scale; the number is a handle, lanes are panned and picked from.

const STILL = 4; // pixels that a hand may tremble in a click
const LETTER = 7; // pixels that a digit of a label takes, with some air

// A count: whole while it is short, then 17.6M, then 9.2e18.
function short(count) {
  if (count >= 1e12) return count.toExponential(1).replace("e+", "e");
  return count.toLocaleString("en", count < 1e5 ? {} : { notation: "compact", maximumSignificantDigits: 3 });
}

class NumberLine {
  // `act(name, value, final)` hears what was done; places are in halves of the width, from the middle.
  constructor(act) {
    this.act = act;
    this.handle = html("button", { type: "button", class: "grip", role: "slider", "aria-label": "the number, on the line", title: "drag the number; arrow keys move it" });
    this.number = html("div", { class: "number" }, this.handle);
    this.lanes = html("div", { class: "lanes" });
    this.axis = html("div", { class: "axis", "aria-hidden": "true" });
    this.plane = html("div", { class: "plane" }, this.lanes, this.axis, this.number);
    this.view = html("div", { class: "view" }, this.plane);
    this.names = html("div", { class: "names" });
    this.told = html("span", { class: "told" });
    this.away = html("span", { class: "away", hidden: true });
    this.element = html("section", { class: "line", "aria-label": "number line" },
      html("header", {}, html("h3", {}, "On one line"), this.told, this.away, html("span", { class: "tools" },
        iconButton("zoomOut", "zoom out", () => this.zoom(-1)), iconButton("zoomIn", "zoom in", () => this.zoom(1)), iconButton("fit", "back to the number", () => this.act("fit", {}, true)))),
      html("div", { class: "stage" }, this.names, this.view));
    this.listen();
  }

  listen() {
    const { view, handle } = this;
    handle.addEventListener("pointerdown", (event) => this.grab(event, "number", handle));
    view.addEventListener("pointerdown", (event) => { if (event.target !== handle) this.grab(event, "view", view); });
    for (const element of [handle, view]) {
      element.addEventListener("pointermove", (event) => this.drag(event));
      element.addEventListener("pointerup", (event) => this.drop(event));
      element.addEventListener("pointercancel", () => this.cancel());
    }
    handle.addEventListener("keydown", (event) => this.key(event));
    view.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      if (!this.waiting) this.zoom(event.deltaY < 0 ? 1 : -1);
      this.waiting = true;
    }, { passive: false });
  }

  build(data) {
    Object.assign(this, { data, waiting: false });
    this.told.textContent = `${data.width.replace("-", "−")} wide`;
    this.plane.style.setProperty("--reach", data.reach);
    this.names.replaceChildren(...data.rows.map((row) => html("div", { class: "name" }, html("b", {}, row.name), html("small", { title: this.counted(row) }, this.counted(row)))));
    this.lanes.replaceChildren(...data.rows.map((row) => this.lane(row)));
    this.axis.replaceChildren(...this.roomy(data.labels).map(({ place, text }) => html("span", { style: this.left(place), class: this.isCut(place, text) ? "cut" : undefined }, text)));
    if (!this.grip) {
      this.plane.style.transform = "";
      this.mark(data.place);
    }
  }

  counted({ count, stride }) {
    const said = `${short(count)} number${count === 1 ? "" : "s"}`;
    return stride > 1 ? `${said}, 1 in ${short(stride)} drawn` : said;
  }

  // As many of the labels as there is room for.
  roomy(labels) {
    const [first, second] = labels;
    if (!second) return labels;
    const room = ((second.place - first.place) / 2) * this.width;
    const needed = Math.max(...labels.map(({ text }) => text.length)) * LETTER + 2 * LETTER;
    const every = Math.ceil(needed / room);
    return labels.filter((_, k) => k % every === 0);
  }

  get width() { return this.view.clientWidth || 800; }

  // Whether a label lies across an end of the picture.
  isCut(place, text) { return Math.abs(Math.abs(place) - 1) < (text.length * LETTER) / this.width; }

  left(place) { return `left: ${((place / this.data.reach + 1) * 50).toFixed(4)}%`; }

  inReach(place) { return place !== null && Math.abs(place) <= this.data.reach; }

  // The numbers of a format as strokes, the one that was chosen as a dot, and the error between.
  lane({ name, ticks, place, ends, stride }) {
    const { reach } = this.data;
    const path = svg("path", { d: ticks.map((x) => `M${x} 0V10`).join(""), "vector-effect": "non-scaling-stroke" });
    const [low, high] = ends.map((end) => clamp(end, -reach, reach));
    const base = svg("line", { x1: low, x2: high, y1: 5, y2: 5, class: "base", "vector-effect": "non-scaling-stroke" });
    const strokes = svg("svg", { viewBox: `${-reach} 0 ${2 * reach} 10`, preserveAspectRatio: "none", "aria-hidden": "true" }, base, path);
    const lane = html("div", { class: `lane ${stride > 1 ? "dense" : ""}`, "data-format": name }, strokes);
    if (this.inReach(place)) {
      const from = clamp(this.data.place ?? place, -reach, reach);
      const [start, end] = [Math.min(from, place), Math.max(from, place)];
      lane.append(html("span", { class: "gap", style: `${this.left(start)}; width: ${((end - start) / reach) * 50}%` }), html("span", { class: "dot", style: this.left(place), "data-place": place }));
    }
    return lane;
  }

  mark(place) {
    this.number.hidden = !this.inReach(place);
    if (!this.number.hidden) this.number.style = this.left(place);
    this.handle.setAttribute("aria-valuenow", place ?? 0);
    this.handle.setAttribute("aria-valuetext", this.data.number);
    const outside = place !== null && Math.abs(place) > 1;
    this.away.hidden = !outside && place !== null;
    this.away.textContent = place === null ? "no place on the line" : place < 0 ? "← the number is further left" : "the number is further right →";
  }

  // The place under the pointer.
  at(event) {
    const { left, width } = this.view.getBoundingClientRect();
    return ((event.clientX - left) / width) * 2 - 1;
  }

  send(name, value, final) { this.act(name, { ...this.grip?.window, ...value }, final); }

  grab(event, what, element) {
    if (event.button) return;
    event.preventDefault();
    element.setPointerCapture(event.pointerId);
    this.grip = { what, x: event.clientX, at: this.at(event), moved: false, window: this.data.window, lane: event.composedPath().find((node) => node.classList?.contains("lane")) };
    if (what === "number") this.handle.focus();
  }

  drag(event) {
    const { grip } = this;
    if (!grip) return;
    const distance = event.clientX - grip.x;
    grip.moved ||= Math.abs(distance) >= STILL;
    if (!grip.moved) return;
    if (grip.what === "view") {
      this.plane.style.transform = `translateX(${distance}px)`;
    } else {
      const place = clamp(this.at(event), -1, 1);
      this.mark(place);
      this.send("number", { at: place }, false);
    }
  }

  drop(event) {
    const { grip } = this;
    if (!grip) return;
    const at = this.at(event);
    if (grip.what === "number" && grip.moved) this.send("number", { at: clamp(at, -1, 1) }, true);
    else if (grip.what === "view" && grip.moved) this.send("view", { at: grip.at - at, zoom: 0 }, true);
    else if (grip.lane) this.send("pick", { at, format: grip.lane.dataset.format }, true);
    this.grip = undefined;
  }

  cancel() {
    this.grip = undefined;
    this.build(this.data);
  }

  // Around the number where it is in view, else around the middle.
  zoom(steps) {
    const { place, window } = this.data;
    const fixed = place !== null && Math.abs(place) <= 1 ? place : 0;
    this.act("view", { ...window, at: fixed * (1 - 2 ** -steps), zoom: steps }, true);
  }

  key(event) {
    const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    const zoom = { "+": 1, "=": 1, "-": -1 }[event.key];
    if (!step && !zoom) return;
    event.preventDefault();
    event.stopPropagation();
    if (zoom) this.zoom(zoom);
    else this.act("number", { ...this.data.window, at: clamp(this.data.place + (step * (event.shiftKey ? 10 : 1)) / 50, -1, 1) }, true);
  }
}
