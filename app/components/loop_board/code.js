// The source of the loop as it is in the file, the line that a step runs lit.

class Code {
  constructor() {
    this.title = html("h3");
    this.lines = html("pre", { tabindex: 0, "aria-label": "source of the loop" });
    this.element = html("section", { class: "code" }, this.title, this.lines);
  }

  build({ name, lines }) {
    const signature = JSON.stringify([name, lines]);
    if (signature === this.signature) return;
    this.signature = signature;
    this.title.replaceChildren(name, html("small", {}, "the source itself, as it runs"));
    this.lines.replaceChildren(...lines.map((text) => html("code", {}, ...marked(text))));
  }

  light(number) {
    this.lines.querySelector(".current")?.classList.remove("current");
    const line = this.lines.children[number];
    line.classList.add("current");
    const { lines } = this;
    const below = line.offsetTop + line.offsetHeight - lines.scrollTop - lines.clientHeight;
    if (below > 0) lines.scrollTop += below;
    else if (line.offsetTop < lines.scrollTop) lines.scrollTop = line.offsetTop;
  }
}

const WORDS = /\b(def|for|in|if|is|else|return|while|and|not|None|True|False)\b/;

// Words of the language a little stronger, documentation a little weaker.
function marked(text) {
  if (/^\s*("""|#)/.test(text)) return [html("span", { class: "remark" }, text)];
  return text.split(WORDS).filter(Boolean).map((part) => (WORDS.test(part) ? html("b", {}, part) : part)).concat(text ? [] : [" "]);
}
