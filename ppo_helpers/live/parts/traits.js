// A model's traits in short: read, write, watch, and let go of all of them at once.
export function traits(model) {
  const watched = [];
  return {
    get: (name) => model.get(name),
    set(changes) {
      model.set(changes);
      model.save_changes();
    },
    /** Call `fn` whenever one of these traits has changed. */
    watch(names, fn) {
      for (const name of names) model.on(`change:${name}`, fn);
      watched.push(() => {
        for (const name of names) model.off(`change:${name}`, fn);
      });
    },
    off() {
      for (const undo of watched) undo();
    },
  };
}
