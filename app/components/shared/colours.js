// One scale for every number: negative, zero, positive, as everywhere in Unroll; what is no number is grey.

const TONES = 255; // odd, so that there is a middle one

class Scale {
  constructor(root) {
    const style = getComputedStyle(root);
    const [negative, zero, positive, none] = ["--negative", "--zero", "--positive", "--constant"].map((name) => rgb(style.getPropertyValue(name)));
    this.tones = new Uint32Array(TONES + 1);
    for (let k = 0; k < TONES; k += 1) {
      const place = (k / (TONES - 1)) * 2 - 1;
      this.tones[k] = packed(mixed(zero, place < 0 ? negative : positive, Math.abs(place)));
    }
    this.tones[TONES] = packed(none);
    Object.assign(this, { negative, positive, none });
  }

  // The place of a value from -1 to 1 among the tones.
  index(value) {
    if (Number.isNaN(value)) return TONES;
    return Math.round(((clamp(value, -1, 1) + 1) / 2) * (TONES - 1));
  }

  // Paint values into a canvas of as many pixels; in two tones only where they are to be told apart.
  paint(canvas, values, size, discrete) {
    if (canvas.width !== size) canvas.width = canvas.height = size;
    const context = canvas.getContext("2d");
    const image = context.createImageData(size, size);
    const pixels = new Uint32Array(image.data.buffer);
    for (let k = 0; k < values.length; k += 1) pixels[k] = this.tones[this.index(discrete ? Math.sign(values[k]) : values[k])];
    context.putImageData(image, 0, 0);
  }

  css(value, opacity = 1) {
    const colour = Number.isNaN(value) ? this.none : value < 0 ? this.negative : this.positive;
    return `rgb(${colour.join(" ")} / ${opacity})`;
  }
}

function rgb(text) {
  return text.trim().match(/[\da-f]{2}/gi).map((part) => parseInt(part, 16));
}
const mixed = (from, to, share) => from.map((value, k) => value + (to[k] - value) * share);
const packed = ([red, green, blue]) => (255 << 24) | (Math.round(blue) << 16) | (Math.round(green) << 8) | Math.round(red);
