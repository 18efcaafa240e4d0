// The whole: a row of bits for each format, the number line, and the conventions side by side.

const CLICKER = { PageDown: "ArrowRight", PageUp: "ArrowLeft", Home: "start", r: "start", R: "start" };

class Board {
  constructor(root) {
    this.root = root;
    this.channel = new ChangeChannel((change) => this.send("change", change));
    this.rows = [];
    this.entry = new NumberEntry((text) => this.offer("typed", { text }, true));
    this.list = html("div", { class: "rows" });
    this.line = new NumberLine((name, value, final) => this.offer(name, value, final));
    this.conventions = html("section", { class: "conventions" });
    root.replaceChildren(html("div", { class: "board" }, this.entry.element, this.list, this.line.element, this.conventions));
    this.stopListening = listenAnywhere(root, (event, target) => this.present(event, target));
  }

  update(data, send) {
    Object.assign(this, { data, send });
    this.start ??= data.typed;
    this.root.toggleAttribute("data-veiled", data.veiled);
    this.channel.answered();
    this.entry.build(data);
    while (this.rows.length < data.rows.length) this.rows.push(new FormatRow((format, code) => this.offer("code", { format, code }, true)));
    this.rows.length = data.rows.length;
    this.rows.forEach((row, k) => row.build(data.rows[k]));
    const wanted = this.rows.map(({ element }) => element);
    if (wanted.length !== this.list.children.length) this.list.replaceChildren(...wanted);
    this.line.build(data);
    this.conventions.replaceChildren(...conventionsTable(data.conventions));
  }

  // One name for all, so that of several changes under way only the latest is kept.
  offer(name, value, final) { this.channel.offer({ name: "change", value: { name, value }, final }); }

  // A presenter's arrows and clicker: to the neighbours in the first format, and in and out.
  present(event, target) {
    if (target.closest?.(USES_KEYS) || target.closest?.(".bit")) return false;
    const [first] = this.data.rows;
    const go = (neighbour) => neighbour && this.offer("code", { format: first.name, code: neighbour.code }, true);
    const actions = {
      ArrowRight: () => go(first.above),
      ArrowLeft: () => go(first.below),
      ArrowUp: () => this.line.zoom(1),
      ArrowDown: () => this.line.zoom(-1),
      start: () => this.offer("typed", { text: this.start }, true),
    };
    const action = actions[CLICKER[event.key] ?? event.key];
    action?.();
    return Boolean(action);
  }

  destroy() {
    this.stopListening();
  }
}

export default mounting(Board);
