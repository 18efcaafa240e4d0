// The player: holds the step, the selection and the view, and tells its parts what to paint.

const STEP_MILLISECONDS = 900;
const CLICKER = { PageDown: "ArrowRight", PageUp: "ArrowLeft", r: "start", R: "start", Home: "start" };

class Player {
  constructor(root) {
    this.root = root;
    this.step = 0;
    this.selected = null;
    this.speed = 1;
    this.channel = new ChangeChannel((change) => this.send("change", change));
    this.stage = new Stage({ hover: (id) => this.hover(id), select: (id) => this.select(id), looked: () => this.looked() });
    this.toolbar = new Toolbar(this);
    this.source = new Source(this);
    Object.assign(this, this.parts());
    this.result = html("p", { class: "hidden", "aria-live": "polite" });
    root.replaceChildren(html("div", { class: "frame" }, this.toolbar.element, this.source.element, this.stage.element,
      this.formula.element, html("aside", { class: "panel", "aria-label": "inputs and inspected node" }, this.inputs.element, this.inspector.element),
      ...this.more(), this.result));
    this.sizes = new ResizeObserver(() => this.resized());
    this.sizes.observe(this.stage.element);
    root.addEventListener("keydown", (event) => this.key(event));
    root.addEventListener("pointerover", (event) => {
      const term = event.target.closest?.(".formula [data-node], .inspector math [data-node]");
      if (term) this.hover(term.dataset.node ?? term.getAttribute("data-node"));
    });
    this.formula.element.addEventListener("pointerleave", () => this.hover(null));
    this.stopListening = listenAnywhere(root, (event, target) => this.act(CLICKER[event.key] ?? event.key, target));
  }

  // The smallest scale at which what stands on a node can be read.
  get readable() { return this.data.present ? 0.8 : 0.65; }

  // Further parts, for a player that has them.
  more() { return []; }

  // New data from Python. The same signature keeps step, view and selection; only numbers change.
  update(data, send) {
    const rebuild = !this.data || this.data.signature !== data.signature || this.data.steps.length !== data.steps.length;
    const text = rebuild || this.data.source !== data.source;
    Object.assign(this, { data, send, model: new Model(data) });
    this.stage.camera.readable = this.readable;
    this.stage.map.dress();
    this.channel.answered();
    if (rebuild) this.rebuild();
    if (text) this.source.build(data.source, data.nodes);
    if (!this.channel.busy) this.inputs.setValues(this.model);
    this.paint(rebuild);
    if (rebuild) this.resized();
    if (this.sharing) this.copyLink();
  }

  rebuild() {
    this.stop();
    this.step = clamp(this.first(), 0, this.model.steps.length - 1);
    this.selected = null;
    this.stage.build(this.model, this.data.width, this.data.height);
    this.toolbar.build(this.model);
    this.inputs.build(this.model, this.stage);
  }

  // The step that a new drawing begins with.
  first() { return this.data.start ?? 0; }

  visit(step) {
    this.stop();
    this.show(step);
  }

  show(step) {
    const wanted = clamp(step, 0, this.model.steps.length - 1);
    const moving = wanted !== this.step;
    this.step = wanted;
    this.paint(moving);
    if (moving) this.stage.camera.follow(this.stage.focus(this.model, this.step));
  }

  paint(moving) {
    const { model, step } = this;
    this.stage.paint(model, step, this.selected, moving);
    this.toolbar.paint(model, step);
    this.inputs.paint(model, step);
    this.formula.show(model, step);
    this.inspector.show(model, step, this.selected);
    for (const element of this.source.element.querySelectorAll(".current")) element.classList.remove("current");
    for (const element of this.linked(model.steps[step].node, this.source.element)) element.classList.add("current");
    if (moving) this.source.reveal(model.steps[step].node);
    this.result.textContent = sentence(model, step);
    this.root.dataset.step = step;
  }

  linked(id, within = this.root) {
    return within.querySelectorAll(`[data-node="${CSS.escape(id)}"]`);
  }

  // One hovered thing is lit everywhere: drawing, text, formula, table.
  hover(id) {
    if (this.hovered === id) return;
    this.hovered = id;
    for (const element of this.root.querySelectorAll(".lit")) element.classList.remove("lit");
    if (id !== null) for (const element of this.linked(id)) element.classList.add("lit");
  }

  select(id) {
    this.selected = id;
    this.paint(false);
  }

  togglePlay() {
    if (this.playing) return this.stop();
    if (this.step === this.model.steps.length - 1) this.show(0);
    this.playing = true;
    this.toolbar.showPlaying(true);
    this.schedule();
  }

  schedule() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.show(this.step + 1);
      if (this.step === this.model.steps.length - 1) this.stop();
      else this.schedule();
    }, STEP_MILLISECONDS / this.speed);
  }

  stop() {
    clearTimeout(this.timer);
    this.playing = false;
    this.toolbar.showPlaying(false);
  }

  setSpeed(speed) {
    this.speed = speed;
    if (this.playing) this.schedule();
  }

  zoom(factor) { this.stage.camera.zoom(factor); }
  fit() { this.stage.camera.fit(); }
  toggleFollow() { this.stage.camera.setFollowing(!this.stage.camera.following, this.stage.focus(this.model, this.step)); }

  looked() {
    this.toolbar.showFollowing(this.stage.camera);
    this.stage.map.looked();
  }

  resized() {
    const { clientWidth, clientHeight } = this.stage.element;
    if (!this.model || !clientWidth) return;
    const { camera } = this.stage;
    camera.resize(clientWidth, clientHeight);
    if (camera.following) camera.home(this.stage.focus(this.model, this.step));
    else camera.place(...camera.bounded(camera.x, camera.y));
  }

  change(name, value, final) { this.channel.offer({ name, value, final }); }

  // Python puts this step into the page's address; then the address is the link.
  share() {
    this.sharing = true;
    this.send("link", { step: this.step });
    setTimeout(() => this.copyLink(), 1200);
  }

  copyLink() {
    if (!this.sharing) return;
    this.sharing = false;
    const copied = navigator.clipboard?.writeText(location.href) ?? Promise.reject();
    copied.then(() => this.toolbar.confirmLink("link copied"), () => this.toolbar.confirmLink("the link is in the address bar"));
  }

  download() {
    const background = getComputedStyle(this.root).getPropertyValue("--background");
    const picture = pictureOf(this.stage, this.data.width, this.data.height, background);
    downloadText(picture, `graph-step-${this.step + 1}.svg`, "image/svg+xml");
  }

  key(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (this.act(event.key, event.composedPath()[0])) {
      event.preventDefault();
      event.stopPropagation();
    }
  }

  // Does what a key asks for; false when the key is not ours, or belongs to the control that has the focus.
  act(key, target) {
    if (isTyping(target) || (key === " " && target.localName === "button")) return false;
    const actions = {
      ArrowRight: () => this.visit(this.step + 1),
      ArrowLeft: () => this.visit(this.step - 1),
      Home: () => this.visit(0),
      End: () => this.visit(Infinity),
      start: () => this.visit(this.data.start ?? 0),
      " ": () => this.togglePlay(),
      "+": () => this.zoom(1.25),
      "=": () => this.zoom(1.25),
      "-": () => this.zoom(1 / 1.25),
      0: () => this.fit(),
    };
    if (this.selected !== null) actions.Escape = () => this.select(null);
    if (target === this.stage.svg) actions.Enter = () => this.select(this.model.steps[this.step].node);
    actions[key]?.();
    return key in actions;
  }

  destroy() {
    this.stop();
    this.sizes.disconnect();
    this.stopListening();
  }
}

const isTyping = (target) => target.isContentEditable || ["select", "textarea"].includes(target.localName)
  || (target.localName === "input" && !["range", "checkbox", "radio", "button"].includes(target.type));

// What the step did, for a screen reader.
function sentence(model, index) {
  const step = model.steps[index];
  const begin = `Step ${index + 1} of ${model.steps.length}, ${step.phase}. `;
  const said = (word, id, number) => `${word} of ${model.label(id)} is ${printQuantity(readQuantity(number))}`;
  const parts = Object.entries(step.values ?? {}).map(([id, number]) => said("value", id, number));
  const word = model.forwardMode ? "tangent" : "gradient";
  parts.push(...Object.entries(step.gradients ?? {}).map(([id, number]) => said(word, id, number)));
  return `${begin}${parts.join("; ")}.`;
}
