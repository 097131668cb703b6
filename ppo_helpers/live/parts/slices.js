// Long work on the page's own thread, a little at a time: no worker, which a notebook's rules might refuse.
const SLICE = 8; // milliseconds

/** Works through the steps of a generator and calls `onslice` after every few of them. `over` is a promise of the end,
 *  kept also by `stop`. Where there is no clock, for a still picture, all is done at once. */
export function inSlices(steps, onslice) {
  const work = (until) => {
    let done = false;
    while (!done && until()) done = steps.next().done;
    onslice(done);
    return done;
  };
  if (typeof MessageChannel === "undefined") {
    work(() => true);
    return { stop() {}, over: Promise.resolve() };
  }
  const { port1, port2 } = new MessageChannel(); // a timeout would wait 4 ms between slices
  let finish = null;
  const over = new Promise((resolve) => {
    finish = () => {
      port1.close();
      resolve();
    };
  });
  port1.onmessage = () => {
    const end = performance.now() + SLICE;
    if (work(() => performance.now() < end)) finish();
    else port2.postMessage(null);
  };
  onceLoaded(() => port2.postMessage(null));
  return { stop: finish, over };
}

/** A page that is still on its way comes first: what it holds is wanted sooner than what is worked out here. */
function onceLoaded(begin) {
  if (document.readyState === "complete") begin();
  else addEventListener("load", begin, { once: true });
}
