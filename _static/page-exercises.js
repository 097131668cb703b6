/* Exercises answer on the page: the stub becomes an editor, and a small Python (python-thread.js) tries the answer.
 * Nothing is sent anywhere; what the reader writes and what they have solved stays in this browser. */
(() => {
  const [ANSWERS, SOLVED] = ["book-answers", "book-solved"];
  const OVER = "Start over";

  const element = (tag, properties, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };

  // ---- What this browser remembers ----------------------------------------------------------------------------------

  function kept(record) {
    try {
      return JSON.parse(localStorage.getItem(record)) ?? {};
    } catch {
      return {};
    }
  }

  function keep(record, change) {
    const values = kept(record); // other tabs write it too
    change(values);
    try {
      localStorage.setItem(record, JSON.stringify(values));
    } catch {} // no room, or not allowed: then nothing is remembered
  }

  // ---- One exercise -------------------------------------------------------------------------------------------------

  class Exercise {
    constructor(cell) {
      this.cell = cell;
      this.code = cell.querySelector(".cell_input .highlight");
      this.stub = this.code.querySelector("pre").textContent.trimEnd();
      this.name = this.stub.match(/check_(\w+)/)[1];
      this.section = cell.closest("section");
      this.title = this.section.querySelector("h2, h3, h4").firstChild.textContent.trim();
      this.bar = element("div", { className: "exercise-bar" });
      cell.querySelector(".cell_input").after(this.bar);
      if (cell.classList.contains("needs-torch")) this.leadElsewhere();
      else this.offer();
    }

    leadElsewhere() {
      const colab = document.querySelector('a[href*="colab.research"]');
      const place = colab ? element("a", { href: colab.href, textContent: "Open the chapter in Colab" }) : "Open Colab";
      this.bar.append("This one works with PyTorch, which a page has not. ", place, ", or run it in your notebook.");
    }

    offer() {
      const begun = kept(ANSWERS)[this.name] !== undefined;
      this.opener = element("button", {
        type: "button",
        className: "exercise-button",
        textContent: "Write your answer here",
      });
      if (begun) this.opener.textContent = "Go on with your answer";
      this.opener.addEventListener("click", () => this.open());
      this.bar.append(this.opener);
    }

    async open() {
      this.opener.disabled = true;
      try {
        this.edit(await window.livePage.asset("page-editor"));
      } catch (error) {
        this.opener.disabled = false;
        this.tell(false, `The editor cannot be loaded: ${error.message}.`);
      }
    }

    edit({ createEditor, defaultCommands, editHistory, setIgnoreTab, layout }) {
      if (!document.getElementById("editor-layout"))
        document.head.prepend(element("style", { id: "editor-layout", textContent: layout }));
      const value = kept(ANSWERS)[this.name] ?? this.stub;
      const home = element("div", { className: "exercise-editor" });
      this.code.before(home);
      this.code.hidden = true;
      for (const output of this.cell.querySelectorAll(".cell_output")) output.hidden = true;
      const options = { language: "python", value, tabSize: 4, onUpdate: (text) => this.changed(text) };
      this.editor = createEditor(home, options, defaultCommands(), editHistory());
      this.useKeys(home, setIgnoreTab);
      this.showButtons();
      this.goToDots();
    }

    /** What the editor does not do by itself: check, and let a keyboard out. */
    useKeys(home, setIgnoreTab) {
      const { textarea } = this.editor;
      textarea.setAttribute("aria-label", `Your answer to ${this.title}`);
      textarea.setAttribute("aria-describedby", `keys-${this.name}`);
      textarea.addEventListener("focus", () => setIgnoreTab(false));
      const keys = (event) => {
        if (event.key === "Escape") setIgnoreTab(true);
        if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey || event.shiftKey)) return;
        event.preventDefault();
        event.stopPropagation(); // the editor would begin a line
        this.check();
      };
      home.addEventListener("keydown", keys, { capture: true });
    }

    goToDots() {
      const { textarea } = this.editor;
      textarea.focus();
      const at = textarea.value.indexOf("...");
      textarea.setSelectionRange(Math.max(0, at), at < 0 ? 0 : at + 3);
    }

    showButtons() {
      const button = (textContent, className, press) => {
        const made = element("button", { type: "button", className, textContent });
        made.addEventListener("click", press);
        return made;
      };
      this.checker = button("Check", "exercise-button", () => this.check());
      this.over = button(OVER, "exercise-button quiet", () => (this.former ? this.put(this.former) : this.startOver()));
      const keys = "Ctrl + Enter checks · Tab indents, Esc and then Tab leaves";
      const told = element("span", { className: "exercise-keys", id: `keys-${this.name}`, textContent: keys });
      this.bar.replaceChildren(this.checker, this.over, told);
      this.said?.remove(); // that the editor did not come the first time
      this.said = element("div", { className: "exercise-said", role: "status" });
      this.bar.after(this.said);
    }

    changed(text) {
      this.former = ""; // who writes on needs nothing back
      if (this.over) this.over.textContent = OVER;
      if (this.judged !== text) this.said?.removeAttribute("data-passed"); // that was said of another text
      keep(ANSWERS, (answers) => {
        if (text.trimEnd() === this.stub) delete answers[this.name];
        else answers[this.name] = text;
      });
    }

    /** A text takes the place of all that is there; undo brings it back. */
    put(text) {
      const { textarea } = this.editor;
      textarea.setRangeText(text, 0, textarea.value.length);
      textarea.dispatchEvent(new InputEvent("input", { bubbles: true }));
    }

    /** A phone has no key that undoes: what was written can be had back. */
    startOver() {
      const was = this.editor.value;
      this.put(this.stub);
      if (was.trimEnd() !== this.stub) [this.former, this.over.textContent] = [was, "Bring it back"];
      this.said.replaceChildren();
      this.goToDots();
    }

    async check() {
      if (this.busy) return;
      this.busy = true;
      const source = this.editor.value;
      this.tell(null, window.bookPython.awake ? "Trying …" : "Python comes, 0.3 MB …");
      const { passed, text, printed } = await window.bookPython.ask(source);
      this.busy = false;
      if (source !== this.editor.value) return this.tell(null, "The answer has changed meanwhile: check it again.");
      this.tell(passed, [...printed, text].join("\n"), source);
      if (passed && text.startsWith(`Correct: ${this.name} `)) solved(this);
    }

    tell(passed, text, of = null) {
      if (!this.said) {
        this.said = element("div", { className: "exercise-said", role: "status" });
        this.bar.after(this.said);
      }
      this.judged = of;
      if (passed === null) this.said.removeAttribute("data-passed");
      else this.said.dataset.passed = passed;
      this.said.replaceChildren(element("pre", { textContent: text }));
    }
  }

  // ---- What is solved -----------------------------------------------------------------------------------------------

  function solved({ name }) {
    keep(SOLVED, (pages) => {
      const { names = [] } = pages[location.pathname] ?? {};
      const known = exercises.map((exercise) => exercise.name);
      const all = exercises.filter(({ opener }) => opener).length;
      pages[location.pathname] = { names: [...new Set([...names, name])].filter((one) => known.includes(one)), all };
    });
    showSolved();
  }

  let exercises = [];

  /** Ticks in "On this page"; the sidebar counts, by what is remembered. */
  function showSolved() {
    const { names = [] } = kept(SOLVED)[location.pathname] ?? {};
    for (const { name, section } of exercises) {
      if (!names.includes(name)) continue;
      for (const link of document.querySelectorAll("#page-contents a")) {
        if (decodeURIComponent(link.hash.slice(1)) !== section.id) continue;
        link.dataset.solved = "✓";
        link.setAttribute("aria-description", "solved");
      }
    }
    dispatchEvent(new Event("exercise-solved"));
  }

  function start() {
    exercises = [...document.querySelectorAll(".cell.exercise")].map((cell) => new Exercise(cell));
    showSolved();
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
