// Ctrl+K, ⌘K and / open Find over any page; on its own page they go to its box.
(() => {
  let dialog = null;

  const isWriting = (element) =>
    element.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(element.tagName);

  const make = () => {
    const made = document.getElementById("office-find").content.cloneNode(true).querySelector("dialog");
    made.addEventListener("click", (event) => event.target === made && made.close());
    made.addEventListener("close", () => {
      made.remove();
      dialog = null;
    });
    document.body.append(made);
    return made;
  };

  const showRecent = async (place) => {
    const answer = await fetch(place.dataset.recent);
    if (answer.ok && !answer.redirected) place.innerHTML = await answer.text();
  };

  const open = () => {
    const box = document.querySelector(".office-find-words input");
    if (box) {
      box.focus();
      box.select();
    } else if (!dialog) {
      dialog = make();
      dialog.showModal();
      showRecent(dialog.querySelector("[data-recent]"));
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
})();
