/**
 * What stands in the log: one event is one line of JSON.
 *
 *   REQUEST_INCOMING ─▶ DATABASE_OPERATION, EXTERNAL_CALL, LOG … ─▶ REQUEST_COMPLETE or REQUEST_ERROR
 *
 * The fields of the specification come first, under its names and in its order; ours behind them. A field that has
 * nothing to say is left out, but for those of the specification, which are null.
 */
import * as Schema from "effect/Schema"

/** How much it matters. */
export const Level = Schema.Literals(["debug", "info", "warn", "error"])
export type Level = typeof Level.Type

/** Whether an answer says that whoever gave it has failed. */
export const isFailing = (status: number | null | undefined): boolean =>
  status !== null && status !== undefined && status >= 500

/** Levels in order. `none`: no line at all. */
export const levels = { debug: 0, info: 1, warn: 2, error: 3, none: 4 } as const satisfies Record<
  Level | "none",
  number
>
export type MinimumLevel = keyof typeof levels

/** Fields whose texts are made here, of digits and known words: they can't hold a secret. */
const ours = {
  /** 32 hexadecimal digits; null outside of a request. */
  traceId: Schema.NullOr(Schema.String),
  /** ISO 8601, UTC, to the millisecond. */
  timestamp: Schema.String,
  level: Level,
  /** 16 hexadecimal digits: this piece of work. */
  spanId: Schema.optionalKey(Schema.String),
  /** The piece of work that it is part of, here or at the caller's. */
  parentSpanId: Schema.optionalKey(Schema.String)
}

/** What is the same in all lines of a request. */
const context = {
  /** The same over all requests that one cause has, as the caller says. */
  correlationId: Schema.optionalKey(Schema.String),
  /** This request, as the caller or a proxy says. */
  requestId: Schema.optionalKey(Schema.String),
  /** Appwrite's id of this execution. */
  executionId: Schema.optionalKey(Schema.String),
  /** What handles the request, as `create-recognition`. */
  function: Schema.optionalKey(Schema.String),
  /** The line was longer than its sink takes, and values were cut. */
  truncated: Schema.optionalKey(Schema.Boolean)
}

/** Milliseconds, with three decimals; beside it the specification's text, rounded, as `245ms`. */
const durationMs = Schema.Number

/** An error, and by `cause` what led to it. */
export interface Failure {
  /** `failure`: a typed error; `defect`: a bug; `interruption`: it was given up. */
  readonly kind: "failure" | "defect" | "interruption"
  /** The tag of a typed error, or the name of its class. */
  readonly tag: string
  readonly message: string
  readonly stack?: string
  /** What the error says beyond its message. */
  readonly fields?: { readonly [name: string]: unknown }
  /** What led to it, the nearest first. */
  readonly causes?: ReadonlyArray<{ readonly tag: string; readonly message: string; readonly stack?: string }>
  /** Others that came at the same time. */
  readonly others?: ReadonlyArray<Failure>
}
const Link = Schema.Struct({
  tag: Schema.String,
  message: Schema.String,
  stack: Schema.optionalKey(Schema.String)
})
export const Failure: Schema.Codec<Failure> = Schema.Struct({
  kind: Schema.Literals(["failure", "defect", "interruption"]),
  tag: Schema.String,
  message: Schema.String,
  stack: Schema.optionalKey(Schema.String),
  fields: Schema.optionalKey(Schema.Record(Schema.String, Schema.Unknown)),
  causes: Schema.optionalKey(Schema.Array(Link)),
  others: Schema.optionalKey(Schema.Array(Schema.suspend((): Schema.Codec<Failure> => Failure)))
})

/** How often, and how long all of it took together. */
const Sum = Schema.Struct({ count: Schema.Int, durationMs })

/** What a request came to, on its last line. */
const summary = {
  method: Schema.String,
  path: Schema.String,
  databaseOperations: Sum,
  externalCalls: Sum,
  /** The operation or call that took longest. */
  slowest: Schema.optionalKey(Schema.Struct({ type: Schema.String, name: Schema.String, durationMs })),
  /** The first request of this process. */
  coldStart: Schema.Boolean,
  /** A stored answer was given. */
  replayed: Schema.Boolean,
  /** Lines of this request that its sink could not take. */
  lostLines: Schema.optionalKey(Schema.Int)
}

const event = <const T extends string, const F extends Schema.Struct.Fields, const G extends Schema.Struct.Fields>(
  type: T,
  specified: F,
  own: G
) =>
  Schema.Struct({
    type: Schema.tag(type),
    traceId: ours.traceId,
    ...specified,
    level: ours.level,
    spanId: ours.spanId,
    parentSpanId: ours.parentSpanId,
    ...own,
    ...context
  })

const { timestamp } = ours

export const RequestIncoming = event(
  "REQUEST_INCOMING",
  {
    method: Schema.String,
    /** With its query, secrets in it masked. */
    path: Schema.String,
    /** A keyed hash; null for an anonymous caller. */
    user: Schema.NullOr(Schema.String),
    timestamp,
    /** As much of it as the settings leave; null where none is known. */
    ip: Schema.NullOr(Schema.String)
  },
  {
    /** What started it: `http`, `event`, `schedule`, `run`. */
    trigger: Schema.String,
    sampled: Schema.Boolean,
    headers: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
    /** The fields of the body that a schema lets through. */
    body: Schema.optionalKey(Schema.Unknown)
  }
)
export const DatabaseOperation = event(
  "DATABASE_OPERATION",
  {
    /** In upper case, as `CREATE`. */
    operation: Schema.String,
    collection: Schema.String,
    /** Documents read or written; null where it is not known. */
    documentCount: Schema.NullOr(Schema.Int),
    duration: Schema.String,
    timestamp
  },
  {
    durationMs,
    database: Schema.optionalKey(Schema.String),
    error: Schema.optionalKey(Failure)
  }
)
export const ExternalCall = event(
  "EXTERNAL_CALL",
  {
    service: Schema.String,
    method: Schema.String,
    path: Schema.String,
    /** Null where there was no answer, or the call has none. */
    statusCode: Schema.NullOr(Schema.Int),
    duration: Schema.String,
    timestamp
  },
  { durationMs, error: Schema.optionalKey(Failure) }
)
export const RequestComplete = event(
  "REQUEST_COMPLETE",
  { statusCode: Schema.Int, responseTime: Schema.String, timestamp },
  { durationMs, ...summary }
)
export const RequestError = event(
  "REQUEST_ERROR",
  {
    /** Null where the request ended without an answer of its own. */
    statusCode: Schema.NullOr(Schema.Int),
    responseTime: Schema.String,
    timestamp
  },
  { durationMs, error: Failure, ...summary }
)
/** A line of the program's own. */
export const Log = event(
  "LOG",
  { message: Schema.String, timestamp },
  {
    /** What came beside the message, and the annotations of the place. */
    data: Schema.optionalKey(Schema.Record(Schema.String, Schema.Unknown)),
    /** Milliseconds since each span of the log began. */
    spans: Schema.optionalKey(Schema.Record(Schema.String, Schema.Number)),
    error: Schema.optionalKey(Failure)
  }
)

export const LogEvent = Schema.Union([
  RequestIncoming,
  DatabaseOperation,
  ExternalCall,
  RequestComplete,
  RequestError,
  Log
])
export type LogEvent = typeof LogEvent.Type
export type Type = LogEvent["type"]
export type Of<T extends Type> = Extract<LogEvent, { readonly type: T }>

/** Fields whose texts are written as they are. */
export const trusted: ReadonlySet<string> = new Set([
  "type",
  "traceId",
  "timestamp",
  "level",
  "spanId",
  "parentSpanId",
  "duration",
  "responseTime",
  "trigger"
])
