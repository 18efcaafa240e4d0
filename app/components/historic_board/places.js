// Where the parameters of each layer lie among all of them, and bits as numbers.

function placed(layers) {
  let at = 0;
  return layers.map(([units, inputs]) => {
    const weight = at;
    const bias = weight + units * inputs;
    at = bias + units;
    return { units, inputs, weight, bias };
  });
}

// A row of bits as a number, and back.
const numberOf = (bits) => parseInt(bits, 2);
const bitsOf = (number, length) => number.toString(2).padStart(length, "0");
const mirrored = (bits) => [...bits].reverse().join("");
