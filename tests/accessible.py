"""What axe-core says of an open page: of a whole chapter or of one figure."""

from pathlib import Path

# Every rule of axe, the experimental ones too, except AAA, which goes beyond what the book promises, and one experiment
# that wants a widget's role on each scrolling formula. (preload: axe looks for imported styles in the wrong folder)
# A page has thousands of tokens of code and formulas: of those that look alike all but the first are hidden meanwhile.
AXE_RUN = """async (tag) => {
  const ground = (e) => {
    const { backgroundColor: own } = getComputedStyle(e);
    return own !== "rgba(0, 0, 0, 0)" || !e.parentElement ? own : ground(e.parentElement);
  };
  const look = (e) => {
    const { color, fontSize, fontWeight, opacity } = getComputedStyle(e);
    return [color, fontSize, fontWeight, opacity, ground(e)].join();
  };
  const seen = new Set(), known = (word) => seen.has(word) || !seen.add(word);
  const tokens = [...document.querySelectorAll("pre span, .katex-html span")].filter((e) => !e.firstElementChild);
  const alike = tokens.filter((e) => e.checkVisibility() && known(look(e)));
  for (const e of alike) e.style.visibility = "hidden";
  const wanted = ({ ruleId, tags }) =>
    !tags.includes("wcag2aaa") && ruleId !== "focus-order-semantics" && (!tag || tags.includes(tag));
  const runOnly = axe.getRules().filter(wanted).map((rule) => rule.ruleId);
  const { violations } = await axe.run({ runOnly, preload: false, resultTypes: ["violations"] });
  for (const e of alike) e.style.visibility = "";
  const words = (node) => `${node.html.slice(0, 200)} ${node.any[0]?.message ?? ""}`;
  return violations.flatMap((violation) => violation.nodes.map((node) => `${violation.id}: ${words(node)}`));
}"""


def axe(page, tag=""):
    """What it finds, by all rules or by those with this tag ("cat.color")."""
    if not page.evaluate("'axe' in window"):
        import axe_playwright_python

        page.add_script_tag(path=Path(axe_playwright_python.__file__).parent / "axe.min.js")
    return page.evaluate(AXE_RUN, tag)
