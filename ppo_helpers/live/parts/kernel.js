// Questions to the kernel of a notebook, and its answers.
const PATIENCE = 30000; // milliseconds

/** `ask` promises the answer to a question, an object; `off` stops listening. */
export function kernelOf(model) {
  let asked = 0;
  const waiting = new Map();
  const hear = (reply) => {
    waiting.get(reply.number)?.(reply);
    waiting.delete(reply.number);
  };
  model.on("msg:custom", hear);
  const ask = (question) =>
    new Promise((resolve, reject) => {
      const number = asked;
      asked += 1;
      const late = () => reject(new Error("The kernel does not answer: run the figure’s cell again."));
      const timer = setTimeout(late, PATIENCE);
      waiting.set(number, (reply) => {
        clearTimeout(timer);
        if (reply.error) reject(new Error(reply.error));
        else resolve(reply);
      });
      model.send({ number, ...question });
    });
  return { ask, off: () => model.off("msg:custom", hear) };
}
