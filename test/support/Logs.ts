/** Lines of a log as functions write them: made by hand, so that what a test shows is known to the millisecond. */
import type { Failure, LogEvent } from "../../src/LogEvent.ts"
import * as LogLine from "../../src/LogLine.ts"

/** 2026-01-02T03:04:05.000Z; times of these events are milliseconds after it. */
export const beginning = Date.UTC(2026, 0, 2, 3, 4, 5)
export const at = (milliseconds: number): string => new Date(beginning + milliseconds).toISOString()

export const hex = (number: number, digits: number): string => number.toString(16).padStart(digits, "0")
export const span = (number: number): string => hex(number, 16)
export const trace = (number: number): string => hex(number, 32)

/** Whose lines they are. */
export interface Owner {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly function?: string
  readonly correlationId?: string
  readonly requestId?: string
  readonly executionId?: string
}
const contextOf = ({ correlationId, executionId, function: name, requestId }: Owner) => ({
  ...(correlationId === undefined ? {} : { correlationId }),
  ...(requestId === undefined ? {} : { requestId }),
  ...(executionId === undefined ? {} : { executionId }),
  ...(name === undefined ? {} : { function: name })
})
const parentOf = ({ parentSpanId }: { readonly parentSpanId?: string }) =>
  parentSpanId === undefined ? {} : { parentSpanId }

export const incoming = (owner: Owner, start: number, method = "POST", path = "/recognitions"): LogEvent => ({
  type: "REQUEST_INCOMING",
  traceId: owner.traceId,
  method,
  path,
  user: null,
  timestamp: at(start),
  ip: null,
  level: "info",
  spanId: owner.spanId,
  ...parentOf(owner),
  trigger: "http",
  sampled: true,
  ...contextOf(owner)
})

const summary = {
  databaseOperations: { count: 0, durationMs: 0 },
  externalCalls: { count: 0, durationMs: 0 },
  coldStart: false,
  replayed: false
}

export interface Ended {
  readonly start: number
  readonly duration: number
  readonly method?: string
  readonly path?: string
  readonly statusCode?: number
  readonly coldStart?: boolean
  readonly replayed?: boolean
}

/** What the last lines of a request have in common. */
const ending = (owner: Owner, { duration, method = "POST", path = "/recognitions", start }: Ended) => ({
  traceId: owner.traceId,
  responseTime: `${Math.round(duration)}ms`,
  timestamp: at(start + duration),
  spanId: owner.spanId,
  ...parentOf(owner),
  durationMs: duration,
  method,
  path,
  ...summary,
  ...contextOf(owner)
})

export const complete = (owner: Owner, ended: Ended): LogEvent => ({
  type: "REQUEST_COMPLETE",
  level: "info",
  ...ending(owner, ended),
  statusCode: ended.statusCode ?? 201,
  coldStart: ended.coldStart ?? false,
  replayed: ended.replayed ?? false
})

export const failed = (owner: Owner, ended: Ended, error: Failure): LogEvent => ({
  type: "REQUEST_ERROR",
  level: "error",
  ...ending(owner, ended),
  statusCode: 500,
  error
})

export interface Work {
  readonly spanId: string
  readonly start: number
  readonly duration: number
  /** Default: the request's span. */
  readonly parentSpanId?: string
  readonly error?: Failure
}
const work = (owner: Owner, { duration, error, parentSpanId = owner.spanId, spanId, start }: Work) => ({
  traceId: owner.traceId,
  duration: `${Math.round(duration)}ms`,
  timestamp: at(start + duration),
  level: error === undefined ? ("info" as const) : ("error" as const),
  spanId,
  parentSpanId,
  durationMs: duration,
  ...(error === undefined ? {} : { error }),
  ...contextOf(owner)
})

export const database = (
  owner: Owner,
  own: Work & { readonly operation?: string; readonly collection?: string }
): LogEvent => ({
  type: "DATABASE_OPERATION",
  operation: own.operation ?? "CREATE",
  collection: own.collection ?? "recognitions",
  documentCount: 1,
  ...work(owner, own)
})

export const call = (
  owner: Owner,
  own: Work & { readonly service?: string; readonly path?: string; readonly statusCode?: number | null }
): LogEvent => ({
  type: "EXTERNAL_CALL",
  service: own.service ?? "mail",
  method: "POST",
  path: own.path ?? "/v1/send",
  statusCode: own.statusCode === undefined ? 200 : own.statusCode,
  ...work(owner, own)
})

/** Below the request, or below another span. */
export const log = (owner: Owner, time: number, message: string, spanId = owner.spanId): LogEvent => ({
  type: "LOG",
  traceId: owner.traceId,
  message,
  timestamp: at(time),
  level: "info",
  spanId,
  ...contextOf(owner)
})

export const lines = (events: ReadonlyArray<LogEvent>): string =>
  events.map((event) => `${LogLine.format(event)}\n`).join("")

const timedOut: Failure = {
  kind: "failure",
  tag: "MailUnavailable",
  message: "the mail service gave no answer within 5 s",
  causes: [{ tag: "TimeoutError", message: "no answer from 203.0.113.7:443" }]
}

/** One request that calls another function, as docs/trace.md shows it. */
export const twoFunctions = (): ReadonlyArray<LogEvent> => {
  const traceId = "4bf92f3577b34da6a3ce929d0e0e4736"
  const common = { traceId, correlationId: "order-4711" }
  const first: Owner = {
    ...common,
    spanId: span(1),
    function: "create-recognition",
    requestId: "r-1",
    executionId: "65a1b2c3d4e5f6a7b8c9"
  }
  const second: Owner = {
    ...common,
    spanId: span(5),
    parentSpanId: span(4),
    function: "notify",
    executionId: "65a1b2c3d4e5f6a7b8d0"
  }
  return [
    incoming(first, 0),
    database(first, { spanId: span(2), start: 4, duration: 18.2, operation: "LIST", collection: "users" }),
    log(first, 24, "two people are named"),
    database(first, { spanId: span(3), start: 25, duration: 41.5 }),
    call(first, { spanId: span(4), start: 70, duration: 161, service: "functions", path: "/notify", statusCode: 500 }),
    incoming(second, 92, "POST", "/notify"),
    call(second, { spanId: span(6), start: 100, duration: 120, statusCode: null, error: timedOut }),
    failed(second, { start: 92, duration: 132.4, path: "/notify" }, timedOut),
    complete(first, { start: 0, duration: 245.3, coldStart: true })
  ]
}
