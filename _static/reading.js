/* Shows where the reader is and how far they have come. Without it nothing is missing from the text. */
(() => {
  const ready = (run) => {
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", run);
    else run();
  };

  /** Calls a function now and, once per frame at most, whenever the page moves, changes its height, or is asked to. */
  function follow(update) {
    let asked = false;
    const ask = () => {
      if (asked) return;
      asked = true;
      requestAnimationFrame(() => {
        asked = false;
        update();
      });
    };
    addEventListener("scroll", ask, { passive: true });
    addEventListener("resize", ask);
    new ResizeObserver(ask).observe(document.body);
    update();
    return ask;
  }

  /** Scrolls a sidebar, and never the page, until a link in it is in sight. */
  function bringIntoSight(box, link) {
    const { top, bottom } = link.getBoundingClientRect();
    const frame = box.getBoundingClientRect();
    if (top < frame.top || bottom > frame.bottom) box.scrollTop += top - frame.top - box.clientHeight / 2;
  }

  // ---- Where the reader is ------------------------------------------------------------------------------------------

  /** What the address points at; nothing where somebody has typed what no browser can read. */
  function pointedAt() {
    try {
      return decodeURIComponent(location.hash.slice(1));
    } catch {
      return "";
    }
  }

  /** The section that was jumped to last, for as long as its heading stays in sight and nobody scrolls by hand. */
  function jumpTarget(sections) {
    let target = null;
    const forget = () => {
      target = null;
    };
    const jump = () => {
      target = sections.find((section) => section.id === pointedAt());
    };
    const current = () => {
      const top = target?.getBoundingClientRect().top;
      if (top <= -1 || top >= innerHeight) forget();
      return target;
    };
    for (const name of ["wheel", "touchmove", "keydown"]) addEventListener(name, forget, { passive: true });
    return { jump, current };
  }

  /** Marks, in "On this page", the section that is being read. */
  function contents() {
    const links = [...document.querySelectorAll("#page-contents a")];
    if (!links.length) return;
    const sections = links.map((link) => document.getElementById(decodeURIComponent(link.hash.slice(1))));
    const target = jumpTarget(sections);
    const sidebar = document.querySelector(".bd-sidebar-secondary");

    const current = () => {
      const section = target.current();
      if (section) return sections.indexOf(section);
      // the line above which a section has begun; near the end of the page it sinks, or short last sections had no turn
      const rest = document.documentElement.scrollHeight - innerHeight - scrollY;
      const line = Math.max(0.3 * innerHeight, innerHeight - rest);
      return sections.findLastIndex((section) => section.getBoundingClientRect().top <= line);
    };
    const mark = (link, on) => {
      link.classList.toggle("active", on);
      if (on) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    };
    let marked;
    const ask = follow(() => {
      const link = links[current()];
      if (link === marked) return;
      marked = link;
      for (const other of links) mark(other, other === link);
      for (const entry of document.querySelectorAll("#page-contents .toc-entry"))
        entry.classList.toggle("active", entry.contains(link ?? null));
      if (link) bringIntoSight(sidebar, link);
    });
    const jump = () => {
      target.jump();
      ask();
    };
    for (const name of ["load", "hashchange"]) addEventListener(name, jump);
    addEventListener("click", ({ target: clicked }) => {
      const link = clicked.closest("#page-contents a, .to-the-top");
      if (!link) return;
      link.closest("dialog")?.close(); // on a phone the contents lie on the page
      setTimeout(jump); // a link to the place where the reader is already changes no hash
    });
  }

  function progressBar() {
    const bar = document.createElement("div");
    bar.className = "book-progress";
    document.body.append(bar);
    follow(() => {
      const room = document.documentElement.scrollHeight - innerHeight;
      bar.style.scale = `${room > 0 ? Math.min(scrollY / room, 1) : 0} 1`;
    });
  }

  /** The sidebar opens at its top if the page's own link is in sight there; its logo is shown whole or not at all. */
  function sidebar() {
    const box = document.querySelector(".bd-sidebar-primary");
    const link = box?.querySelector(".current > a");
    if (!link) return;
    box.scrollTop = 0;
    bringIntoSight(box, link);
    const logo = box.querySelector(".navbar-brand").getBoundingClientRect();
    if (box.scrollTop > 0) box.scrollTop += Math.max(0, logo.bottom - box.getBoundingClientRect().top);
  }

  // ---- How far the reader has come ----------------------------------------------------------------------------------

  const RECORD = "book-read"; // in this browser only: for each page, how much of it has been on the screen
  const SOLVED = "book-solved"; // and which of its exercises are solved; page-exercises.js writes it

  function readRecord(record = RECORD) {
    try {
      return JSON.parse(localStorage.getItem(record)) ?? {};
    } catch {
      return {};
    }
  }

  function writeRecord(page, part) {
    const record = readRecord(); // other tabs write it too
    record[page] = Math.max(record[page] ?? 0, part);
    try {
      localStorage.setItem(RECORD, JSON.stringify(record));
    } catch {} // no room, or not allowed: then nothing is remembered
  }

  function show(link, part) {
    if (!part) return;
    link.dataset.read = part;
    link.style.setProperty("--read", part);
    describe(link);
  }

  /** What the dot and the count beside a link mean. */
  function describe(link) {
    const { read, solved } = link.dataset;
    const words = [];
    if (read) words.push(Number(read) === 1 ? "read" : `${Math.round(100 * read)} % read`);
    if (solved) words.push(`exercises solved: ${solved.slice(2)}`);
    link.setAttribute("aria-description", words.join(", "));
  }

  /** A dot beside each chapter fills up as it is read. */
  function record() {
    const article = document.querySelector("article.bd-article");
    if (!article) return;
    const page = location.pathname;
    const links = [...document.querySelectorAll(".bd-sidebar-primary nav.bd-links li > a")];
    const before = readRecord();
    let part = before[page] ?? 0;
    for (const link of links) show(link, before[link.pathname]);
    follow(() => {
      const { top, height } = article.getBoundingClientRect();
      const seen = Math.min(1, (innerHeight - top) / height);
      if (seen < part + 0.01 && seen < 1) return;
      part = Math.max(part, Math.round(100 * seen) / 100);
      for (const link of links) if (link.pathname === page) show(link, part);
    });
    addEventListener("pagehide", () => writeRecord(page, part));
    document.addEventListener("visibilitychange", () => document.hidden && writeRecord(page, part));
  }

  /** Beside each chapter of which an exercise is solved, how many of them are. */
  function solved() {
    const show = () => {
      const pages = readRecord(SOLVED);
      for (const link of document.querySelectorAll(".bd-sidebar-primary nav.bd-links li > a")) {
        const { names = [], all } = pages[link.pathname] ?? {};
        if (!names.length) continue;
        link.dataset.solved = `✓ ${names.length} of ${all}`;
        describe(link);
      }
    };
    addEventListener("exercise-solved", show);
    show();
  }

  // ---- Exercises -----------------------------------------------------------------------------------------------------

  const BESIDE = document.currentScript?.src || document.baseURI;

  /** What answers them comes when one is near, or when one has been solved before: the first view needs none of it. */
  function exercises() {
    const cells = document.querySelectorAll(".cell.exercise");
    const come = () => {
      near.disconnect();
      const link = Object.assign(document.createElement("link"), { rel: "stylesheet" });
      link.href = new URL("page-exercises.css", BESIDE).href;
      document.head.append(link);
      for (const name of ["python-thread", "page-exercises"]) {
        const script = Object.assign(document.createElement("script"), { async: false });
        script.src = new URL(`${name}.js`, BESIDE).href;
        document.head.append(script);
      }
    };
    const near = new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && come(), {
      rootMargin: "1200px",
    });
    if (cells.length && readRecord(SOLVED)[location.pathname]) come();
    else for (const cell of cells) near.observe(cell);
  }

  ready(() => {
    for (const part of [sidebar, progressBar, record, solved, contents, exercises]) part();
  });
})();
