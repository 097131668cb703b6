// Elements, numbers and words: what every figure is made of.
const SVG = "http://www.w3.org/2000/svg";

function fill(node, attrs, kids) {
  for (const [key, value] of Object.entries(attrs)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value);
  }
  node.append(...kids);
  return node;
}

export const html = (name, attrs = {}, ...kids) => fill(document.createElement(name), attrs, kids);
export const svg = (name, attrs = {}, ...kids) => fill(document.createElementNS(SVG, name), attrs, kids);

/** A number for people: at most `digits` decimals, a real minus sign, ∞ in words of one sign. */
export function show(value, digits = 1) {
  if (Math.abs(value) === Infinity) return value < 0 ? "−∞" : "∞";
  return String(+value.toFixed(digits) || 0).replace("-", "−");
}

/** Up to three decimals; a number too small for them is not called 0. */
export const fine = (value) => (value !== 0 && Math.abs(value) < 0.0005 ? "≈ 0" : show(value, 3));

/** Words for screen readers alone. */
export const unseen = (words) => html("span", { class: "live-hidden" }, words);

/** Put words into a live region: those of the last view are not said twice, and while something plays nothing is
 *  said. */
export function say(node, words, quiet = false) {
  node.setAttribute("aria-live", quiet ? "off" : "polite");
  if (node.textContent !== words) node.textContent = words;
}
