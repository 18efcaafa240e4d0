// The kernel's source with the line of the step lit, planted lines marked, and what each line costs beside it.

class Source extends Code {
  build({ source, origin, planted, line_costs: costs, fault }) {
    const signature = JSON.stringify([source, planted, costs, fault?.lines]);
    if (signature === this.kept) return;
    this.kept = signature;
    this.title.replaceChildren(source.name, html("small", {}, origin));
    this.lines.replaceChildren(...source.lines.map((text, number) => {
      const mine = costs.filter(({ line }) => line === number);
      const said = mine.map(({ unit, requests, cost }) => `${count(requests, "request")} of a warp, ${cost} ${unit}`).join("; ");
      const gutter = html("span", { class: "line-cost", title: said || undefined }, mine.map(({ requests, cost, unit }) => `${requests}→${cost} ${unit[0]}`).join(" "));
      const kind = [planted.includes(number) ? "planted" : "", fault?.lines.includes(number) ? "faulty" : ""].join(" ").trim();
      return html("code", { class: kind || undefined, "data-line": number }, gutter, html("span", { class: "text" }, ...marked(text)));
    }));
    this.element.querySelector(".legend")?.remove();
    this.element.append(html("p", { class: "note legend" }, "Left of a line: requests of warps → ", html("b", {}, "s"), "egments of 128 bytes or ", html("b", {}, "p"), "asses through the banks, in the whole launch."));
  }

  // The line stands in the middle, where there is one: a block may do nothing.
  light(number) {
    this.lines.querySelector(".current")?.classList.remove("current");
    const line = this.lines.children[number];
    if (!line) return;
    line.classList.add("current");
    this.lines.scrollTop = line.offsetTop - this.lines.clientHeight / 2;
  }
}

const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
