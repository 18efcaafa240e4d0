// The grid of blocks as it stands, and in each block its threads; the block on show is large and coloured by what it does.

const WIDEST = 16; // threads in a row

class Blocks {
  constructor(links, choose) {
    Object.assign(this, { links, choose });
    this.caption = html("h4");
    this.grid = html("div", { class: "grid", role: "group", "aria-label": "blocks of the grid" });
    this.legend = html("p", { class: "legend" }, ...Object.entries({ read: "reads", write: "writes", waiting: "waits at a barrier", idle: "idle in this step" }).map(([kind, said]) => html("span", {}, html("i", { class: `sample ${kind}` }), said)));
    this.element = html("section", { class: "threads-of-grid", "aria-label": "grid, blocks, threads" }, this.caption, this.grid, this.legend);
    links.listen(this.grid);
  }

  build({ grid, shape, block, threads, fault }) {
    const [across, down] = grid;
    this.caption.replaceChildren("Threads", html("small", {}, across * down > 1 ? `block ${block} of blocks 0 to ${across * down - 1}, ${threads} threads in each` : `${threads} in one block`));
    this.links.clear("threads");
    this.lanes = Array.from({ length: threads }, (_, thread) => {
      const place = shape[1] > 1 ? `, x ${thread % shape[0]}, y ${Math.floor(thread / shape[0])}` : "";
      const node = html("i", { class: "cell lane", tabindex: -1, "data-thread": thread, "aria-label": `thread ${thread}${place}`, title: `thread ${thread}${place}` }, thread);
      this.links.add(node, { element: threadKey(thread), part: "threads" });
      return node;
    });
    this.grid.style.setProperty("--across", across);
    this.grid.replaceChildren(...Array.from({ length: across * down }, (_, number) => this.block(number, { block, shape, threads, fault })));
  }

  block(number, { block, shape, threads, fault }) {
    const style = `--width: ${Math.min(shape[0], WIDEST)}`;
    const wrong = number === fault?.block ? " faulty" : "";
    if (number === block) return html("div", { class: `block here${wrong}`, style, "data-block": number }, ...this.lanes);
    return html("button", { type: "button", class: `block${wrong}`, style, "data-block": number, "aria-label": `show block ${number}`, title: `show block ${number}`, onclick: () => this.choose(number) },
      ...Array.from({ length: threads }, () => html("i", { class: "lane" })));
  }

  paint(step, fault) {
    const working = new Set(step?.threads);
    this.lanes.forEach((node, thread) => {
      const state = !step ? "" : !working.has(thread) ? "idle" : { barrier: "waiting", fault: step.warp === ALL_WARPS ? "waiting" : "faulty" }[step.kind] ?? step.kind;
      const blamed = fault?.threads.includes(thread) && step?.kind !== "fault" ? "faulty" : "";
      node.className = ["cell lane", state, blamed, ...["lit", "pinned"].filter((name) => node.classList.contains(name))].filter(Boolean).join(" ");
    });
  }
}
