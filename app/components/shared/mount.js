// A component on its page: built once, dressed, and shown anew with every change of data or theme.

// What Streamlit calls again on every such change, with the same parentElement.
function mounting(Board) {
  const boards = new WeakMap();
  return ({ data, parentElement, setTriggerValue }) => {
    const root = parentElement.querySelector(".unroll");
    if (!root || !data) return undefined;
    dress(root, data);
    if (!boards.has(root)) boards.set(root, new Board(root));
    boards.get(root).update(data, setTriggerValue);
    root.dataset.ready = "true";
    // A superseded call is cleaned up while the component lives on: only a root that left the page is over.
    return () => setTimeout(() => {
      if (root.isConnected) return;
      boards.get(root)?.destroy?.();
      boards.delete(root);
    });
  };
}
