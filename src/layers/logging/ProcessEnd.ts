/**
 * What is done when the process ends, however it does: at a signal, at an exception, at its exit. All that wait for it
 * share one listener of each kind: two would each take the other for somebody who ends the process.
 */

/** Signals that end a process. */
const signals = ["SIGTERM", "SIGINT", "SIGHUP"] as const

const waiting = new Set<() => void>()

const callAll = (): void => {
  for (const last of waiting) last()
}

const onSignal = (signal: NodeJS.Signals): void => {
  callAll()
  if (process.listenerCount(signal) > 1) return
  // Nobody else does anything about it: it ends the process, as it would have without us.
  unlisten()
  process.kill(process.pid, signal)
}

const listen = (): void => {
  process.on("exit", callAll)
  process.on("uncaughtExceptionMonitor", callAll)
  // In front of all others, so that those who listen once are still there to be counted.
  for (const signal of signals) process.prependListener(signal, onSignal)
}
const unlisten = (): void => {
  process.off("exit", callAll)
  process.off("uncaughtExceptionMonitor", callAll)
  for (const signal of signals) process.off(signal, onSignal)
}

/** Calls `last` when the process ends, perhaps more than once; it may not wait. Answers how to take it back. */
export const onEnd = (last: () => void): (() => void) => {
  if (waiting.size === 0) listen()
  waiting.add(last)
  return () => {
    if (waiting.delete(last) && waiting.size === 0) unlisten()
  }
}
