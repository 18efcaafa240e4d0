// The whole: transport, net, output, losses; drawn anew in every animation frame in which something is new.

const boards = new WeakMap();
const SIZES = [64, 48, 32, 20]; // points of the grid along an edge: fewer where drawing takes too long
const SLOW = 9; // milliseconds for one picture

class Playground {
  constructor(root) {
    this.root = root;
    this.size = 0;
    this.transport = new Transport((name, value) => this.do(name, value));
    this.card = new Card((name, value) => { this.stream.send({ do: "edit", name, value }); this.moved(); });
    this.network = new Network((name, value) => this.do(name, value), (place) => { this.looked = place; this.ask(); },
      (link, event) => (link ? this.card.show(this.parameter(link), event, this.frameBox(), false) : this.card.hide(true)));
    this.output = new OutputPicture((points) => this.send("change", { points }));
    this.curves = new Curves((epoch, final) => this.seek(epoch, final));
    this.sets = new Sets((fields) => this.send("change", fields));
    this.problem = html("p", { class: "problem", role: "alert", hidden: true });
    this.body = html("div", { class: "body" }, this.network.element, html("div", { class: "side" }, this.output.element, this.curves.element));
    root.replaceChildren(html("div", { class: "playground" }, this.sets.element, this.transport.element, this.problem, this.body, this.card.element));
    this.stopListening = listenAnywhere(root, (event) => this.present(event));
    root.addEventListener("keydown", (event) => { if (!event.composedPath()[0].closest("input, select, button")) this.present(event) && event.preventDefault(); });
  }

  update(data, send) {
    Object.assign(this, { data, send });
    dress(this.root, data);
    this.root.toggleAttribute("data-watching", data.watching);
    this.scale = new Scale(this.root);
    if (this.stream?.token !== data.token) {
      this.stream?.close();
      this.scrubbed = undefined;
      this.stream = new Stream(data.token, () => { this.compare(); this.ask(); }, (text) => this.complain(text));
    }
    this.complain("");
    this.sets.build(data, this.scale);
    this.network.build(data);
    this.output.build(data);
    if (this.reach !== String(data.reach)) this.grids = SIZES.map((size) => new Grid(size, data.reach));
    this.reach = String(data.reach);
    this.ask();
    this.root.dataset.ready = "true";
  }

  complain(text) {
    this.problem.textContent = text;
    this.problem.hidden = !text;
  }

  // ---- what the visitor does

  do(name, value) {
    const { stream } = this;
    this.complain("");
    if (this.data.watching) return undefined;
    if (name === "features" || name === "hidden") return this.send("change", { [name]: value });
    if (name === "hold") return this.card.show(this.parameter(value), value.event, this.frameBox(), true);
    const shown = this.shown;
    this.scrubbed = undefined;
    if (name === "toggle") stream.send({ do: stream.state.running ? "pause" : "play" });
    if (name === "step") stream.send({ do: "step", what: value });
    if (name === "go") stream.send({ do: "go", to: value });
    if (name === "back" && shown) stream.send({ do: "go", to: String(Math.max(shown.used ? shown.epoch : shown.epoch - 1, 0)) });
    if (name === "speed") stream.send({ do: "speed", value });
    return undefined;
  }

  // Show another moment at once; the run goes there when the hand is off.
  seek(epoch, final) {
    if (this.data.watching) return;
    if (this.stream.state.running) this.stream.send({ do: "pause" });
    this.scrubbed = { epoch, used: 0 };
    if (final) {
      const frame = this.stream.at(this.scrubbed);
      if (frame) this.stream.send({ do: "go", to: written(frame) });
    }
    this.ask();
  }

  // Let the page know of controls that it does not know, and of the moment at which the run stands: its link names it.
  compare() {
    const { state } = this.stream;
    if (!state.known) return;
    const still = !state.running && !this.data.watching;
    const moment = `${state.controls} ${still ? written(state) : ""}`;
    if (moment !== `${this.data.controls} ${still ? this.data.moment : ""}` && moment !== this.told) this.moved();
    this.told = moment;
  }

  moved() {
    clearTimeout(this.telling);
    this.telling = setTimeout(() => this.send("moved", true), 200);
  }

  present(event) {
    const actions = { " ": () => this.do("toggle"), ArrowRight: () => this.do("step", "epoch"), PageDown: () => this.do("step", "epoch"), ArrowLeft: () => this.do("back"), PageUp: () => this.do("back"), Home: () => this.do("go", "0"), r: () => this.do("go", "0") };
    const action = actions[event.key];
    action?.();
    return Boolean(action);
  }

  // ---- drawing

  ask() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => { this.asked = false; this.draw(); });
  }

  // The frame to be shown: the moment that was dragged to, else the next one that came.
  next() {
    const { stream } = this;
    const { fresh, state } = stream;
    if (this.scrubbed) {
      fresh.length = 0;
      return stream.at(this.scrubbed);
    }
    if (!state.running) {
      fresh.length = 0;
      return stream.at(state);
    }
    if (fresh.length > 8) fresh.splice(0, fresh.length - 4); // it has fallen behind
    return fresh.shift() ?? this.shown ?? stream.at(state);
  }

  draw() {
    const { stream, data } = this;
    if (stream.lost) this.complain(stream.lost === "gone" ? "This run is no longer on the server. Reload the page to start it again: the link holds all of it." : "The connection to the server is lost; trying again…");
    else if (this.problem.textContent.startsWith("The connection")) this.complain("");
    const frame = this.next();
    this.transport.paint(stream.state, frame);
    if (!frame?.shape) return;
    const began = performance.now();
    this.shown = frame;
    const grid = this.grids[this.size];
    const values = [frame.shape.inputs.map((name) => grid.feature(name)), ...grid.forward(frame.shape.parts, frame.shape.inputs, frame.row)];
    this.network.draw(frame, values, grid, this.scale);
    const place = this.looked && values[this.looked.layer]?.[this.looked.unit] ? this.looked : undefined;
    const title = !place || place.layer === values.length - 1 ? "Output" : place.layer === 0 ? frame.shape.inputs[place.unit] : `Layer ${place.layer}, unit ${place.unit + 1}`;
    this.output.draw(place ? values[place.layer][place.unit] : values.at(-1)[0], grid.size, this.scale, title);
    this.curves.draw(stream.frames, frame, data.classes);
    this.root.dataset.pictures = Number(this.root.dataset.pictures ?? 0) + 1;
    this.adapt(performance.now() - began);
    if (stream.fresh.length) this.ask();
  }

  // A coarser grid where pictures take too long, a finer one again where there is time.
  adapt(took) {
    this.took = 0.9 * (this.took ?? took) + 0.1 * took;
    if (this.took > SLOW && this.size < SIZES.length - 1) { this.size += 1; this.took = SLOW / 2; }
    else if (this.took < SLOW / 6 && this.size > 0) { this.size -= 1; this.took = SLOW / 2; }
  }

  // A weight or bias with its value now.
  parameter({ name }) {
    const [kind, layer, unit, input] = name.split(".").map((part, k) => (k ? Number(part) : part));
    const part = this.shown.shape.parts[layer];
    return { name, weight: this.shown.row[kind === "bias" ? part.bias + unit : part.weight + unit * part.fanIn + input] };
  }

  frameBox() { return this.root.firstElementChild.getBoundingClientRect(); }

  destroy() {
    this.stopListening();
    this.stream?.close();
    boards.delete(this.root);
  }
}

// Streamlit calls this again on every change of data or theme, with the same parentElement.
export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".unroll");
  if (!root || !data) return undefined;
  if (!boards.has(root)) boards.set(root, new Playground(root));
  boards.get(root).update(data, setTriggerValue);
  // A superseded call is cleaned up while the component lives on: only a root that left the page is over.
  return () => setTimeout(() => { if (!root.isConnected) boards.get(root)?.destroy(); });
}
