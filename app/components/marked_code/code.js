// Panes of code. A line has a hue for what it is and may have a remark; lines of a group light together.

class MarkedCode {
  constructor(root) {
    this.root = root;
    this.legend = html("p", { class: "legend" });
    this.panes = html("div", { class: "panes" });
    this.why = html("p", { class: "why" });
    this.revealed = false; // to a presenter's students; everybody else sees the marks at once
    const veil = html("p", { class: "veil" }, "Commit to a prediction above, or skip it, to see the answer.");
    root.replaceChildren(html("section", { class: "marked" }, this.legend, this.panes, this.why, veil));
    this.stopListening = listenAnywhere(root, (event) => this.key(event));
  }

  update(data) {
    this.data = data;
    this.paint();
  }

  paint() {
    const { data } = this;
    const hidden = data.veiled || (data.present && !this.revealed);
    this.root.toggleAttribute("data-veiled", data.veiled);
    this.root.toggleAttribute("data-hidden", hidden);
    this.legend.replaceChildren(...data.legend.map(({ name, hue }) => html("span", { style: `--hue: var(--${hue})` }, html("i"), name)));
    this.panes.replaceChildren(...data.panes.map((pane) => this.pane(pane, hidden)));
    this.why.textContent = hidden ? "" : data.why;
  }

  // On: the marks; back: the bare code.
  key(event) {
    const on = ["ArrowRight", "ArrowDown", "PageDown"].includes(event.key);
    if (!on && !["ArrowLeft", "ArrowUp", "PageUp", "Home", "r", "R"].includes(event.key)) return false;
    this.revealed = on;
    this.paint();
    return true;
  }

  destroy() {
    this.stopListening();
  }

  pane({ title, lines }, hidden) {
    const line = ({ text, hue, note, group }) => html("code", {
      "data-group": group || undefined, "data-hue": hue || undefined, style: hue && !hidden ? `--hue: var(--${hue})` : undefined,
      onpointerenter: () => this.light(group), onpointerleave: () => this.light(""),
    }, html("span", {}, text || " "), note && !hidden ? html("small", {}, note) : "");
    return html("figure", { class: "pane" }, html("figcaption", {}, hidden ? title.split(":")[0] : title), html("pre", { tabindex: 0, "aria-label": title }, ...lines.map(line)));
  }

  light(group) {
    for (const line of this.panes.querySelectorAll("code")) line.toggleAttribute("data-lit", Boolean(group) && line.dataset.group === group);
  }
}

export default mounting(MarkedCode);
