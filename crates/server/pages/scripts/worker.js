// A worker that answers questions.

/** Makes a function that asks the worker in a file; it is started with the first question. */
export function asking(file) {
  let worker
  let last = 0
  const waiting = new Map()
  const start = () => {
    worker = new Worker(new URL(file, import.meta.url), { type: "module" })
    worker.addEventListener("message", ({ data: { id, output, error } }) => {
      const { resolve, reject } = waiting.get(id)
      waiting.delete(id)
      if (error === undefined) resolve(output)
      else reject(new Error(error))
    })
    worker.addEventListener("error", (event) => {
      for (const { reject } of waiting.values()) reject(new Error(event.message || file))
      waiting.clear()
    })
  }
  /** @param {object} question */
  return (question) =>
    new Promise((resolve, reject) => {
      if (!worker) start()
      last += 1
      waiting.set(last, { resolve, reject })
      worker.postMessage({ id: last, ...question })
    })
}
