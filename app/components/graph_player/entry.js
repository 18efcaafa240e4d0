// The player of numbers: a formula bar, handles of the inputs, an inspector.

class NumberPlayer extends Player {
  parts() {
    return { formula: new Formula(), inputs: new Inputs(this), inspector: new Inspector(this) };
  }
}

export default mounting(NumberPlayer);
