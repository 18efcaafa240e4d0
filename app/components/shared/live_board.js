// What every run that is watched has: transport, curves, the connection, and a picture drawn anew in each
// animation frame in which something is new. A subclass builds the picture.

const PATIENCE = 3000; // milliseconds in which the page should have answered
const SLOW = 9; // milliseconds for one picture, above which it should be made coarser

class LiveBoard {
  constructor(root) {
    this.root = root;
    this.transport = new RunTransport((name, value) => this.do(name, value));
    this.curves = new Curves((epoch, final) => this.seek(epoch, final));
    this.problem = html("p", { class: "problem", role: "alert", hidden: true });
    this.remark = html("p", { class: "remark", role: "status" });
    this.stopListening = listenAnywhere(root, (event) => this.present(event));
    root.addEventListener("keydown", (event) => { if (!event.composedPath()[0].closest("input, select, button")) this.present(event) && event.preventDefault(); });
  }

  // What a subclass says: `build(data)` for new settings, `paint(frame)` for a moment, `read(shape)` once for
  // each description of rows, and `coarser(by)` where pictures take too long (1) or there is time (-1).
  build() {}
  paint() {}
  read(shape) { return shape; }
  coarser() {}

  update(data, send) {
    Object.assign(this, { data, busyUntil: 0 });
    this.send = (name, value) => { if (name !== "moved") this.busyUntil = performance.now() + PATIENCE; send(name, value); };
    this.root.toggleAttribute("data-watching", Boolean(data.watching));
    this.scale = new Scale(this.root);
    if (this.stream?.token !== data.token) {
      this.stream?.close();
      this.scrubbed = undefined;
      this.stream = new Stream(data.token, (shape) => this.read(shape), () => { this.compare(); this.ask(); }, (text) => this.complain(text));
    }
    this.complain("");
    this.transport.offer(data.sample !== undefined);
    this.build(data);
    this.ask();
  }

  complain(text) {
    this.problem.textContent = text;
    this.problem.hidden = !text;
  }

  // ---- what the visitor does

  do(name, value) {
    if (this.data.watching) return;
    const { stream, shown } = this;
    this.complain("");
    if (name !== "speed") this.scrubbed = undefined;
    if (name === "toggle") stream.send({ do: stream.state.running ? "pause" : "play" });
    if (name === "step") stream.send({ do: "step", what: value });
    if (name === "go") stream.send({ do: "go", to: value });
    if (name === "back" && shown) stream.send({ do: "go", to: String(Math.max(shown.used || stream.state.seen ? shown.epoch : shown.epoch - 1, 0)) });
    if (name === "speed") stream.send({ do: "speed", value });
  }

  // Show another moment at once; the run goes there when the hand is off.
  seek(epoch, final) {
    if (this.data.watching) return;
    if (this.stream.state.running) this.stream.send({ do: "pause" });
    this.scrubbed = { epoch, used: 0 };
    const frame = final && this.stream.at(this.scrubbed);
    if (frame) this.stream.send({ do: "go", to: written(frame) });
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

  // Streamlit keeps only the latest of two messages that it gets before it ran the page for the first. So this
  // one waits while a change is not answered, and is sent again if it was lost itself.
  moved() {
    clearTimeout(this.telling);
    this.telling = setTimeout(() => {
      if (performance.now() < this.busyUntil) { this.moved(); return; }
      this.send("moved", true);
      this.telling = setTimeout(() => { this.told = undefined; this.compare(); }, PATIENCE);
    }, 200);
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
    this.transport.paint(this.scrubbed ? { ...stream.state, seen: 0 } : stream.state, frame);
    this.remark.textContent = stream.state.remark ?? "";
    if (!frame?.shape) return;
    const began = performance.now();
    this.shown = frame;
    this.paint(frame);
    this.curves.draw(stream.frames, frame, data.classes);
    this.root.dataset.pictures = Number(this.root.dataset.pictures ?? 0) + 1;
    this.adapt(performance.now() - began);
    if (stream.fresh.length) this.ask();
  }

  adapt(took) {
    this.took = 0.9 * (this.took ?? took) + 0.1 * took;
    if (this.took > SLOW) { this.coarser(1); this.took = SLOW / 2; }
    else if (this.took < SLOW / 6) { this.coarser(-1); this.took = SLOW / 2; }
  }

  destroy() {
    this.stopListening();
    this.stream?.close();
  }
}
