// The tensors of the picture: an input with its padding around it, a kernel whose numbers are handles.

const PIXELS = 150; // more cells than this are drawn as pixels, without numbers
const LETTERS = 36; // a row of more than this is set smaller

class Picture extends Grid {
  // `outside` is what cells in the padding count as.
  constructor(part, title, links, outside) {
    super(part, title, links);
    this.outside = outside;
  }

  build(grid, places, numbers) {
    this.element.classList.toggle("pixels", grid.elements.length > PIXELS);
    const letters = grid.shown.at(-1).length * numbers.width;
    this.element.classList.toggle("dense", grid.shape.length === 3 && letters > LETTERS);
    super.build(grid, places, numbers);
  }

  cell(named, grid, place, numbers, at, spaced) {
    const node = super.cell(named, grid, place, numbers, at, spaced);
    const index = listed(grid.shape.map((_, d) => named[d]));
    const out = node.classList.contains("outside");
    if (out) node.textContent = this.outside();
    node.setAttribute("aria-label", out ? `${index}: outside the input, counts as ${node.textContent}` : `${index}: ${node.textContent}`);
    node.title = this.element.classList.contains("pixels") ? node.getAttribute("aria-label") : "";
    return node;
  }
}

class Kernel extends Grid {
  // `changed(numbers, final)` hears all numbers whenever one is moved.
  constructor(part, title, links, changed) {
    super(part, title, links);
    this.changed = changed;
  }

  // Of a kernel of the same shape the handles stay, so that one can be dragged while others watch.
  build(grid, places, numbers) {
    const shape = listed(grid.shape);
    if (shape !== this.shape) {
      this.shape = shape;
      this.weights = [];
      super.build(grid, places, numbers);
    }
    this.panels.style.setProperty("--digits", Math.max(4, ...Object.values(numbers.values).map((value) => format(decode(value)).length)));
    this.weights.forEach(({ node, handle }, element) => {
      const { classList, style } = cell(element, element, numbers);
      for (const sign of ["positive", "negative"]) node.classList.toggle(sign, classList.contains(sign));
      node.style.setProperty("--share", style.getPropertyValue("--share"));
      handle.set(numbers.of(element));
    });
  }

  cell(named, grid, place, numbers, at, spaced) {
    const node = super.cell(named, grid, place, numbers, at, spaced);
    const name = `w${listed(grid.shape.map((_, d) => named[d]))}`;
    const handle = new Handle(name, (_, final) => this.changed(this.weights.map((weight) => weight.handle.value), final));
    handle.element.addEventListener("click", (event) => event.stopPropagation()); // to type is not to pin
    node.replaceChildren(handle.element);
    node.setAttribute("aria-label", name);
    this.weights.push({ node, handle });
    return node;
  }
}
