/* Runs the reader's Python in a thread of its own, which the page can stop. MicroPython's own module stands before it. */
const LINES = 100; // of what a cell prints; the rest is left out
const RUN = `
import page
from ppo_helpers.exercises.cases import EXERCISES
from ppo_helpers.exercises.on_page import complete_modules, run
`;
const say = (kind, value) => postMessage({ kind, value });
let python, printed;

async function start({ wasm, files }) {
  const url = URL.createObjectURL(new Blob([wasm], { type: "application/wasm" }));
  const stdout = (line) => printed++ < LINES && say("printed", line);
  python = await loadMicroPython({ url, heapsize: 4 * 1024 * 1024, stdout });
  for (const [path, text] of Object.entries(files)) write(`/lib/${path}`, text);
  const page = { soon: (text) => say("soon", text), done: (passed, text) => say("done", { passed, text }), source: "" };
  python.registerJsModule("page", page);
  python.runPython(`${RUN}complete_modules()`);
  return page;
}

function write(path, text) {
  const folders = path.split("/").slice(1, -1);
  for (let n = 1; n <= folders.length; n++) {
    const folder = `/${folders.slice(0, n).join("/")}`;
    if (!python.FS.analyzePath(folder).exists) python.FS.mkdir(folder);
  }
  python.FS.writeFile(path, text);
}

let starting;
self.onmessage = async ({ data }) => {
  try {
    starting ??= start(data);
    const page = await starting;
    if (data.source === undefined) return;
    [page.source, printed] = [data.source, 0];
    python.runPython("page.done(*run(page.source, EXERCISES, page.soon))");
  } catch (error) {
    say("failed", String(error?.message ?? error));
  }
};
