/**
 * Which requests are logged: pure rules.
 *
 * Head: by the trace id alone, so that all functions that a request passes decide alike. Tail: a request that the head
 * left out is kept back until it ends, and written after all where it failed or was slow.
 *
 * Source: W3C Trace Context Level 2, section 3.2.2.3.2 (random-trace-id); OpenTelemetry, "TraceState: Probability
 * Sampling", where the last 56 bits of a trace id are its randomness.
 */

export interface Options {
  /** Part of the traces that are logged whole, 0 to 1. Default 1. */
  readonly ratio?: number | undefined
  /** Requests that took longer, in milliseconds, are logged whatever the ratio. Default 1000. */
  readonly slow?: number | undefined
  /** Lines of one request that are kept back at most; beyond them the oldest are dropped and counted. Default 500. */
  readonly keptLines?: number | undefined
}

export interface Resolved {
  readonly ratio: number
  readonly slow: number
  readonly keptLines: number
}

export const resolve = ({ keptLines = 500, ratio = 1, slow = 1000 }: Options): Resolved => ({ ratio, slow, keptLines })

/** What is wrong with the options; undefined where nothing is. */
export const problem = (options: Options): { readonly option: string; readonly detail: string } | undefined => {
  const { keptLines, ratio, slow } = resolve(options)
  if (!(ratio >= 0 && ratio <= 1)) return { option: "sampling.ratio", detail: `${ratio} does not lie between 0 and 1` }
  if (!(slow >= 0)) return { option: "sampling.slow", detail: `${slow} is no number of milliseconds` }
  if (!Number.isInteger(keptLines) || keptLines < 1)
    return { option: "sampling.keptLines", detail: `${keptLines} is no number of lines, 1 or more` }
  return undefined
}

const digits = 14
const whole = 2 ** 56

/** Whether a trace is logged from its beginning. The same for the same id, everywhere. */
export const head = (traceId: string, { ratio }: Resolved): boolean => {
  if (ratio >= 1) return true
  const randomness = Number.parseInt(traceId.slice(-digits), 16)
  return randomness >= (1 - ratio) * whole
}

/** What is known of a request at its end. */
export interface Ended {
  /** It failed, answered 5xx, or logged an error. */
  readonly failed: boolean
  /** In milliseconds. */
  readonly duration: number
}

/** Whether a request that the head left out is logged after all, and why. */
export const tail = ({ duration, failed }: Ended, { slow }: Resolved): "failed" | "slow" | undefined =>
  failed ? "failed" : duration > slow ? "slow" : undefined
