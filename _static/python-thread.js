/* A small Python for the exercises, in a thread of its own, so that an answer that never ends can be stopped. It comes
 * when the first answer is tried. */
(() => {
  const LIMIT = 3000; // ms that one input may take; ppo_helpers/exercises/on_page.py says so to the reader
  let thread = null;
  let turn = Promise.resolve(); // one answer after the other

  async function start() {
    if (typeof WebAssembly === "undefined") throw new Error("it has no WebAssembly");
    const { worker, wasm, files } = await window.livePage.asset("page-python");
    const url = URL.createObjectURL(new Blob([worker], { type: "text/javascript" }));
    const bytes = Uint8Array.from(atob(wasm), (char) => char.charCodeAt(0));
    const made = new Worker(url);
    made.addEventListener("message", () => URL.revokeObjectURL(url), { once: true });
    made.postMessage({ wasm: bytes, files });
    return made;
  }

  function stop() {
    thread?.then((worker) => worker.terminate()).catch(() => {});
    thread = null;
  }

  function heard(worker, source) {
    const printed = [];
    let timer;
    return new Promise((resolve, reject) => {
      const late = (text) => {
        stop();
        resolve({ passed: false, text, printed });
      };
      const tells = {
        printed: (line) => printed.push(line),
        soon: (text) => {
          clearTimeout(timer);
          timer = setTimeout(late, LIMIT, text);
        },
        done: ({ passed, text }) => resolve({ passed, text, printed }),
        failed: (text) => reject(new Error(text)),
      };
      worker.onmessage = ({ data }) => tells[data.kind](data.value);
      worker.onerror = (event) => reject(new Error(event.message || "it refuses the thread"));
      worker.postMessage({ source });
    }).finally(() => clearTimeout(timer));
  }

  async function attempt(source) {
    thread ??= start();
    try {
      return await heard(await thread, source);
    } catch (error) {
      stop();
      const text = `Python could not run in this browser: ${error.message}. The notebook and Colab can check it, too.`;
      return { passed: false, text, printed: [] };
    }
  }

  window.bookPython = {
    get awake() {
      return thread !== null;
    },

    /** Runs a cell. Gives back whether the answer is right, what the reader is told, and what the cell printed. */
    ask(source) {
      turn = turn.then(() => attempt(source));
      return turn;
    },
  };
})();
