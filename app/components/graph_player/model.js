// The payload, indexed: what every node holds at every step, without copying a state per step.

class Model {
  constructor(data) {
    this.steps = data.steps;
    this.inputs = data.inputs;
    this.operators = data.operators;
    this.symbols = data.symbols;
    this.forwardMode = data.symbols.derivative === "forward";
    this.nodes = new Map(data.nodes.map((node) => [node.id, node]));
    this.edges = data.edges;
    this.incoming = new Map(data.nodes.map((node) => [node.id, []]));
    this.outgoing = new Map(data.nodes.map((node) => [node.id, []]));
    for (const edge of data.edges) {
      this.incoming.get(edge.to)[edge.slot] = edge;
      this.outgoing.get(edge.from).push(edge);
    }
    this.values = new Map();
    this.gradients = new Map();
    this.arrivals = new Map(); // node -> its contributions, each with the step that brings it
    this.locals = new Map(); // "node slot" -> [step, local partial]
    this.steps.forEach((step, index) => this.record(step, index));
  }

  record(step, index) {
    for (const [id, value] of Object.entries(step.values ?? {})) push(this.values, id, [index, readQuantity(value)]);
    for (const [id, value] of Object.entries(step.gradients ?? {})) push(this.gradients, id, [index, readQuantity(value)]);
    for (const contribution of step.contributions ?? []) {
      const edge = this.edgeOf(step, contribution);
      if (!this.forwardMode) push(this.arrivals, contribution.to, [index, contribution, step.node]);
      if (edge) push(this.locals, `${edge.to} ${edge.slot}`, [index, decode(contribution.local)]);
    }
  }

  // In both modes a contribution travels along the edge into one argument slot of the step's node.
  edgeOf(step, contribution) {
    return this.incoming.get(step.node)?.[contribution.slot];
  }

  value(id, step) { return latest(this.values.get(id), step); }
  gradient(id, step) { return latest(this.gradients.get(id), step); }
  local(edge, step) { return latest(this.locals.get(`${edge.to} ${edge.slot}`), step); }
  argumentsOf(id) { return this.incoming.get(id).map((edge) => edge.from); }
  consumersOf(id) { return [...new Set(this.outgoing.get(id).map((edge) => edge.to))]; }

  arrived(id, step) { return (this.arrivals.get(id) ?? []).filter(([index]) => index <= step); }

  // True while a gradient is only a partial sum: some of its contributions are still to come.
  partial(id, step) {
    const arrivals = this.arrivals.get(id) ?? [];
    return arrivals.some(([index]) => index <= step) && arrivals.some(([index]) => index > step);
  }

  label(id) {
    const node = this.nodes.get(id);
    return node.kind === "constant" ? node.symbol : plainText(node.math);
  }
}

function push(map, key, entry) {
  if (map.has(key)) map.get(key).push(entry);
  else map.set(key, [entry]);
}

function latest(track, step) {
  if (!track) return undefined;
  let found;
  for (const [index, value] of track) {
    if (index > step) break;
    found = value;
  }
  return found;
}
