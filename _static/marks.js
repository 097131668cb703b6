/* Marks the words that led here from the search page: it links to page.html?highlight=words. */
(() => {
  // a formula is marked as a whole, drawings and live figures not at all
  const UNMARKED = "mark, .katex, .live-figure, script, style, svg, button, .headerlink";

  function wrap(node) {
    const mark = document.createElement("mark");
    mark.className = "highlighted";
    node.replaceWith(mark);
    mark.append(node);
    return mark;
  }

  function markIn(text, word) {
    const marks = [];
    for (let at = text.data.toLowerCase().indexOf(word); at >= 0; at = text.data.toLowerCase().indexOf(word)) {
      const hit = text.splitText(at);
      text = hit.splitText(word.length);
      marks.push(wrap(hit));
    }
    return marks;
  }

  /** What a reader sees of a formula, with its indices as they are typed: π_old. */
  function seen(formula) {
    const math = formula.querySelector("semantics > :first-child").cloneNode(true);
    for (const index of math.querySelectorAll("msub > :last-child")) index.prepend("_");
    return math.textContent.toLowerCase();
  }

  /** Marks a word, or as much of its beginning as there is: a search for "policies" finds "policy" too. */
  function markAll(article, word) {
    const walker = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walker.nextNode()) if (!walker.currentNode.parentElement.closest(UNMARKED)) texts.push(walker.currentNode);
    const formulas = [...article.querySelectorAll("span.math")].filter((formula) => seen(formula).includes(word));
    const marks = [...texts.flatMap((text) => markIn(text, word)), ...formulas.map(wrap)];
    if (!marks.length && word.length > 3) markAll(article, word.slice(0, -1));
  }

  function firstMark(article) {
    const marks = [...article.querySelectorAll("mark.highlighted")];
    const section = document.querySelector(":target");
    const inSection = marks.filter((mark) => section?.contains(mark));
    return [...inSection, ...marks].find((mark) => mark.checkVisibility()) ?? marks[0];
  }

  function standAt(mark) {
    for (const fold of document.querySelectorAll("details")) fold.open ||= fold.contains(mark);
    document.querySelector("mark.now")?.classList.remove("now");
    mark.classList.add("now");
    mark.scrollIntoView({ block: "center" });
  }

  function marksBar(article, words) {
    const marks = [...article.querySelectorAll("mark.highlighted")];
    const bar = document.createElement("div");
    bar.className = "book-marks";
    bar.setAttribute("role", "status");
    const places = marks.length === 1 ? "1 place" : `${marks.length} places`;
    bar.append(`“${words.join(" ")}”: ${places} `);
    const button = (text, press) => {
      const element = Object.assign(document.createElement("button"), { type: "button", textContent: text });
      element.className = "btn btn-sm";
      element.addEventListener("click", press);
      bar.append(element);
    };
    const hide = () => {
      for (const mark of marks) mark.replaceWith(...mark.childNodes);
      bar.remove();
    };
    button("Next", () => standAt(marks[(marks.findIndex((mark) => mark.matches(".now")) + 1) % marks.length]));
    button("Hide", hide);
    addEventListener("keydown", ({ key }) => key === "Escape" && hide());
    document.querySelector("main").append(bar);
  }

  function marks() {
    const address = new URL(location);
    const words = (address.searchParams.get("highlight") ?? "").toLowerCase().split(/\s+/).filter(Boolean);
    const article = document.querySelector("article.bd-article");
    if (!words.length || !article) return;
    address.searchParams.delete("highlight");
    history.replaceState(history.state, "", address);
    for (const word of words) markAll(article, word);
    const first = firstMark(article);
    if (!first) return;
    standAt(first);
    marksBar(article, words);
  }

  document.addEventListener("DOMContentLoaded", marks);
})();
