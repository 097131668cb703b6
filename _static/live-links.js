/* A link to a figure as it stands: page.html#fig-explorer?ratio=0.5&advantage=-1. What is not in the link is as the book
 * has it. live-static.js tells when a figure lives. */
(() => {
  const nameOf = (home) => home.closest(".cell")?.id || home.querySelector("figcaption").id;
  const kind = (value) => (Array.isArray(value) ? "array" : value === null ? "null" : typeof value);

  const equal = (a, b) => JSON.stringify(a) === JSON.stringify(b);
  const LONGEST = 400; // letters of a text

  /** May a figure be given this value, where it has `saved`? A link may come from anybody. `bounds` are those of a number,
   *  or by name those of the numbers in an object; what an object has beside them must be as it is. */
  function fits(value, saved, bounds) {
    if (kind(saved) === "array")
      return (
        kind(value) === "array" && value.length === saved.length && value.every((v, i) => fits(v, saved[i], bounds))
      );
    if (kind(saved) === "object" && kind(value) === "object")
      return (
        equal(Object.keys(value), Object.keys(saved)) && Object.keys(value).every(fitsInside(value, saved, bounds))
      );
    if (kind(value) === "number") return Number.isFinite(value) && (!bounds || within(value, bounds));
    return kind(value) === kind(saved) && (kind(value) !== "string" || value.length <= LONGEST);
  }
  const within = (value, [low, high]) => value >= low && value <= high;
  const fitsInside = (value, saved, bounds) => (name) =>
    bounds?.[name] ? value[name] === null || fits(value[name], 0, bounds[name]) : equal(value[name], saved[name]);

  /** A value as a link writes it. */
  function parsed(text) {
    try {
      return JSON.parse(text);
    } catch {
      return undefined;
    }
  }

  /** What the address asks of a figure. */
  function asked(home, { links, ...saved }) {
    const [name, query] = location.hash.slice(1).split("?", 2);
    if (query === undefined || name !== nameOf(home)) return null;
    const values = {};
    for (const [key, text] of new URLSearchParams(query)) {
      if (!Object.hasOwn(links, key)) continue;
      const value = kind(saved[key]) === "string" ? text : parsed(text);
      if (kind(value) === kind(saved[key]) && fits(value, saved[key], links[key])) values[key] = value;
    }
    return values;
  }

  function addressOf(home, model) {
    const written = ([name, value]) => [name, kind(value) === "string" ? value : JSON.stringify(value)];
    const changes = model.changes().filter(([name]) => Object.hasOwn(model.saved.links, name));
    const query = new URLSearchParams(changes.map(written));
    return `${location.href.split("#")[0]}#${nameOf(home)}?${query}`;
  }

  const WRITTEN = ["prompt", "tokens", "texts"]; // words are no dials

  async function copy(button, address, model) {
    const said = button.nextElementSibling ?? button.parentElement.appendChild(document.createElement("span"));
    said.setAttribute("role", "status");
    const without = model.changes().some(([name]) => WRITTEN.includes(name))
      ? " It keeps the dials, not the text."
      : "";
    if (window === window.top) history.replaceState(history.state, "", address);
    try {
      await navigator.clipboard.writeText(address);
      said.textContent = `It is copied.${without}`;
    } catch {
      const link = Object.assign(document.createElement("a"), { href: address, target: "_blank", textContent: "here" });
      said.replaceChildren("It is ", link, `.${without}`);
    }
  }

  /** Sets what the address asks for, and goes there. A figure that cannot show it stays as it was saved. */
  function follow(home, model) {
    const values = asked(home, model.saved);
    if (!values) return;
    home.querySelector(".live-body")?.dispatchEvent(new Event("pointerdown")); // who was touched plays no more by itself
    try {
      for (let i = 0; i < 2; i++) model.restore(values); // one that has changed may have set others back
    } catch (error) {
      console.warn(error);
      model.restore({});
    }
    home.scrollIntoView({ block: "center" });
  }

  addEventListener("live-ready", ({ target: home, detail: model }) => {
    const button = home.querySelector(".live-link");
    button?.addEventListener("click", () => copy(button, addressOf(home, model), model));
    addEventListener("hashchange", () => follow(home, model));
    follow(home, model);
  });
})();
