// The flat storage: its slots in order, one row a cache line. Slots beyond the ends are there only if a view goes there.

const ROOM = 3; // characters of a number that fit where a row is a whole line

class Ribbon {
  constructor(links) {
    this.links = links;
    this.title = html("h3");
    this.lines = html("div", { class: "lines", role: "grid", "aria-label": "storage" });
    this.element = html("section", { class: "part storage", "aria-label": "storage" }, this.title, this.lines);
    this.lines.addEventListener("keydown", (event) => this.key(event));
    links.listen(this.lines);
  }

  // `veiled` keeps to itself whether it is a copy, and how large.
  build(storage, numbers, copy, veiled) {
    const signature = JSON.stringify([storage, numbers.values, copy, veiled]);
    if (signature === this.signature) return;
    this.signature = signature;
    this.links.clear("storage");
    const { size, line, slots, elements } = storage;
    const count = veiled ? "" : `${size.toLocaleString("en")} slots; `;
    this.title.replaceChildren(copy && !veiled ? "storage of the copy" : "storage", html("small", {}, `${count}a row is a cache line of 64 bytes`));
    this.lines.classList.toggle("halved", numbers.width > ROOM); // a line in two rows
    const rows = new Map();
    slots.forEach((slot, k) => {
      const number = Math.floor(slot / line);
      if (!rows.has(number)) rows.set(number, html("div", { class: "slots", role: "row", "data-line": number }));
      const row = rows.get(number);
      const column = slot - number * line;
      const node = cell(elements[k], slot, numbers, { role: "gridcell", "data-slot": slot });
      node.style.setProperty("--column", column + 1);
      node.style.setProperty("--half", (column % (line / 2)) + 1);
      node.append(html("small", { "aria-hidden": "true" }, format(slot)));
      node.setAttribute("aria-label", elements[k] === OUTSIDE ? `position ${slot}, outside the storage` : `slot ${slot}: ${node.firstChild.textContent}`);
      this.links.add(node, { element: elements[k], position: slot, part: "storage" });
      row.append(node);
    });
    const shown = [...rows].sort(([a], [b]) => a - b);
    this.lines.replaceChildren(...shown.flatMap(([number, row], k) => {
      const skipped = k ? number - shown[k - 1][0] - 1 : 0;
      return skipped ? [html("p", { class: "gap" }, `⋮ ${skipped.toLocaleString("en")} more lines`), row] : [row];
    }));
    this.lines.querySelector(".cell")?.setAttribute("tabindex", 0);
  }

  find(slot) { return this.lines.querySelector(`[data-slot="${slot}"]`); }

  // The line that a walk is on, and whether it has just come to it.
  showLine(number) {
    for (const row of this.lines.querySelectorAll(".slots.walked")) row.classList.remove("walked");
    this.lines.querySelector(`[data-line="${number}"]`)?.classList.add("walked");
  }

  // Scrolls the storage, and nothing else, until the slot is in sight.
  reveal(slot) {
    const { element } = this;
    const [box, own] = [element, this.find(slot)].map((node) => node?.getBoundingClientRect());
    if (own && own.top < box.top) element.scrollTop -= box.top - own.top;
    else if (own && own.bottom > box.bottom) element.scrollTop += own.bottom - box.bottom;
  }

  key(event) {
    const [down, right] = ARROWS[event.key] ?? [];
    const from = event.target.closest?.(".cell");
    if (down === undefined || !from) return;
    event.preventDefault();
    event.stopPropagation();
    const to = this.find(Number(from.dataset.slot) + right + down * 16);
    if (!to) return;
    from.setAttribute("tabindex", -1);
    to.setAttribute("tabindex", 0);
    to.focus();
  }
}
