/** Progress on standard error, with rate and time left: a bar on a terminal, now and then a line elsewhere. */
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

/** Seconds as people say them. */
const seconds = (count: number): string =>
  count < 60 ? `${Math.ceil(count)} s` : `${Math.floor(count / 60)} min ${Math.round(count % 60)} s`

/** Before that, a rate says nothing. Milliseconds. */
const settled = 500

/** `elapsed`: milliseconds since the work began. */
export const amount = (update: Update, elapsed: number): string => {
  const { done, total } = update
  const fraction = fractionOf(update)
  const isTelling = elapsed >= settled && done > 0
  const left =
    isTelling && fraction !== undefined && fraction > 0 ? (elapsed * (1 - fraction)) / fraction / 1000 : undefined
  return [
    done.toLocaleString("en"),
    total === undefined ? "" : ` of ${total.toLocaleString("en")}`,
    fraction === undefined ? "" : ` (${Math.floor(100 * fraction)} %)`,
    isTelling ? `, ${Math.round((1000 * done) / elapsed).toLocaleString("en")}/s` : "",
    left === undefined ? "" : `, ${seconds(left)} left`
  ].join("")
}

/** When the work of each label began. */
const clock = () => {
  const starts = new Map<string, number>()
  return ({ done, finished, label }: Update, now: number): number => {
    const start = done === 0 ? now : (starts.get(label) ?? now)
    if (finished === true) starts.delete(label)
    else starts.set(label, start)
    return now - start
  }
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
  const elapsedOf = clock()
  return (update) =>
    Effect.sync(() => {
      const now = performance.now()
      const elapsed = elapsedOf(update, now)
      const finished = update.finished === true || update.done === update.total
      if (!finished && now - last < drawEvery) return
      last = now
      const text = `${update.label} ${bar(update)}${amount(update, elapsed)}`.slice(0, (stream.columns ?? 80) - 1)
      stream.write(`\r\u001B[2K${finished ? "" : text}`)
    })
}

const inLines = (stream: NodeJS.WriteStream): Listener => {
  let last = performance.now()
  const elapsedOf = clock()
  return (update) =>
    Effect.sync(() => {
      const now = performance.now()
      const elapsed = elapsedOf(update, now)
      if (update.finished === true || now - last < lineEvery) return
      last = now
      stream.write(`${update.label}: ${amount(update, elapsed)}\n`)
    })
}

const animates = (stream: NodeJS.WriteStream): boolean => stream.isTTY && process.env["TERM"] !== "dumb"

export const layer: Layer.Layer<never> = Layer.succeed(
  Progress,
  animates(process.stderr) ? onTerminal(process.stderr) : inLines(process.stderr)
)
