// Presenter mode: keys and clickers work wherever the focus is, but in a control of the page that needs them.

const USES_KEYS = "input, select, textarea, [contenteditable], [role=slider], [role=combobox], [role=listbox], [role=radiogroup], [role=tablist]";

// `act(event, target)` says whether the key was one of its own. Returns what ends the listening.
function listenAnywhere(root, act) {
  const heard = (event) => {
    const target = event.composedPath()[0];
    const elsewhere = !root.contains(target) && target.closest?.(USES_KEYS);
    if (!root.hasAttribute("data-present") || elsewhere || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!act(event, target)) return;
    event.preventDefault();
    event.stopImmediatePropagation(); // heard first, before the page's own shortcuts
  };
  addEventListener("keydown", heard, { capture: true });
  return () => removeEventListener("keydown", heard, { capture: true });
}
