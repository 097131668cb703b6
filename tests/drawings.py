"""What a reader could not read in the drawings of a page: text cut off, texts on one another, letters too small."""

SMALLEST = 12  # pixels as shown
# Texts may be turned, so their corners are followed to the screen. A text's box is higher than its letters: a sixth at
# the top and at the bottom does not count.
FAULTS = """([selector, smallest]) => {
  const corners = (text) => {
    const { x, y, width, height } = text.getBBox(), edge = height / 6, to = text.getScreenCTM();
    return [[x, y + edge], [x + width, y + edge], [x + width, y + height - edge], [x, y + height - edge]]
      .map(([left, top]) => new DOMPoint(left, top).matrixTransform(to));
  };
  const sides = ([a, b, , d]) => [[b.x - a.x, b.y - a.y], [d.x - a.x, d.y - a.y]];
  const span = (points, [x, y]) => {
    const along = points.map((p) => (p.x * x + p.y * y) / Math.hypot(x, y));
    return [Math.min(...along), Math.max(...along)];
  };
  const touch = (one, two) => [...sides(one), ...sides(two)].every((side) => {
    const [[a, b], [c, d]] = [span(one, side), span(two, side)];
    return Math.min(b, d) - Math.max(a, c) > 1;
  });
  const faults = (drawing) => {
    const frame = drawing.getBoundingClientRect(), scale = frame.width / drawing.viewBox.baseVal.width;
    const texts = [...drawing.querySelectorAll("text")].filter((text) => text.textContent.trim());
    const shapes = texts.map(corners), name = (text) => `"${text.textContent.trim()}"`;
    const beyond = (at, from, to) => at < from - 1 || at > to + 1;
    const outside = ({ x, y }) => beyond(x, frame.left, frame.right) || beyond(y, frame.top, frame.bottom);
    return texts.flatMap((text, i) => {
      const size = parseFloat(getComputedStyle(text).fontSize) * scale;
      const others = texts.filter((other, j) => j > i && touch(shapes[i], shapes[j]));
      return [
        ...(shapes[i].some(outside) ? [`${name(text)} is cut off`] : []),
        ...(size < smallest - 0.01 ? [`${name(text)} is ${size.toFixed(1)} px high`] : []),
        ...others.map((other) => `${name(text)} stands on ${name(other)}`),
      ];
    });
  };
  return [...document.querySelectorAll(selector)].filter((e) => e.checkVisibility()).flatMap(faults);
}"""


def faults(page, selector=".book-figure svg:not(svg svg)", smallest=SMALLEST):
    """One line for every fault of the drawings that a selector finds on an open page."""
    return page.evaluate(FAULTS, [selector, smallest])
