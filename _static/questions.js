/* What do you expect? Who chooses an answer opens the output that tells: the next folded one. */
document.addEventListener("DOMContentLoaded", () => {
  /** The folded output below a question: cells without one, of code that prints nothing, may stand before it. */
  function answerOf(box) {
    for (let cell = box.nextElementSibling; cell?.matches(".cell"); cell = cell.nextElementSibling) {
      const fold = cell.querySelector("details:has(.cell_output)");
      if (fold) return fold;
    }
    return null;
  }

  function make(item, box, answer) {
    const button = Object.assign(document.createElement("button"), { type: "button", ariaPressed: "false" });
    button.append(...(item.querySelector("p") ?? item).childNodes);
    item.replaceChildren(button);
    button.onclick = () => {
      for (const other of box.querySelectorAll("button")) other.ariaPressed = String(other === button);
      answer.open = true;
      answer.scrollIntoView({ block: "nearest" });
    };
  }

  for (const box of document.querySelectorAll(".admonition.question")) {
    const answer = answerOf(box);
    if (answer) for (const item of box.querySelectorAll("li")) make(item, box, answer);
  }
});
