// Ctrl+K, ⌘K and / open Find over any page; on its own page they go to its box.
(() => {
  const dialog = document.getElementById("office-find");
  const isWriting = (element) =>
    element.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(element.tagName);

  const open = async () => {
    const box = document.querySelector(".office-find-words input");
    if (box) {
      box.focus();
      box.select();
      return;
    }
    if (dialog.open) return;
    dialog.showModal();
    dialog.querySelector("input").select();
    const answer = await fetch(dialog.dataset.recent, { headers: { "X-Requested-With": "fetch" } });
    if (answer.ok && !answer.redirected) {
      document.getElementById("office-find-recent").innerHTML = await answer.text();
    }
  };

  // Before unfold's own shortcuts, which would go to the search of a list.
  window.addEventListener(
    "keydown",
    (event) => {
      const isFind = (event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k";
      const isSlash = event.key === "/" && !event.ctrlKey && !event.metaKey && !isWriting(event.target);
      if (isFind || isSlash) {
        event.preventDefault();
        event.stopImmediatePropagation();
        open();
      }
    },
    true,
  );
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
})();
