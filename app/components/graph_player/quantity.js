// What a node holds: a number, or a tensor in one line of figures. Here alone the two are told apart.

// JSON has no NaN: numbers may come as words. Figures are texts once, not at every step.
function readQuantity(json) {
  if (typeof json !== "object" || json === null) return decode(json);
  const quantity = { ...json, value: decode(json.value) };
  quantity.faulty = quantity.nan + quantity.infinite > 0;
  quantity.text = figuresText(quantity);
  return quantity;
}

// Least, mean and greatest, or the one number there is; how many are no numbers comes first.
function figuresText({ one, value, least, mean, greatest, nan, infinite }) {
  if (one) return format(value);
  const faults = [[nan, "NaN"], [infinite, "∞"]].filter(([count]) => count).map(([count, name]) => `${count} ${name}`);
  const largest = Math.max(Math.abs(decode(least)), Math.abs(decode(greatest)));
  const short = (number) => (number && Math.abs(number) < 1e-6 * largest ? "≈0" : format(number, 2));
  const figures = least === null ? [] : [least, mean, greatest].map((number) => short(decode(number))).join(" · ");
  return [...faults, ...(faults.length && least !== null ? [] : [figures])].join(" ");
}

const isTensor = (quantity) => typeof quantity === "object";
const printQuantity = (quantity) => (isTensor(quantity) ? quantity.text : format(quantity));
const isFaulty = (quantity) => (isTensor(quantity) ? quantity.faulty : !Number.isFinite(quantity));

// What travels along an edge: the number, or the shape of the tensor.
const printAmount = (quantity) => (isTensor(quantity) ? quantity.shape || quantity.text : format(quantity));
