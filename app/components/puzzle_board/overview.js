// All puzzles as chips: which are solved, which one is open; forwards, backwards, on to the next unsolved one.

class Overview {
  // `choose(name)` opens a puzzle, `forget()` gives all progress up.
  constructor(choose, forget) {
    Object.assign(this, { choose, forget });
    this.count = html("output", { class: "count" });
    this.bar = html("progress", { max: 1, value: 0, "aria-label": "puzzles solved" });
    this.reset = html("button", { type: "button", class: "quiet", onclick: () => this.ask() }, "Start over");
    this.groups = html("div", { class: "groups" });
    this.groups.addEventListener("keydown", (event) => this.key(event));
    this.element = html("nav", { class: "overview", "aria-label": "puzzles" }, html("div", { class: "tally" }, this.count, this.bar, this.reset), this.groups);
  }

  update({ puzzles, solved, puzzle }) {
    Object.assign(this, { puzzles, solved, puzzle });
    if (!this.chips) this.build();
    for (const [name, chip] of this.chips) {
      const entry = puzzles.find((one) => one.name === name);
      const done = name in solved;
      chip.classList.toggle("solved", done);
      chip.setAttribute("aria-current", String(name === puzzle));
      chip.setAttribute("tabindex", name === puzzle ? 0 : -1);
      chip.setAttribute("aria-label", `puzzle ${entry.number}, ${entry.title}${done ? ", solved" : ""}`);
    }
    this.reveal(this.chips.get(puzzle));
    const done = Object.keys(solved).length;
    this.count.replaceChildren(html("b", {}, String(done)), ` of ${puzzles.length} solved`);
    Object.assign(this.bar, { max: puzzles.length, value: done });
    this.reset.hidden = !done;
  }

  build() {
    this.chips = new Map(this.puzzles.map(({ name, number, title }) => [name,
      html("button", { type: "button", class: "chip", "data-puzzle": name, title, onclick: () => this.choose(name) }, html("span", { class: "name" }, title), html("small", {}, String(number)))]));
    const groups = new Set(this.puzzles.map(({ group }) => group));
    this.groups.replaceChildren(...[...groups].map((group) => {
      const chips = this.puzzles.filter((one) => one.group === group).map(({ name }) => this.chips.get(name));
      return html("div", { class: "group" }, html("h4", {}, group), html("div", { class: "chips" }, ...chips));
    }));
  }

  // On a phone a group is one long row: the open puzzle is brought into sight.
  reveal(chip) {
    if (chip === this.revealed) return;
    this.revealed = chip;
    const row = chip.parentElement;
    row.scrollLeft = chip.offsetLeft - row.offsetLeft - (row.clientWidth - chip.offsetWidth) / 2;
  }

  at(distance) {
    const place = this.puzzles.findIndex(({ name }) => name === this.puzzle);
    return this.puzzles[place + distance]?.name;
  }

  // The next unsolved puzzle after the open one, from the start again if need be.
  unsolved() {
    const place = this.puzzles.findIndex(({ name }) => name === this.puzzle);
    const round = [...this.puzzles.slice(place + 1), ...this.puzzles.slice(0, place)];
    return round.find(({ name }) => !(name in this.solved))?.name;
  }

  key(event) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const chips = [...this.chips.values()];
    const from = chips.indexOf(event.target.closest(".chip"));
    chips[clamp(from + step, 0, chips.length - 1)].focus();
  }

  // Giving up everything takes a second press.
  ask() {
    if (this.asked) {
      this.calm();
      this.forget();
      return;
    }
    this.asked = setTimeout(() => this.calm(), 4000);
    this.reset.textContent = "Forget all answers?";
    this.reset.classList.add("danger");
  }

  calm() {
    clearTimeout(this.asked);
    this.asked = undefined;
    this.reset.textContent = "Start over";
    this.reset.classList.remove("danger");
  }
}
