// A tensor as cells: one table a panel, rows and columns of one or several dimensions each.

const ROOMY = 100; // cells that have room to be large
const ARROWS = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };

class Grid {
  constructor(part, title, links) {
    Object.assign(this, { part, links });
    this.title = html("h3", {}, title);
    this.panels = html("div", { class: "panels" });
    this.foot = html("div", { class: "foot" });
    this.element = html("section", { class: `part ${part}`, "aria-label": title }, this.title, this.panels, this.foot);
    this.panels.addEventListener("keydown", (event) => this.key(event));
    links.listen(this.panels);
  }

  // `grid` is a tensor of the payload, `places` a letter a dimension. What has not changed is left as it is.
  build(grid, places, numbers) {
    const signature = JSON.stringify([grid, places, numbers.values]);
    if (signature === this.signature) return;
    this.signature = signature;
    this.links.clear(this.part);
    const dims = Object.fromEntries(PLACES.map(([letter]) => [letter, grid.shape.map((_, d) => d).filter((d) => places[d] === letter)]));
    const place = placeFinder(grid);
    const panels = combinations(grid.shown, dims.p);
    const [rows, columns] = [combinations(grid.shown, dims.r), combinations(grid.shown, dims.c)];
    const made = { grid, dims, rows, columns, place, numbers };
    this.element.classList.toggle("cut", grid.shown.some((axis) => axis.includes(null)));
    const empty = sizeOf(grid.shape) === 0;
    this.panels.replaceChildren(...(empty ? [html("p", { class: "empty" }, "no elements: a dimension has length 0")] : panels.map((panel) => this.panel(panel, made))));
    this.panels.style.setProperty("--digits", numbers.width);
    this.panels.classList.toggle("roomy", grid.elements.length <= ROOMY && panels.length === 1);
    this.panels.querySelector(".cell")?.setAttribute("tabindex", 0);
    this.foot.replaceChildren(figuresLine(grid.figures));
  }

  panel(panel, { grid, dims, rows, columns, place, numbers }) {
    if (panel === null) return html("p", { class: "gap" }, "⋯");
    const table = html("div", { class: "table", role: "grid", "aria-label": `${this.title.textContent} ${panelName(panel, grid)}`, style: `--columns: ${columns.length}` });
    table.append(html("span", { class: "corner" }), ...columns.map((column, k) => heading(column, dims.c, columns[k - 1])));
    for (const [r, row] of rows.entries()) {
      const line = html("div", { class: "line", role: "row" }, heading(row, dims.r, rows[r - 1]));
      for (const [c, column] of columns.entries()) {
        if (row === null || column === null) line.append(html("span", { class: "gap", role: "presentation" }, row === null ? "⋮" : "⋯"));
        else line.append(this.cell({ ...panel, ...row, ...column }, grid, place, numbers, [r, c], apart(column, dims.c, columns[c - 1])));
      }
      line.classList.toggle("apart", apart(row, dims.r, rows[r - 1]));
      table.append(line);
    }
    const name = dims.p.length ? [html("figcaption", {}, panelName(panel, grid))] : [];
    return html("figure", { class: "panel" }, ...name, table);
  }

  cell(named, grid, place, numbers, [r, c], spaced) {
    const index = grid.shape.map((_, d) => named[d]);
    const position = positionOf(grid, index);
    const element = grid.elements[place(index)];
    const node = cell(element, position, numbers, { role: "gridcell", "data-index": index.join(","), "data-position": position, "data-at": `${r},${c}` });
    node.setAttribute("aria-label", `${listed(index)}: ${node.textContent}, position ${position}`);
    node.classList.toggle("spaced", spaced);
    node.classList.toggle("repeat", Boolean(grid.repeated?.some((d) => index[d] > 0)));
    this.links.add(node, { element, position, index, part: this.part });
    return node;
  }

  clear() {
    this.signature = undefined;
    this.links.drop(this.part);
  }

  find(index) { return this.panels.querySelector(`[data-index="${index.join(",")}"]`); }

  // Arrow keys go from cell to cell of a panel, over gaps, and on to the next panel.
  key(event) {
    const [down, right] = ARROWS[event.key] ?? [];
    const from = event.target.closest?.(".cell");
    if (down === undefined || !from) return;
    event.preventDefault();
    event.stopPropagation();
    const cells = [...from.closest(".table").querySelectorAll(".cell")];
    const [r, c] = from.dataset.at.split(",").map(Number);
    const ahead = cells.map((node) => [node, ...node.dataset.at.split(",").map(Number)])
      .filter(([, row, column]) => (down ? column === c && (row - r) * down > 0 : row === r && (column - c) * right > 0))
      .map(([node, row, column]) => [Math.abs(row - r) + Math.abs(column - c), node]).sort(([a], [b]) => a - b);
    const to = ahead[0]?.[1] ?? this.beyond(from, (down || right) > 0);
    if (!to) return;
    from.setAttribute("tabindex", -1);
    to.setAttribute("tabindex", 0);
    to.focus();
  }

  beyond(from, forward) {
    const panels = [...this.panels.querySelectorAll(".table")];
    const next = panels[panels.indexOf(from.closest(".table")) + (forward ? 1 : -1)];
    return next?.querySelectorAll(".cell")[forward ? 0 : next.querySelectorAll(".cell").length - 1];
  }
}

const panelName = (panel, grid) => `[${grid.shape.map((_, d) => panel[d] ?? ":").join(", ")}]`;

// The index, or indices, above a column or before a row.
function heading(entry, dims, before) {
  const text = entry === null ? "" : dims.map((d) => entry[d]).join(",");
  return html("span", { class: apart(entry, dims, before) ? "heading apart" : "heading", "aria-hidden": "true" }, text);
}

// Whether a new run of the innermost dimension begins here: a little room makes groups visible.
const apart = (entry, dims, before) => Boolean(entry && before && dims.slice(0, -1).some((d) => entry[d] !== before[d]));
