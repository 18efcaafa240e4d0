// Which node is looked at: graph, program, code and timelines light up together, whichever of them is pointed at.

class NodeLinks {
  // `looked(nodes)` hears which nodes are looked at, or null.
  constructor(root, looked) {
    this.root = root;
    this.looked = looked;
    root.addEventListener("pointerover", (event) => this.point(event.target));
    root.addEventListener("pointerleave", () => this.light(this.pinned ?? null));
    root.addEventListener("focusin", (event) => this.point(event.target));
    root.addEventListener("click", (event) => this.pin(event.target));
  }

  point(target) {
    const held = target.closest?.("[data-nodes]");
    this.light(held ? nodesOf(held) : this.pinned ?? null);
    if (held) this.reveal(held);
  }

  // Brings what is lit elsewhere into sight, in lists that are longer than their frame.
  reveal(held) {
    for (const list of this.root.querySelectorAll(".program, .code pre, .graph")) {
      const lit = list.contains(held) ? null : list.querySelector(".lit") ?? list.querySelector(".touched:not(.remark)");
      if (!lit) continue;
      const [frame, place] = [list.getBoundingClientRect(), lit.getBoundingClientRect()];
      if (place.top < frame.top || place.bottom > frame.bottom) list.scrollTop += place.top - frame.top - frame.height / 3;
    }
  }

  // A click keeps the light on; another one on the same, or beside everything, lets it go.
  pin(target) {
    const held = target.closest?.("[data-nodes]");
    if (!held && target.closest?.("button, input, select")) return;
    const nodes = held ? nodesOf(held) : null;
    this.pinned = nodes && String(nodes) !== String(this.pinned) ? nodes : undefined;
    this.light(this.pinned ?? nodes);
  }

  forget() {
    this.pinned = undefined;
    this.light(null);
  }

  // Lit: all that is for these nodes and no others; touched: what is for others as well.
  light(nodes) {
    const wanted = new Set(nodes ?? []);
    for (const element of this.root.querySelectorAll("[data-nodes]")) {
      const own = nodesOf(element);
      const shared = own.filter((node) => wanted.has(node)).length;
      element.classList.toggle("lit", shared > 0 && shared === own.length);
      element.classList.toggle("touched", shared > 0 && shared < own.length);
    }
    this.looked(nodes);
  }
}

const nodesOf = (element) => (element.dataset.nodes ? element.dataset.nodes.split(" ").map(Number) : []);
