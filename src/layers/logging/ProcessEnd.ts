/** What is done when the process ends, however it does: at a signal, at an exception, at its exit. */

/** Signals that end a process. */
const signals = ["SIGTERM", "SIGINT", "SIGHUP"] as const

/** Calls `last` once before the process ends; it may not wait. Answers how to take it back. */
export const onEnd = (last: () => void): (() => void) => {
  let isDone = false
  const once = () => {
    if (isDone) return
    isDone = true
    last()
  }
  // Not only once: requests go on after a signal that somebody else handles.
  const onSignal = (signal: NodeJS.Signals) => {
    last()
    if (process.listenerCount(signal) > 1) return
    // Nobody else does anything about it: it ends the process, as it would have without us.
    remove()
    process.kill(process.pid, signal)
  }
  const remove = () => {
    process.off("exit", once)
    process.off("uncaughtExceptionMonitor", last)
    for (const signal of signals) process.off(signal, onSignal)
  }
  process.on("exit", once)
  process.on("uncaughtExceptionMonitor", last)
  for (const signal of signals) process.on(signal, onSignal)
  return remove
}
