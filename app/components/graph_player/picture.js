// The drawing as a file of its own: styles written into the elements, the whole graph, no matter the view.

const INLINED = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap",
  "stroke-linejoin", "paint-order", "opacity", "font-family", "font-size", "font-weight", "font-style", "text-anchor"];

function pictureOf(stage, width, height, background) {
  const passing = stage.world.getAnimations({ subtree: true }).filter(({ effect }) => effect.getTiming().iterations === 1);
  for (const animation of passing) animation.finish(); // nothing half faded in
  const copy = stage.world.cloneNode(true);
  const originals = stage.world.querySelectorAll("*");
  copy.querySelectorAll("*").forEach((element, index) => {
    const style = getComputedStyle(originals[index]);
    if (style.display === "none") return element.setAttribute("display", "none");
    for (const property of INLINED) element.setAttribute(property, style.getPropertyValue(property));
    for (const name of ["class", "data-node", "data-sum"]) element.removeAttribute(name);
  });
  for (const name of ["class", "transform"]) copy.removeAttribute(name);
  copy.querySelectorAll("[display=none]").forEach((element) => element.remove());
  const margin = 24;
  const frame = { x: -margin, y: -margin, width: width + 2 * margin, height: height + 2 * margin };
  const picture = svg("svg", { xmlns: SVG, viewBox: `${frame.x} ${frame.y} ${frame.width} ${frame.height}`, width: frame.width, height: frame.height },
    svg("title", {}, stage.svg.getAttribute("aria-label")), svg("rect", { ...frame, fill: background }), copy);
  return new XMLSerializer().serializeToString(picture);
}

function downloadText(text, name, type) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  html("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
