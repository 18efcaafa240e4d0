// The whole: two threads with the memory between them, the steps made, the hazard, and how it can end.

const ON = ["ArrowRight", "ArrowDown", "PageDown", " "], BACK = ["ArrowLeft", "ArrowUp", "PageUp"];

class Board {
  constructor(root) {
    this.root = root;
    this.told = []; // orders that the server was told and has not answered yet
    this.channel = new ChangeChannel((change) => this.send("change", change));
    const pick = (name) => this.act(() => this.walk.make(name));
    this.parts = [0, 1].map((thread) => new ThreadPart(thread, pick));
    this.memory = html("section", { class: "memory", "aria-label": "shared memory" });
    this.timeline = new Timeline((at) => this.look(at));
    this.hazard = html("p", { class: "hazard", role: "status" });
    this.outcomes = new Outcomes();
    this.real = new RealRuns();
    this.orders = html("div", { class: "orders", role: "group", "aria-label": "orders" });
    this.count = html("output", { class: "count" });
    const bar = html("div", { class: "transport" }, iconButton("first", "to the start", () => this.act(() => this.walk.toStart())), iconButton("previous", "one step back", () => this.act(() => this.walk.back())),
      iconButton("next", "the next step of the order", () => this.act(() => this.walk.next())), this.orders, this.count);
    const veil = html("p", { class: "veil" }, "Commit to a prediction above, or skip it, to see all the ways it can end.");
    const body = html("div", { class: "board", tabindex: -1, onkeydown: (event) => this.typed(event) }, bar,
      html("div", { class: "scene" }, this.parts[0].element, this.memory, this.parts[1].element), this.timeline.element, this.hazard,
      html("div", { class: "ending" }, this.outcomes.element, this.real.element, veil));
    root.replaceChildren(body);
    this.stopListening = listenAnywhere(root, (event, target) => !target.closest?.(USES_KEYS) && this.key(event));
  }

  update(data, send) {
    const program = JSON.stringify([data.source, data.data, data.bins]);
    Object.assign(this, { data, send });
    this.root.toggleAttribute("data-veiled", data.veiled);
    this.channel.answered();
    if (program !== this.program) this.told = [];
    if (program !== this.program || !this.echoes(data.order)) this.walk = new Walk(data.nodes, data.order);
    this.program = program;
    this.parts.forEach((part, thread) => part.build(data.source, data.data[thread]));
    const follow = (order) => () => this.act(() => { this.walk.follow(order); return this.walk.next(); });
    this.orders.replaceChildren(...data.orders.map(({ name, order }) => html("button", { type: "button", onclick: follow(order) }, name)));
    this.real.paint(data.real);
    this.paint();
  }

  // Whether the server only says what it was told: it may be some steps behind.
  echoes(order) {
    const place = this.told.indexOf(order);
    this.told.splice(0, place + 1);
    return place >= 0 || order === this.walk.order;
  }

  act(move) {
    if (!move()) return;
    this.paint();
    this.told.push(this.walk.order);
    this.channel.offer({ name: "order", value: { order: this.walk.order }, final: true });
  }

  key(event) {
    const letter = event.key.toUpperCase();
    if (ON.includes(event.key)) this.act(() => this.walk.next());
    else if (BACK.includes(event.key)) this.act(() => this.walk.back());
    else if (event.key === "Home" || letter === "R") this.act(() => { this.walk.toStart(); return true; });
    else if (letter.length === 1 && NAMES.includes(letter)) this.act(() => this.walk.make(letter));
    else return false;
    return true;
  }

  // Letters pick a thread wherever the focus is in the board.
  typed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || this.root.hasAttribute("data-present")) return;
    if (event.key === " " || !this.key(event)) return;
    event.preventDefault();
  }

  paint() {
    const { walk, data } = this;
    const { node, steps } = walk;
    const last = steps.at(-1);
    this.parts.forEach((part) => part.paint(node));
    this.memory.replaceChildren(html("h3", {}, "Memory"), ...data.bins.map((name, cell) => html("div", { class: `cell${last?.touches && last.cell === cell ? ` touched-${NAMES[last.thread]}` : ""}` }, html("small", {}, name), html("b", {}, String(node.memory[cell])))), html("p", { class: "way" }, data.way));
    this.count.textContent = `${steps.length} steps`;
    this.timeline.paint(walk, data.bins);
    this.outcomes.paint(walk, data.expected);
    this.look(undefined);
    this.root.dataset.order = walk.order;
  }

  // What is to be said of a step: the one pointed at, else the last.
  look(at) {
    const { steps } = this.walk;
    const place = at ?? steps.length - 1;
    this.timeline.light(steps, place < 0 ? undefined : place);
    const [kind, text] = this.said(steps, place);
    this.hazard.dataset.kind = kind;
    this.hazard.textContent = text;
  }

  said(steps, place) {
    const { data, walk } = this;
    if (place < 0) return ["", "Pick which thread makes the next step: the buttons, or the keys A and B."];
    const { thread, text, lost, races, cell } = steps[place];
    const who = `Step ${place + 1}, ${NAMES[thread]}: ${text}.`;
    const total = sum(walk.node.memory);
    const end = walk.isOver && place === steps.length - 1 ? ` In the end ${total} of ${data.expected} are counted.` : "";
    if (lost > 0) return ["lost", `${who} An update is lost: ${NAMES[1 - thread]} has written ${data.bins[cell]} since ${NAMES[thread]} loaded it.${end}`];
    if (races.length) return ["races", `${who} A data race with step ${races.map((at) => at + 1).join(", ")}: the same memory, one of them writes, nothing orders them.${end}`];
    return ["", `${who}${end}`];
  }

  destroy() {
    this.stopListening();
  }
}

export default mounting(Board);
