// What the tests of all figures look at in a page, under one name.
const figureParts = (selector) => [...document.querySelectorAll(`.live-figure ${selector}`)];
const named = (e) =>
  e.getAttribute("aria-label")?.trim() || e.textContent.trim() || e.closest("label")?.textContent.trim();
const start = (e) => e.outerHTML.slice(0, 120);
const drawings = () => figureParts("svg:not(.live-overlay)");
const wordsOf = (drawing) =>
  [...drawing.querySelectorAll("text")].filter((e) => e.textContent.trim() && e.checkVisibility());
const shownSize = (e) => {
  const drawing = e.closest("svg");
  const scale = drawing ? drawing.getBoundingClientRect().width / drawing.viewBox.baseVal.width : 1;
  return parseFloat(getComputedStyle(e).fontSize) * scale;
};

window.look = {
  /** As wide as the book's column. */
  column() {
    document.querySelector("main").style.maxWidth = "856px";
  },
  /** Words under 12 px. */
  small: () =>
    figureParts("*")
      .filter((e) => e.checkVisibility({ opacityProperty: true }) && !e.closest(".live-hidden, option"))
      .filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()) && shownSize(e) < 11.95)
      .map((e) => `${shownSize(e).toFixed(1)} px: ${e.textContent}`),
  /** Words that leave their drawing. Cells of a grid are drawings of their own. */
  outside: () =>
    drawings().flatMap((drawing) => {
      const frame = drawing.getBoundingClientRect();
      const room = 1.5;
      return wordsOf(drawing)
        .filter((e) => {
          const box = e.getBoundingClientRect();
          const across = box.left < frame.left - room || box.right > frame.right + room;
          return across || box.top < frame.top - room || box.bottom > frame.bottom + room;
        })
        .map((e) => e.textContent);
    }),
  /** Pairs of words that lie one upon the other. */
  upon: () =>
    drawings().flatMap((drawing) => {
      const boxes = wordsOf(drawing).map((e) => [e.textContent, e.getBoundingClientRect()]);
      const meet = (a, b) =>
        Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
        Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3;
      return boxes.flatMap(([first, a], i) =>
        boxes.slice(i + 1).flatMap(([second, b]) => (meet(a, b) ? [`${first} | ${second}`] : [])),
      );
    }),
  controls: () =>
    figureParts(":is(button:not(.live-link), input, select, summary, [role=slider], [role=gridcell])").filter((e) =>
      e.checkVisibility(),
    ),
  /** Controls that a finger would miss. */
  tiny: () =>
    look
      .controls()
      .map((e) => e.closest("label.live-tool") ?? e)
      .filter((e) => e.localName !== "summary" && e.getBoundingClientRect().height < 24)
      .map((e) => `${e.getBoundingClientRect().height}: ${start(e)}`),
  nameless: () =>
    look
      .controls()
      .filter((e) => !named(e))
      .map(start),
  /** The numbers that grips and sliders stand at. */
  values: () => figureParts(":is([aria-valuenow], input)").map((e) => e.getAttribute("aria-valuenow") ?? e.value),
  /** All that is seen, without what only the keyboard's place changes. */
  shown() {
    const unseen = / (?:tabindex|aria-(?!pressed|checked|valuenow)[\w-]+|id)="[^"]*"/g;
    const parts = figureParts(":is(.live-picture, .live-side)").map((e) => e.innerHTML.replace(unseen, ""));
    return [...parts, ...figureParts(":is(input, select)").map((e) => e.checked + e.value)].join();
  },
  /** What would move although less motion was asked for. */
  moving: () =>
    figureParts(".live-body *")
      .filter((e) => {
        const style = getComputedStyle(e);
        return style.animationName !== "none" || style.transitionDuration.split(", ").some((d) => parseFloat(d) > 0.01);
      })
      .map((e) => e.className),
  kind: (e) => (e.type === "range" ? "range" : e.localName === "select" ? "select" : (e.role ?? e.localName)),
};
