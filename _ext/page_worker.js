/* Runs the reader's Python in a thread of its own, which the page can stop. MicroPython's own module stands before it. */
const LINES = 100; // of what a cell prints; the rest is left out
const RUN = `
import page
from ppo_helpers.exercises.cases import EXERCISES
from ppo_helpers.exercises.on_page import run
`;
const say = (kind, value) => postMessage({ kind, value });
let python, printed, line;
const words = new TextDecoder();

async function start({ wasm, files }) {
  const url = URL.createObjectURL(new Blob([wasm], { type: "application/wasm" }));
  python = await loadMicroPython({ url, heapsize: 4 * 1024 * 1024, linebuffer: false, stdout });
  for (const [path, text] of Object.entries(files)) write(`/lib/${path}`, text);
  const page = { soon: (text) => say("soon", text), done: (passed, text) => say("done", { passed, text }), source: "" };
  python.registerJsModule("page", page);
  python.runPython(RUN);
  return page;
}

/** Collects what is printed into lines; the last one may have no end. */
function stdout([byte]) {
  if (byte === 10) endLine();
  else if (printed < LINES) line.push(byte);
}
function endLine() {
  if (printed++ < LINES) say("printed", words.decode(new Uint8Array(line)));
  line = [];
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
    [page.source, printed, line] = [data.source, 0, []];
    python.runPython("told = run(page.source, EXERCISES, page.soon)");
    if (line.length) endLine();
    python.runPython("page.done(*told)");
  } catch (error) {
    say("failed", String(error?.message ?? error));
  }
};
