/** What is known of a request while it runs. */
import * as Context from "effect/Context"
import type { Level } from "../../LogEvent.ts"
import type { Sink } from "../../LogSink.ts"
import type { RequestContext } from "../../RequestContext.ts"

/** How often, and how many milliseconds in all. */
interface Sum {
  count: number
  durationMs: number
}

export interface State {
  readonly context: RequestContext
  /** Members of each of its lines, written once. */
  readonly tail: string
  readonly sink: Sink
  /** Lines that the sink had lost when it began. */
  readonly lostBefore: number
  /** Lines that wait for its end, where the head of the trace was left out. */
  kept: Array<readonly [line: string, level: Level]> | undefined
  /** Lines that did not fit into `kept`. */
  dropped: number
  readonly database: Sum
  readonly external: Sum
  slowest: { readonly type: string; readonly name: string; readonly durationMs: number } | undefined
  /** It was sampled out, and ended without a reason to be logged. */
  isLeftOut: boolean
  /** It has logged an error. */
  failed: boolean
  readonly coldStart: boolean
  /** Its last line is written: what comes later is late, and comes as it is. */
  ended: boolean
}

/** The request that a fiber works for. */
export const Current: Context.Reference<State | undefined> = Context.Reference<State | undefined>(
  "holdfast/logging/State",
  { defaultValue: () => undefined }
)

/** The span id of the nearest piece of work that has a line; undefined outside of a request. */
export const Nearest: Context.Reference<string | undefined> = Context.Reference<string | undefined>(
  "holdfast/logging/Nearest",
  { defaultValue: () => undefined }
)

/** Counts a piece of work into its request. */
export const count = (
  state: State,
  kind: "database" | "external",
  type: string,
  name: string,
  durationMs: number
): void => {
  const sum = state[kind]
  sum.count++
  sum.durationMs += durationMs
  if (state.slowest === undefined || durationMs > state.slowest.durationMs) state.slowest = { type, name, durationMs }
}

/** Milliseconds with three decimals. */
export const rounded = (milliseconds: number): number => Math.round(milliseconds * 1000) / 1000
