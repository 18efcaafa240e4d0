// The lanes at one moment of the race: how far each is, what its loss is, and what it takes for an epoch.

const UNITS = [["s", 1], ["ms", 1e-3], ["µs", 1e-6]];

// Seconds in the unit that fits.
function duration(seconds, digits = 3) {
  const [unit, scale] = UNITS.find(([, size]) => seconds >= size * 0.9995) ?? UNITS.at(-1);
  return `${Number((seconds / scale).toPrecision(digits)).toLocaleString("en")} ${unit}`;
}

// How many of an ascending list are at most this.
function countUpTo(sorted, value) {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= value) low = middle + 1; else high = middle;
  }
  return low;
}

// Where a lane is at a moment: its epoch, its loss there, and whether it has come to its end.
function standing({ clock, epochs, losses, late }, moment) {
  const known = countUpTo(clock, moment - late);
  return { epoch: known ? epochs[known - 1] : 0, loss: known ? losses[known - 1] : undefined, waits: moment < late, ended: known === clock.length && known > 0 };
}

class LaneRow {
  constructor(look) {
    this.name = html("b");
    this.bar = html("i", { class: "bar" });
    this.mark = html("span", { class: "said" });
    this.epoch = html("span", { class: "epoch" });
    this.pace = html("span", { class: "pace" });
    this.element = html("div", { class: "lane", role: "group", onpointerenter: () => look(true), onpointerleave: () => look(false) },
      html("span", { class: "name" }, html("i", { class: "dot" }), this.name), html("div", { class: "track" }, this.bar, this.mark), this.epoch, this.pace);
  }

  build(lane, total) {
    Object.assign(this, { lane, total });
    this.element.style.setProperty("--hue", `var(--${lane.hue})`);
    this.element.toggleAttribute("data-out", !lane.clock.length);
    this.element.dataset.name = lane.name;
    this.name.textContent = lane.name;
    this.pace.replaceChildren(lane.pace || "–", html("small", {}, lane.spread));
  }

  paint(moment) {
    const { lane, total } = this;
    const { epoch, loss, waits, ended } = standing(lane, moment);
    this.bar.style.width = `${(100 * epoch) / total}%`;
    this.epoch.replaceChildren(lane.clock.length ? `epoch ${epoch}` : "", html("small", {}, loss === undefined ? "" : `loss ${format(loss, 3)}`));
    const stopped = ended && epoch < total;
    this.element.toggleAttribute("data-stopped", stopped);
    this.element.toggleAttribute("data-going", lane.going);
    this.mark.textContent = !lane.clock.length || stopped ? lane.note : waits ? "compiling" : "";
    this.mark.style.left = `${Math.min((100 * epoch) / total, 55)}%`;
    this.element.setAttribute("aria-label", `${lane.name}: epoch ${epoch} of ${total}${loss === undefined ? "" : `, loss ${format(loss, 3)}`}, ${lane.pace || lane.note}`);
  }
}
