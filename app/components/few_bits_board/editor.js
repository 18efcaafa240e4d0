// The fields of a lane: a format for each kind of number, and how they are rounded, scaled and kept.

const FIELDS = [["weights", "weights"], ["activations", "activations"], ["gradients", "gradients"], ["accumulator", "accumulator"], ["state", "optimiser state"],
  ["rounding", "rounding"], ["scaling", "loss scale"], ["master", "master weights"]];
const OTHER = "other…";

class Editor {
  // `set(field, value)` hears what was chosen or typed.
  constructor(set) {
    this.set = set;
    this.element = html("div", { class: "editor", hidden: true });
  }

  build(lane, options, problem) {
    this.element.replaceChildren(...FIELDS.map(([field, name]) => this.field(field, name, lane.fields[field], options[field], problem?.field === field ? problem : undefined)));
    if (problem) this.element.hidden = false;
  }

  field(field, name, value, options, problem) {
    const box = html("label", { class: "field", "data-field": field }, html("span", {}, name));
    if (problem) box.append(this.typed(field, name, problem.value, true), html("p", { class: "field-problem", role: "alert" }, problem.text));
    else box.append(this.chosen(field, name, value, options, box));
    return box;
  }

  chosen(field, name, value, options, box) {
    const names = [...new Set([value, ...options.names])].sort((a, b) => options.names.indexOf(a) - options.names.indexOf(b));
    return html("select", { "aria-label": name, onchange: (event) => {
      if (event.target.value !== OTHER) { this.set(field, event.target.value); return; }
      const input = this.typed(field, name, value, false);
      event.target.replaceWith(input);
      box.append(html("small", {}, options.hint));
      input.select();
    } }, ...names.map((option) => html("option", { value: option, selected: option === value }, option)), ...(options.hint ? [html("option", {}, OTHER)] : []));
  }

  typed(field, name, value, invalid) {
    const input = html("input", { type: "text", "aria-label": name, "aria-invalid": invalid ? "true" : undefined, size: 10, value,
      onkeydown: (event) => { event.stopPropagation(); if (event.key === "Enter") this.set(field, input.value.trim()); } });
    return input;
  }
}
