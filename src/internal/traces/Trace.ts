/** A trace as it is shown: its pieces of work as the rows of a tree, on one axis of time. */
import type { Failure } from "../../LogEvent.ts"

/** `missing` stands for a request whose own lines are not in the log. */
export type Kind = "request" | "database" | "call" | "log" | "missing"

export interface Row {
  readonly kind: Kind
  /** 0 for a root; the children of a row follow it, one deeper. */
  readonly depth: number
  readonly name: string
  /** Milliseconds since the trace began. */
  readonly start: number
  /** Milliseconds; null for a moment, and for a request whose end is not in the log. */
  readonly duration: number | null
  /** A status code, `ok`, `error`, a level, or `no end`. */
  readonly status: string
  readonly isFailed: boolean
  readonly spanId: string | null
  readonly parentSpanId: string | null
  readonly error: Failure | null
  /** What else its lines say. */
  readonly details: Readonly<Record<string, unknown>>
}

export interface Counts {
  readonly requests: number
  readonly databaseOperations: number
  readonly externalCalls: number
  readonly logs: number
  /** Rows that failed. */
  readonly failed: number
}

export interface Trace {
  readonly traceId: string
  /** ISO 8601; null where no line has a time that can be read. */
  readonly startedAt: string | null
  /** Milliseconds from the first start to the last end. */
  readonly duration: number
  readonly functions: ReadonlyArray<string>
  readonly correlationIds: ReadonlyArray<string>
  readonly requestIds: ReadonlyArray<string>
  readonly executionIds: ReadonlyArray<string>
  readonly counts: Counts
  /** Each before its children, siblings by start. */
  readonly rows: ReadonlyArray<Row>
}
