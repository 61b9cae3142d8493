/** Progress on standard error: a bar on a terminal, now and then a line elsewhere. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Listener, Progress, type Update } from "../internal/Progress.ts"

/** Between two lines where no terminal is. Milliseconds. */
const lineEvery = 5000
/** Between two drawings of the bar. Milliseconds. */
const drawEvery = 80
const barWidth = 24

/** 0 to 1; undefined where nobody knows. */
const fractionOf = ({ done, fraction, total }: Update): number | undefined =>
  total === undefined ? fraction : total === 0 ? 1 : Math.min(1, done / total)

const amount = (update: Update): string => {
  const { done, total } = update
  const fraction = fractionOf(update)
  return [
    done.toLocaleString("en"),
    total === undefined ? "" : ` of ${total.toLocaleString("en")}`,
    fraction === undefined ? "" : ` (${Math.floor(100 * fraction)} %)`
  ].join("")
}

const bar = (update: Update): string => {
  const fraction = fractionOf(update)
  if (fraction === undefined) return ""
  const full = Math.round(barWidth * fraction)
  return `[${"#".repeat(full)}${"-".repeat(barWidth - full)}] `
}

/** Draws over one line, which it clears when the work is done. */
const onTerminal = (stream: NodeJS.WriteStream): Listener => {
  let last = 0
  return (update) =>
    Effect.sync(() => {
      const now = performance.now()
      const finished = update.finished === true || update.done === update.total
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
      if (update.finished === true || now - last < lineEvery) return
      last = now
      stream.write(`${update.label}: ${amount(update)}\n`)
    })
}

const animates = (stream: NodeJS.WriteStream): boolean => stream.isTTY && process.env["TERM"] !== "dumb"

export const layer: Layer.Layer<never> = Layer.succeed(
  Progress,
  animates(process.stderr) ? onTerminal(process.stderr) : inLines(process.stderr)
)
