/* A link to a figure as it stands: page.html#fig-explorer?ratio=0.5&advantage=-1. What is not in the link is as the book
 * has it. live-static.js tells when a figure lives. */
(() => {
  const nameOf = (home) => home.closest(".cell")?.id || home.querySelector("figcaption").id;
  const kind = (value) => (Array.isArray(value) ? "array" : value === null ? "null" : typeof value);

  /** Are all numbers in it such as can be drawn? 1e999 is not. */
  const finite = (value) =>
    Array.isArray(value) || kind(value) === "object"
      ? Object.values(value).every(finite)
      : kind(value) !== "number" || Number.isFinite(value);

  /** A value as a link writes it. */
  function parsed(text) {
    try {
      const value = JSON.parse(text);
      return finite(value) ? value : undefined;
    } catch {
      return undefined;
    }
  }

  /** What the address says of a figure: values of the kind that the figure has, and nothing else. */
  function asked(home, saved) {
    const [name, query] = location.hash.slice(1).split("?", 2);
    if (query === undefined || name !== nameOf(home)) return null;
    const values = {};
    for (const [key, text] of new URLSearchParams(query)) {
      if (key.startsWith("_") || !Object.hasOwn(saved, key)) continue;
      const value = kind(saved[key]) === "string" ? text : parsed(text);
      if (kind(value) === kind(saved[key])) values[key] = value;
    }
    return values;
  }

  function addressOf(home, model) {
    const written = ([name, value]) => [name, kind(value) === "string" ? value : JSON.stringify(value)];
    const query = new URLSearchParams(model.changes().map(written));
    return `${location.href.split("#")[0]}#${nameOf(home)}?${query}`;
  }

  async function copy(button, address) {
    history.replaceState(history.state, "", address);
    try {
      await navigator.clipboard.writeText(address);
      button.textContent = "The link is copied";
    } catch {
      button.textContent = "The link is in the address bar";
    }
    setTimeout(() => {
      button.textContent = "Link to this view";
    }, 2500);
  }

  /** Sets what the address asks for, and goes there. A figure that cannot show it stays as it was saved. */
  function follow(home, model) {
    const values = asked(home, model.saved);
    if (!values) return;
    try {
      model.restore(values);
    } catch (error) {
      console.warn(error);
      model.restore({});
    }
    home.querySelector(".live-body")?.dispatchEvent(new Event("pointerdown")); // who was touched plays no more by itself
    home.scrollIntoView({ block: "center" });
  }

  addEventListener("live-ready", ({ target: home, detail: model }) => {
    const button = home.querySelector(".live-link");
    button?.addEventListener("click", () => copy(button, addressOf(home, model)));
    addEventListener("hashchange", () => follow(home, model));
    follow(home, model);
  });
})();
