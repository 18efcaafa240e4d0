// The run on the server: a websocket that brings frames and state, and takes what the visitor does.

// What every row of numbers begins with; what follows is the run's own.
const FIGURES = ["epoch", "used", "trainLoss", "testLoss", "trainAccuracy", "testAccuracy", "penalty", "rate"];
const MOST_FRAMES = 3000; // kept here; then every other one is dropped
const RETRY = 1000; // milliseconds after which a lost connection is tried again

class Stream {
  // `read(shape)` prepares the description of a row; `changed()` hears that frames or state are new,
  // `failed(text)` what the server could not do.
  constructor(token, read, changed, failed) {
    Object.assign(this, { token, read, changed, failed });
    this.frames = [];
    this.shapes = [];
    this.state = { running: false, epoch: 0, used: 0, pace: 0, speed: 0 };
    this.fresh = []; // frames that have not been shown yet
    this.connect();
  }

  connect() {
    const address = new URL(`/live/${this.token}`, location.origin);
    address.protocol = address.protocol.replace("http", "ws");
    this.socket = new WebSocket(address);
    this.socket.binaryType = "arraybuffer";
    this.socket.onmessage = ({ data }) => (typeof data === "string" ? this.hear(JSON.parse(data)) : this.receive(data));
    this.socket.onclose = ({ code }) => {
      if (this.closed) return;
      this.lost = code === 4404 ? "gone" : "away";
      this.changed();
      if (code !== 4404) this.retry = setTimeout(() => this.connect(), RETRY);
    };
    this.socket.onopen = () => { this.lost = undefined; };
  }

  send(wish) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(wish));
  }

  hear({ kind, ...message }) {
    if (kind === "state") this.state = { ...message, known: true };
    if (kind === "shapes") this.shapes = message.shapes.map(this.read);
    if (kind === "problem") this.failed(message.text);
    if (kind === "forget") {
      this.frames = this.frames.filter((frame) => !isAfter(frame, message));
      this.fresh = [];
    }
    this.changed();
  }

  receive(data) {
    const [shape, count] = new Uint32Array(data, 0, 2);
    const numbers = new Float32Array(data, 8);
    const width = numbers.length / count;
    for (let k = 0; k < count; k += 1) this.add(shape, numbers.slice(k * width, (k + 1) * width));
    if (this.frames.length > MOST_FRAMES) this.frames = this.frames.filter((_, k) => k % 2 === 0 || k === this.frames.length - 1);
    this.changed();
  }

  add(shape, row) {
    const frame = { shape: this.shapes[shape], row };
    FIGURES.forEach((name, k) => { frame[name] = row[k]; });
    const at = this.indexAfter(frame);
    const known = at > 0 && !isAfter(frame, this.frames[at - 1]);
    this.frames.splice(known ? at - 1 : at, known ? 1 : 0, frame);
    this.fresh.push(frame);
  }

  // How many frames lie before or at a moment.
  indexAfter(moment) {
    let [low, high] = [0, this.frames.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isAfter(this.frames[middle], moment)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  // The last frame at or before a moment.
  at(moment) { return this.frames[Math.max(this.indexAfter(moment) - 1, 0)]; }

  close() {
    this.closed = true;
    clearTimeout(this.retry);
    this.socket.close();
  }
}

const isAfter = (a, b) => a.epoch > b.epoch || (a.epoch === b.epoch && a.used > b.used);
const written = ({ epoch, used, seen }) => [epoch, ...(used || seen ? [used] : []), ...(seen ? [seen] : [])].join(".");

// The numbers of a frame, part by part, by name: its shape says how long each part is.
function partsOf({ shape, row }) {
  let at = 0;
  return Object.fromEntries(Object.entries(shape.lengths).map(([name, length]) => [name, row.subarray(at, at += length)]));
}
