// Transport, scrubbing, speed and view: buttons that only tell the player what was asked.

const SPEEDS = [[0.5, "½×"], [1, "1×"], [2, "2×"], [4, "4×"], [8, "8×"]];

class Toolbar {
  constructor(player) {
    this.play = iconButton("play", "play", () => player.togglePlay(), { class: "icon-button primary", "data-action": "play" });
    this.range = html("input", { type: "range", class: "scrub", min: 0, step: 1, "aria-label": "step",
      oninput: () => player.visit(Number(this.range.value)) });
    this.count = html("output", { class: "count" });
    this.phase = html("span", { class: "phase" });
    this.speed = html("select", { class: "speed", "aria-label": "speed", title: "speed",
      onchange: () => player.setSpeed(Number(this.speed.value)) },
      ...SPEEDS.map(([factor, name]) => html("option", { value: factor, selected: factor === 1 }, name)));
    this.follow = iconButton("follow", "follow the current step", () => player.toggleFollow(), { "data-action": "follow", "aria-pressed": "true" });
    this.link = iconButton("link", "copy a link to this step", () => player.share(), { "data-action": "link" });
    const button = (name, label, action) => iconButton(name, label, action, { "data-action": name });
    this.element = html("div", { class: "toolbar", role: "toolbar", "aria-label": "player" },
      html("div", { class: "group transport" },
        button("first", "first step (Home)", () => player.visit(0)),
        button("previous", "previous step (←)", () => player.visit(player.step - 1)),
        this.play,
        button("next", "next step (→)", () => player.visit(player.step + 1)),
        button("last", "last step (End)", () => player.visit(Infinity))),
      this.range,
      html("div", { class: "group status" }, this.count, this.phase),
      html("div", { class: "group pace" }, this.speed),
      html("div", { class: "group view" },
        button("zoomOut", "zoom out (−)", () => player.zoom(1 / 1.25)),
        button("zoomIn", "zoom in (+)", () => player.zoom(1.25)),
        button("fit", "fit the whole graph (0)", () => player.fit()),
        this.follow),
      html("div", { class: "group share" }, this.link,
        button("download", "download this picture as SVG", () => player.download())));
  }

  // The track shows where the passes are: one colour a phase, told apart by the badge's word as well.
  build(model) {
    const last = model.steps.length - 1;
    this.range.max = last;
    const hue = (step) => (step.phase === "backward" ? "var(--gradient)" : model.forwardMode ? "var(--tangent)" : "var(--value)");
    const stops = [];
    model.steps.forEach((step, index) => {
      const previous = model.steps[index - 1];
      if (previous && hue(previous) === hue(step)) return;
      const at = `${((100 * Math.max(index - 0.5, 0)) / Math.max(last, 1)).toFixed(2)}%`;
      if (previous) stops.push(`${hue(previous)} ${at}`);
      stops.push(`${hue(step)} ${at}`);
    });
    stops.push(hue(model.steps[last]));
    this.range.style.setProperty("--track", `linear-gradient(to right, ${stops.join(", ")})`);
  }

  paint(model, index) {
    const [last, { phase }] = [model.steps.length - 1, model.steps[index]];
    this.range.value = index;
    this.range.style.setProperty("--done", `${(100 * index) / Math.max(last, 1)}%`);
    this.range.setAttribute("aria-valuetext", `step ${index + 1} of ${last + 1}, ${phase}`);
    this.count.replaceChildren(html("span", {}, "step "), html("b", {}, String(index + 1)), ` / ${last + 1}`);
    this.phase.textContent = phase;
    this.phase.dataset.phase = phase === "forward" && model.forwardMode ? "tangent" : phase;
    for (const name of ["first", "previous"]) this.button(name).setAttribute("aria-disabled", String(index === 0));
    for (const name of ["next", "last"]) this.button(name).setAttribute("aria-disabled", String(index === last));
  }

  button(name) { return this.element.querySelector(`[data-action="${name}"]`); }

  showPlaying(playing) {
    this.play.replaceChildren(icon(playing ? "pause" : "play"));
    this.play.title = playing ? "pause (space)" : "play (space)";
    this.play.setAttribute("aria-label", playing ? "pause" : "play");
  }

  showFollowing({ following, roomy }) {
    this.follow.hidden = roomy;
    this.follow.setAttribute("aria-pressed", String(following));
  }

  confirmLink(message) {
    this.link.replaceChildren(icon("tick"));
    this.link.title = message;
    setTimeout(() => {
      this.link.replaceChildren(icon("link"));
      this.link.title = this.link.getAttribute("aria-label");
    }, 1600);
  }
}
