// The race: a moment that is dragged, stepped or played, the lanes there, and their loss over seconds and epochs.

const STEPS = 60; // of the moment, from the first epoch of all to the end
const END = 1000; // the moment that stands for the end of any race

class RaceBoard {
  constructor(root) {
    this.root = root;
    this.stepper = new Stepper((step, settled) => this.go(step, settled), "moment", "seconds into the race");
    this.list = html("div", { class: "lanes" });
    this.rows = new Map();
    const look = (name) => this.look(name);
    this.race = new LossPlot("Loss over seconds: the race", "seconds of a lane's own clock", ({ places }) => places, (place, final) => this.go(this.stepAt(place), final), look);
    this.same = new LossPlot("Loss over epochs: the same training", "epoch", ({ epochs }) => epochs, () => {}, look);
    this.note = html("p", { class: "agreement" });
    const veil = html("p", { class: "veil" }, "Commit to a prediction above, or skip it, to see the race.");
    root.replaceChildren(html("section", { class: "race" }, this.stepper.transport, this.list, html("div", { class: "plots" }, this.race.element, this.same.element), this.note, veil));
    this.sizes = new ResizeObserver(() => this.paint());
    this.sizes.observe(this.race.plot.svg);
    this.stopListening = listenAnywhere(root, (event, target) => this.stepper.present(event, target));
  }

  update(data, send) {
    Object.assign(this, { data, send });
    for (const lane of data.lanes) lane.places = lane.clock.map((seconds) => Math.log10(seconds + lane.late));
    this.root.toggleAttribute("data-veiled", data.veiled);
    this.stepper.limit(STEPS);
    this.stepper.transport.hidden = data.live || !data.raced;
    if (!this.settling) this.step = data.live || data.moment >= END ? STEPS : this.stepAt(Math.log10(data.moment));
    this.settling = false;
    this.note.textContent = data.agreement;
    this.buildRows();
    this.paint();
  }

  buildRows() {
    const { lanes, total } = this.data;
    if (this.rows.size !== lanes.length) {
      this.rows = new Map(lanes.map(({ name }) => [name, new LaneRow((on) => this.look(on ? name : undefined))]));
      this.list.replaceChildren(...[...this.rows.values()].map(({ element }) => element));
    }
    for (const lane of lanes) this.rows.get(lane.name).build(lane, total);
  }

  stepAt(place) {
    const { low, high } = this.data;
    return clamp(Math.round((STEPS * (place - low)) / (high - low)), 0, STEPS);
  }

  get moment() {
    const { low, high } = this.data;
    return 10 ** (low + (this.step / STEPS) * (high - low));
  }

  go(step, settled) {
    if (this.data.live || !this.data.raced) return;
    this.step = clamp(step, 0, STEPS);
    this.stand();
    if (!settled) return;
    this.settling = true;
    this.send("change", { moment: this.step === STEPS ? END : Number(this.moment.toPrecision(3)) });
  }

  paint() {
    if (!this.data) return;
    const { data } = this;
    const { low, high, total } = data;
    this.race.draw(data, [low, high], (width) => decades(low, high, width / 70), (place) => duration(10 ** place, 1));
    this.same.draw(data, [0, total], (width) => ticks(0, total, width / 70), format);
    this.stand();
  }

  stand() {
    const { moment, data } = this;
    for (const row of this.rows.values()) row.paint(data.live ? Infinity : moment);
    this.race.mark(data.live || !data.raced ? NaN : Math.log10(moment));
    this.stepper.stand(this.step, this.step === STEPS ? "the end" : `after ${duration(moment)}`);
  }

  look(name) {
    if (name === this.looked) return;
    this.looked = name;
    for (const [own, { element }] of this.rows) element.toggleAttribute("data-looked", own === name);
    for (const plot of [this.race, this.same]) plot.highlight(name);
  }

  destroy() {
    this.sizes.disconnect();
    this.stopListening();
    this.stepper.pause();
  }
}

export default mounting(RaceBoard);
