// A field whose text is judged while it is being written.

const REST = 1500; // ms without a key, after which a text counts as written

class Written {
  // `changed(final)` hears that the text is another; `entered()` that it was confirmed as it is. `pause` is for
  // how many ms there is no key before it is judged.
  constructor(changed, entered, pause) { Object.assign(this, { changed, entered, pause }); }

  typed() {
    clearTimeout(this.timer);
    this.pending = true;
    this.element.classList.add("typing");
    this.timer = setTimeout(() => {
      this.changed(false);
      this.timer = setTimeout(() => this.commit(), REST - this.pause);
    }, this.pause);
  }

  commit() {
    if (!this.pending) return;
    this.rest();
    this.changed(true);
  }

  rest() {
    clearTimeout(this.timer);
    this.pending = false;
    this.element.classList.remove("typing");
  }

  confirm() {
    if (this.pending) this.commit();
    else this.entered();
  }

  // Shows the text that the page knows; one that is being written stays.
  take(text, again) {
    if (again || (!this.pending && text !== this.shown)) {
      this.rest();
      this.input.value = text;
    }
    this.shown = text;
  }
}

const sentence = (text) => (text ? `${text[0].toUpperCase()}${text.slice(1)}${/[.…?!]$/.test(text) ? "" : "."}` : "");
