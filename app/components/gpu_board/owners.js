// From threads to results: every element of the result with the thread that writes it, a tone for each block of the grid.

const TONES = 4;

class Owners {
  constructor(links, visit) {
    Object.assign(this, { links, visit });
    this.element = html("section", { class: "memories owners", "aria-label": "which thread writes which element" });
    links.listen(this.element);
  }

  build({ arrays, owners, block: shown }) {
    const { shape, width, segmented } = arrays[owners.array];
    this.links.clear("owners");
    const cells = owners.thread.map((thread, element) => this.cell(`out[${indexAt(shape, element).join(", ")}]`, thread, owners.block[element], owners.writers[element], shown));
    if (!segmented) cells.forEach((node, element) => place(node, indexAt(shape, element), shape.at(-1)));
    const rows = html("div", { class: "rows", role: "group", "aria-label": "the thread that writes each element", style: `--width: ${width}` }, ...cells);
    this.element.replaceChildren(html("figure", { class: `array${cells.length > PIXELS ? " pixels" : ""}${segmented ? " wide" : ""}` },
      html("figcaption", {}, html("b", {}, "who writes out"), html("small", {}, "the number of the thread; a tone is a block, bold the one on show; click on another to go there")), rows));
  }

  // Threads of the block on show are linked with their lanes and with all that they touch.
  cell(name, thread, block, writers, shown) {
    const nobody = thread < 0;
    const here = block === shown;
    const said = nobody ? `${name}: no thread writes it` : `${name}: thread ${thread} of block ${block}${writers > 1 ? `, the last of ${writers}` : ""}`;
    const node = html("i", { class: `cell tone-${block % TONES}${here ? " here" : ""}${writers > 1 ? " conflict" : ""}${nobody ? " pending" : ""}`, tabindex: -1, title: said, "aria-label": said,
      onclick: () => { if (!here && !nobody) this.visit(block); } }, nobody ? "" : thread);
    this.links.add(node, { element: here ? threadKey(thread) : `owner ${block} ${thread}`, part: "owners" });
    return node;
  }
}

function ownerSaid(key) {
  const [, block, thread] = key.split(" ");
  return Number(thread) < 0 ? "No thread writes this element." : `Thread ${thread} of block ${block} writes what is lit in the map below. Click to go to that block.`;
}
