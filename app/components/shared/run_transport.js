// Start, pause, steps forward and back, speed; and where the run stands.

const SPEEDS = [["1 a second", 1], ["5 a second", 5], ["20 a second", 20], ["60 a second", 60], ["as fast as it can", 0]];

class RunTransport {
  constructor(act) {
    this.act = act;
    this.toggle = html("button", { type: "button", class: "main", onclick: () => act("toggle") });
    this.epoch = html("output", { class: "epoch" });
    this.pace = html("span", { class: "pace" });
    this.sample = html("button", { type: "button", class: "batch", hidden: true, title: "look at the next sample of the batch; when all were looked at, make the step", onclick: () => act("step", "sample") }, "1 sample");
    this.seen = html("span", { class: "seen" });
    this.speed = html("select", { "aria-label": "epochs a second", onchange: (event) => act("speed", Number(event.target.value)) },
      ...SPEEDS.map(([name, value]) => html("option", { value, selected: value === 0 }, name)));
    this.element = html("div", { class: "transport", role: "group", "aria-label": "training" },
      iconButton("first", "back to the beginning", () => act("go", "0")),
      iconButton("previous", "one epoch back", () => act("back")),
      this.toggle,
      iconButton("next", "one epoch", () => act("step", "epoch")),
      html("button", { type: "button", class: "batch", title: "one step: one batch of samples", onclick: () => act("step", "batch") }, "1 batch"),
      this.sample,
      html("label", { class: "speed" }, "Epochs", this.speed),
      html("span", { class: "where" }, "epoch ", this.epoch), this.seen, this.pace);
  }

  // Some runs can be stepped by a single sample.
  offer(samples) { this.sample.hidden = !samples; }

  paint({ running, pace, provisional, seen }, shown) {
    this.seen.textContent = seen ? `${seen} of the next batch seen` : "";
    this.toggle.replaceChildren(icon(running ? "pause" : "play"), running ? "Pause" : "Train");
    this.toggle.setAttribute("aria-label", running ? "pause" : "train");
    this.epoch.textContent = shown ? `${shown.epoch.toLocaleString("en")}${shown.used ? ` + ${shown.used} samples` : ""}` : "–";
    this.pace.textContent = running ? `${format(pace < 10 ? pace : Math.round(pace))} epochs a second${provisional ? "; faster as soon as its kernels are compiled" : ""}` : "";
  }
}
