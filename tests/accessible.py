"""What axe-core says of an open page: of a whole chapter or of one figure."""

from pathlib import Path

# Every rule of axe, the experimental ones too, except AAA, which goes beyond what the book promises, and one experiment
# that wants a widget's role on each scrolling formula. (preload: axe looks for imported styles in the wrong folder)
AXE_RUN = """async (tag) => {
  const wanted = ({ ruleId, tags }) =>
    !tags.includes("wcag2aaa") && ruleId !== "focus-order-semantics" && (!tag || tags.includes(tag));
  const runOnly = axe.getRules().filter(wanted).map((rule) => rule.ruleId);
  const { violations } = await axe.run({ runOnly, preload: false, resultTypes: ["violations"] });
  const words = (node) => `${node.html.slice(0, 200)} ${node.any[0]?.message ?? ""}`;
  return violations.flatMap((violation) => violation.nodes.map((node) => `${violation.id}: ${words(node)}`));
}"""


def axe(page, tag=""):
    """What it finds, by all rules or by those with this tag ("cat.color")."""
    if not page.evaluate("'axe' in window"):
        import axe_playwright_python

        page.add_script_tag(path=Path(axe_playwright_python.__file__).parent / "axe.min.js")
    return page.evaluate(AXE_RUN, tag)
