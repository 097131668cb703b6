/* The search page: excerpts come from the prose and hold no TeX; a hit leads to its words, which marks.js marks there. */
document.addEventListener("DOMContentLoaded", () => {
  const LEFT_OUT = ".headerlink, script, style, .katex-html, annotation, mover[accent] > :last-child"; // of a formula its MathML stays
  const GREEK = {
    alpha: "α",
    beta: "β",
    gamma: "γ",
    delta: "δ",
    epsilon: "ϵ",
    theta: "θ",
    lambda: "λ",
    pi: "π",
    rho: "ρ",
  };
  const ROOM = 240;
  const LETTER = "[\\p{L}\\p{N}_]";

  /** The text of a page or of one of its sections: first what is written, then the cells. */
  Search.htmlToText = (html, anchor) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    for (const element of page.querySelectorAll(LEFT_OUT)) element.remove();
    for (const index of page.querySelectorAll("msub > :last-child")) index.prepend("_"); // π_old, as it is typed
    const part = page.getElementById(anchor?.slice(1)) ?? page.querySelector("article");
    const cells = [...part.querySelectorAll(".cell")];
    for (const cell of cells) cell.remove();
    return [part, ...cells].map((element) => element.textContent.replace(/[\s\u2061]+/g, " ")).join(" ");
  };

  /** Where a word stands, or as much of its beginning as there is: the stem of "policies" is "polici". */
  function place(text, word) {
    for (let length = word.length; length > 2 || length === word.length; length--) {
      const end = length < 3 ? `(?!${LETTER})` : "";
      const at = text.search(new RegExp(`(?<!${LETTER})${word.slice(0, length)}${end}`, "u")); // no "ratio" in "iteration"
      if (at >= 0) return at;
    }
    return text.indexOf(word);
  }
  const inGreek = (word) => word.replace(/[a-z]+/g, (name) => GREEK[name] ?? name);

  /** The words around the first place, or the beginning if nothing is found. */
  Search.makeSearchSummary = (html, keywords, anchor) => {
    const text = Search.htmlToText(html, anchor).trim();
    const lower = text.toLowerCase();
    const places = [...keywords].flatMap((word) => [place(lower, inGreek(word)), place(lower, word)]);
    const first = places.find((at) => at >= 0) ?? 0;
    const from = first > ROOM / 2 ? text.indexOf(" ", first - ROOM / 2) + 1 : 0;
    const to = from + ROOM < text.length ? text.lastIndexOf(" ", from + ROOM) : text.length;
    const summary = document.createElement("p");
    summary.className = "context";
    summary.textContent = `${from ? "… " : ""}${text.slice(from, to)}${to < text.length ? " …" : ""}`;
    return summary;
  };

  /** What two forms of a word have in common: "advantages" and its stem "advantag". */
  function beginning(word) {
    const stem = new Stemmer().stemWord(word);
    let length = 0;
    while (length < stem.length && stem[length] === word[length]) length++;
    return word.slice(0, length);
  }
  const query = new URLSearchParams(location.search).get("q") ?? "";
  const words = splitQuery(query.toLowerCase()).filter((word) => !stopwords.includes(word));
  const forms = (word) => (inGreek(word) === word ? [beginning(word)] : [word, inGreek(word)]);
  const highlight = words.flatMap(forms).join(" ");

  const leadToWords = () => {
    for (const link of document.querySelectorAll("#search-results li > a:not([href*='?'])")) {
      const address = new URL(link.href);
      address.searchParams.set("highlight", highlight);
      link.href = address;
    }
  };
  const results = document.getElementById("search-results");
  if (results) new MutationObserver(leadToWords).observe(results, { childList: true, subtree: true });
});
