// The program text, each stretch linked to the node it makes; hovering either side lights the other.

class Source {
  constructor(player) {
    this.player = player;
    this.element = html("pre", { class: "source", "aria-label": "program" });
    this.element.addEventListener("pointerover", (event) => player.hover(event.target.closest("[data-node]")?.dataset.node ?? null));
    this.element.addEventListener("pointerleave", () => player.hover(null));
    this.element.addEventListener("click", (event) => player.select(event.target.closest("[data-node]")?.dataset.node ?? null));
  }

  build(source, nodes) {
    const names = new Map(nodes.filter((node) => node.name).map((node) => [node.name, node.id]));
    const lines = source.replace(/\n+$/, "").split("\n");
    this.element.classList.toggle("numbered", lines.length > 1);
    this.element.replaceChildren(...lines.map((text, index) => {
      const spans = nodes.filter((node) => node.span?.[0] === index + 1).map(({ id, span: [, start, end] }) => ({ id, start, end }));
      spans.sort((left, right) => left.start - right.start || right.end - left.end);
      const code = html("code", {});
      nest(code, Array.from(text), 0, text.length, spans, names);
      return code;
    }));
  }

  // Keeps the current step's stretch in sight in a long program.
  reveal(id) {
    const stretch = this.element.querySelector(`[data-node="${CSS.escape(id)}"]`);
    if (!stretch || this.element.scrollHeight <= this.element.clientHeight) return;
    const line = stretch.closest("code");
    this.element.scrollTop = line.offsetTop - this.element.clientHeight / 2;
  }
}

// Writes characters[start..end) into `parent`, spans inside spans; spans arrive sorted, outermost first.
function nest(parent, characters, start, end, spans, names) {
  let position = start;
  while (spans.length && spans[0].start < end) {
    const span = spans.shift();
    if (span.start < position || span.end > end) continue;
    writeText(parent, characters.slice(position, span.start).join(""), names);
    const element = html("span", { "data-node": span.id });
    const inner = spans.filter((other) => other.end <= span.end && other.start < span.end);
    for (const other of inner) spans.splice(spans.indexOf(other), 1);
    nest(element, characters, span.start, span.end, inner, names);
    parent.append(element);
    position = span.end;
  }
  writeText(parent, characters.slice(position, end).join(""), names);
}

// A name stands for its node wherever it is used, so every use is linked; comments are only text.
function writeText(parent, text, names) {
  const comment = text.indexOf("#");
  const [code, remark] = comment < 0 ? [text, ""] : [text.slice(0, comment), text.slice(comment)];
  for (const part of code.split(/([\p{L}_][\p{L}\p{N}_]*)/u)) {
    const id = names.get(part);
    const linked = id !== undefined && parent.closest("[data-node]")?.dataset.node !== id;
    if (part) parent.append(linked ? html("span", { "data-node": id }, part) : part);
  }
  if (remark) parent.append(html("span", { class: "remark" }, remark));
}
