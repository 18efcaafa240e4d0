// Two runs on one scale: a block for each operation or kernel, below it the temporaries that exist meanwhile.

const SMALLEST = 0.3; // percent of a lane: a block that is shorter could not be seen
const ROOMY = 2; // percent beside its name that a block needs to show it

class Timeline {
  // `chosen(scale)` hears whether blocks are to be as long as their bytes or as their time.
  constructor(chosen) {
    const button = (scale, text) => html("button", { type: "button", "data-scale": scale, onclick: () => chosen(scale) }, text);
    this.scales = html("div", { class: "choice", role: "group", "aria-label": "length of the blocks" }, button("bytes", "bytes"), button("time", "time"));
    this.rows = html("div", { class: "lanes" });
    this.element = html("section", { class: "timeline", "aria-label": "timelines" }, this.rows);
  }

  show(lanes, wanted, veiled) {
    const measured = lanes.every(({ blocks, rest }) => rest && blocks.every(({ time }) => time !== null));
    const scale = wanted === "time" && measured ? "time" : "bytes";
    for (const button of this.scales.children) {
      button.setAttribute("aria-pressed", String(button.dataset.scale === scale));
      button.disabled = button.dataset.scale === "time" && !measured;
      button.title = button.disabled ? "measure first" : "";
    }
    const long = (lane) => lane.blocks.reduce((sum, block) => sum + block[scale], 0) + (scale === "time" ? lane.rest.time : 0);
    const wide = (lane) => lane.blocks.reduce((sum, block) => sum + share(block[scale], longest), 0);
    const longest = Math.max(...lanes.map(long));
    const most = longest * Math.max(1, ...lanes.map((lane) => wide(lane) / 100)); // short blocks take room, too
    const peak = Math.max(...lanes.map((lane) => lane.peak), 1);
    this.rows.replaceChildren(...lanes.map((lane) => this.lane(lane, scale, most, peak, veiled && lane.name === "fused")));
  }

  lane(lane, scale, most, peak, hidden) {
    const length = (amount) => share(amount, most);
    const rest = scale === "time" && length(lane.rest.time) > SMALLEST ? [html("div", { class: "block rest", style: `width: ${length(lane.rest.time)}%`, title: lane.rest.text }, length(lane.rest.time) > ROOMY + 3 ? "rest" : "")] : [];
    const blocks = lane.blocks.map((block) => html("div", { class: "block", style: `width: ${length(block[scale])}%; --hue: var(--${block.hue ?? "constant"})`,
      "data-nodes": block.nodes.join(" "), title: block.text, role: "img", "aria-label": block.text }, length(block[scale]) > ROOMY + 0.75 * block.label.length ? block.label : ""));
    const memory = lane.blocks.map((block) => html("i", { style: `width: ${length(block[scale])}%; height: ${(100 * block.alive) / peak}%` }));
    return html("div", { class: "lane", "data-lane": lane.name, "data-hidden": hidden },
      html("div", { class: "head" }, html("b", {}, lane.name), html("span", {}, hidden ? "?" : lane.said[scale])),
      html("div", { class: "tracks" }, html("div", { class: "blocks" }, ...(hidden ? [] : [...blocks, ...rest])),
        html("div", { class: "memory" }, ...(hidden ? [] : memory))),
      html("div", { class: "tail" }, hidden ? "" : lane.peak_text));
  }
}

// Percent of the room, but for what could not be seen.
const share = (amount, most) => Math.max((100 * amount) / most, SMALLEST);
