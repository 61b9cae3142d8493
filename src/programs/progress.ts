/** Progress on standard error: a bar on a terminal, now and then a line elsewhere. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Listener, Progress, type Update } from "../internal/Progress.ts"

/** Between two lines where no terminal is. Milliseconds. */
const lineEvery = 5000
/** Between two drawings of the bar. Milliseconds. */
const drawEvery = 80
const barWidth = 24

const amount = ({ done, total }: Update): string =>
  total === undefined
    ? done.toLocaleString("en")
    : `${done.toLocaleString("en")} of ${total.toLocaleString("en")} (${total === 0 ? 100 : Math.floor((100 * done) / total)} %)`

const bar = ({ done, total }: Update): string => {
  if (total === undefined || total === 0) return ""
  const full = Math.min(barWidth, Math.round((barWidth * done) / total))
  return `[${"#".repeat(full)}${"-".repeat(barWidth - full)}] `
}

/** Draws over one line, which it clears when the work is done. */
const onTerminal = (stream: NodeJS.WriteStream): Listener => {
  let last = 0
  return (update) =>
    Effect.sync(() => {
      const now = performance.now()
      const finished = update.done === update.total
      if (!finished && now - last < drawEvery) return
      last = now
      const text = `${update.label} ${bar(update)}${amount(update)}`.slice(0, (stream.columns ?? 80) - 1)
      stream.write(`\r\u001B[2K${finished ? "" : text}`)
    })
}

const inLines = (stream: NodeJS.WriteStream): Listener => {
  let last = performance.now()
  return (update) =>
    Effect.sync(() => {
      const now = performance.now()
      if (now - last < lineEvery) return
      last = now
      stream.write(`${update.label}: ${amount(update)}\n`)
    })
}

const animates = (stream: NodeJS.WriteStream): boolean => stream.isTTY && process.env["TERM"] !== "dumb"

export const layer: Layer.Layer<never> = Layer.succeed(
  Progress,
  animates(process.stderr) ? onTerminal(process.stderr) : inLines(process.stderr)
)
