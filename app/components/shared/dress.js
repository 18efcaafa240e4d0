// A component in the page's clothes: its theme, its height, larger type for a presenter.

// Light or dark is read off the page's background, so that the component follows the theme switch.
function dress(root, { height_px: height, present }) {
  const background = getComputedStyle(root).getPropertyValue("--st-background-color").trim();
  root.dataset.theme = luminance(background) < 0.4 ? "dark" : "light";
  root.toggleAttribute("data-present", Boolean(present));
  root.style.setProperty("--height", `${height}px`);
}

// Relative luminance (0..1) of a CSS colour, as the browser itself reads it.
function luminance(colour) {
  const paper = document.createElement("canvas").getContext("2d");
  paper.fillStyle = "#ffffff";
  paper.fillStyle = colour;
  const [red, green, blue] = paper.fillStyle.match(/[\da-f]{2}/gi).map((part) => parseInt(part, 16) / 255);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
