/* What do you expect? Who chooses an answer opens the output that tells: the next folded one. What is shown after it, up
   to the next words, may tell as well, and waits for the same moment. (A search and a link find it nevertheless.) */
document.addEventListener("DOMContentLoaded", () => {
  /** The folded output below a question, and what follows; cells that print nothing may stand before it. */
  function answerOf(box) {
    const outputs = [];
    for (let cell = box.nextElementSibling; cell?.matches(".cell"); cell = cell.nextElementSibling)
      outputs.push(...cell.querySelectorAll(".cell_output"));
    const [told, ...rest] = outputs.slice(outputs.findIndex((output) => output.closest("details")));
    return { fold: told?.closest("details"), rest: rest.filter((output) => !output.closest("details")) };
  }

  function hide({ fold, rest }) {
    for (const output of rest) output.hidden = "until-found";
    fold.addEventListener("toggle", () => {
      for (const output of rest) output.hidden = false;
    });
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
    if (!answer.fold) continue;
    hide(answer);
    for (const item of box.querySelectorAll("li")) make(item, box, answer.fold);
  }
});
