// The grid of blocks, and the threads of one of them: a row of 32 lanes for each warp, coloured by what they do.

class Threads {
  constructor(links, choose) {
    Object.assign(this, { links, choose });
    this.blocks = html("div", { class: "blocks", role: "group", "aria-label": "blocks of the grid" });
    this.caption = html("h3");
    this.warps = html("div", { class: "warps", role: "group", "aria-label": "threads of the block" });
    this.legend = html("p", { class: "legend" }, ...["read", "write", "atomic", "waiting", "idle", "none"].map((kind) => html("span", {}, html("i", { class: `sample ${kind}` }), { read: "reads", write: "writes", atomic: "updates, atomically", waiting: "waits at a barrier", idle: "idle while its warp works", none: "no thread: a lane lost" }[kind])));
    this.element = html("section", { class: "threads", "aria-label": "grid, block, warps, threads" },
      html("h3", {}, "grid", html("small", {}, "its blocks run in any order")), this.blocks, this.caption, this.warps, this.legend);
    links.listen(this.warps);
  }

  build({ blocks, block, threads, fault }, launch) {
    this.launch = launch;
    this.blocks.replaceChildren(...Array.from({ length: blocks }, (_, number) => html("button", { type: "button", class: number === fault?.block ? "faulty" : undefined,
      "aria-pressed": String(number === block), "aria-label": `block ${number}`, title: `block ${number}`, onclick: () => this.choose(number) }, number)));
    this.caption.replaceChildren(`block ${block}`, html("small", {}, `${threads} threads, ${launch.warps} ${launch.warps === 1 ? "warp" : "warps"}`));
    this.links.clear("threads");
    this.lanes = Array.from({ length: threads }, (_, thread) => {
      const node = html("i", { class: "cell lane", tabindex: -1, "data-thread": thread, "aria-label": `thread ${thread}` }, thread);
      this.links.add(node, { element: threadKey(thread), part: "threads" });
      return node;
    });
    this.rows = Array.from({ length: launch.warps }, (_, warp) => html("div", { class: "warp" }, html("small", {}, `warp ${warp}`), ...this.lanes.slice(WARP * warp, WARP * (warp + 1)),
      ...Array.from({ length: Math.max(WARP * (warp + 1) - threads, 0) }, () => html("i", { class: "lane none", title: "no thread: a lane lost" }))));
    this.warps.replaceChildren(...this.rows);
  }

  paint(step, fault) {
    const working = new Set(step?.threads);
    this.rows.forEach((row, warp) => row.classList.toggle("working", step && (step.warp === ALL_WARPS || step.warp === warp)));
    this.lanes.forEach((node, thread) => {
      const mine = step && (step.warp === ALL_WARPS || step.warp === Math.floor(thread / WARP));
      const state = !mine ? "" : !working.has(thread) ? "idle" : { barrier: "waiting", fault: step.warp === ALL_WARPS ? "waiting" : "faulty" }[step.kind] ?? step.kind;
      const blamed = fault?.threads.includes(thread) && step?.kind !== "fault" ? "faulty" : "";
      node.className = ["cell lane", state, blamed, node.classList.contains("lit") ? "lit" : "", node.classList.contains("pinned") ? "pinned" : ""].filter(Boolean).join(" ");
    });
  }
}
