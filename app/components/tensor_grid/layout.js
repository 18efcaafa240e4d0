// Where an element lies: offset + Σ index · stride; and which dimensions are drawn as panels, rows, columns.

const PLACES = [["p", "panels"], ["r", "rows"], ["c", "columns"]];
const OUTSIDE = -1; // in place of an element, where a cell lies outside the storage

const positionOf = (layout, index) => index.reduce((sum, i, d) => sum + i * layout.strides[d], layout.offset);
const listed = (numbers) => `(${numbers.join(", ")}${numbers.length === 1 ? "," : ""})`.replace(/-/g, "−");

// A letter for each dimension: the last two are rows and columns, those before them panels.
function placesOf(rank, wanted) {
  if (wanted.length === rank) return [...wanted];
  return Array.from({ length: rank }, (_, d) => (d === rank - 1 ? "c" : d === rank - 2 ? "r" : "p"));
}

// Every combination of the drawn indices of some dimensions, the last fastest: [[index by dimension], …]
// A gap (null) in any dimension makes one gap of all that would be there.
function combinations(shown, dims) {
  let found = [{}];
  for (const d of dims) {
    found = found.flatMap((head) => (head === null ? [null] : shown[d].map((i) => (i === null ? null : { ...head, [d]: i }))));
  }
  return found.filter((entry, k) => entry !== null || found[k - 1] !== null);
}

// Where the elements of the drawn cells are in the payload's flat list: index -> place, or undefined.
function placeFinder({ shown }) {
  const drawn = shown.map((axis) => axis.filter((i) => i !== null));
  const ranks = drawn.map((axis) => new Map(axis.map((i, k) => [i, k])));
  return (index) => index.reduce((place, i, d) => place * drawn[d].length + ranks[d].get(i), 0);
}

// The index of the k-th element in row-major order.
function indexAt(shape, k) {
  const index = new Array(shape.length);
  let left = k;
  for (let d = shape.length - 1; d >= 0; d -= 1) {
    index[d] = left % shape[d];
    left = Math.floor(left / shape[d]);
  }
  return index;
}

const sizeOf = (shape) => shape.reduce((product, length) => product * length, 1);
