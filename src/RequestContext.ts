/**
 * Who asks, and which trace it belongs to: out of the headers of a request, or new for an event, a schedule or a run.
 *
 * | from the caller                | what it becomes                                            |
 * |--------------------------------|------------------------------------------------------------|
 * | `traceparent` (and `tracestate`) | the trace, its parent, its flags                          |
 * | else `X-Trace-Id`              | the trace, where it is 16 to 32 hexadecimal digits or a UUID |
 * | `X-Correlation-Id`             | the correlation id; else an `X-Trace-Id` of another form; else the trace id |
 * | `X-Request-Id`                 | the request id; else Appwrite's execution id; else the span id |
 * | `x-appwrite-execution-id`, `-user-id`, `-trigger`, `-event` | the execution, the user, what started it |
 *
 * What is malformed is as if it were not there: headers can be forged, and a log must not be.
 */
import * as Context from "effect/Context"
import type * as HttpMessage from "./HttpMessage.ts"
import type { Ids } from "./internal/logging/Ids.ts"
import * as TraceContext from "./TraceContext.ts"

export interface RequestContext {
  /** 32 hexadecimal digits: the caller's, kept through functions, calls, replays and migrations. */
  readonly traceId: string
  /** 16 hexadecimal digits: this request's own piece of the trace. */
  readonly spanId: string
  /** The caller's. */
  readonly parentSpanId: string | undefined
  /** Whether the caller may have recorded the trace; ours to others say the same. True for a new trace. */
  readonly sampled: boolean
  /** The trace begins here: nobody sent one. */
  readonly isRoot: boolean
  /** Whether the trace id is random in its last 56 bits. */
  readonly random: boolean
  /** The caller's, passed on. */
  readonly tracestate: string
  /** The caller's, passed on and never logged. */
  readonly baggage: string
  readonly correlationId: string
  readonly requestId: string
  /** Appwrite's. */
  readonly executionId: string | undefined
  /** As it came, never logged but as a keyed hash. */
  readonly userId: string | undefined
  /** As it came, never logged but as the settings say. */
  readonly ip: string | undefined
  /** What started it: `http`, `event`, `schedule`, `run`. */
  readonly trigger: string
  readonly method: string
  readonly path: string
}

/** Header names in lower case. */
export const headers = {
  traceId: "x-trace-id",
  correlationId: "x-correlation-id",
  requestId: "x-request-id"
} as const

/** Ids that are safe in a header and in a log. */
const isId = (text: string | undefined): text is string =>
  text !== undefined && /^[A-Za-z0-9][A-Za-z0-9._:/+=@~-]{0,127}$/.test(text)

/** An `X-Trace-Id` as a trace id: shorter ones, as of 64 bits, behind zeros. */
const foreignTraceId = (text: string | undefined): string | undefined => {
  if (text === undefined) return undefined
  const plain = text.trim().toLowerCase()
  const bare = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(plain) ? plain.replaceAll("-", "") : plain
  if (!/^[0-9a-f]{16,32}$/.test(bare)) return undefined
  const traceId = bare.padStart(32, "0")
  return TraceContext.isTraceId(traceId) ? traceId : undefined
}

const firstAddress = (text: string | undefined): string | undefined => {
  const first = text?.split(",")[0]?.trim()
  return first === undefined || first === "" ? undefined : first
}

/** Headers as texts: code without types may give lists, or none. */
export const textsOf = (headers: Readonly<Record<string, unknown>> | undefined): Readonly<Record<string, string>> => {
  for (const name in headers)
    if (typeof headers[name] !== "string")
      return Object.fromEntries(
        Object.entries(headers).flatMap(([key, value]) =>
          value === undefined || value === null ? [] : [[key, Array.isArray(value) ? value.join(", ") : String(value)]]
        )
      )
  return (headers ?? {}) as Readonly<Record<string, string>>
}

const triggers = new Set(["http", "event", "schedule"])

/**
 * The context of a request. Names of headers in lower case, as Node and Appwrite give them. `address`: where the
 * connection comes from, for want of a header that says it.
 */
export const make = (
  request: Pick<HttpMessage.Request, "method" | "path" | "headers">,
  ids: Ids,
  address?: string
): RequestContext => {
  const given = textsOf(request.headers)
  const parent = TraceContext.fromHeaders(given)
  const foreign = given[headers.traceId]
  const known = parent?.traceId ?? foreignTraceId(foreign)
  const traceId = known ?? ids.traceId()
  const spanId = ids.spanId()
  const executionId = given["x-appwrite-execution-id"]
  const execution = isId(executionId) ? executionId : undefined
  const correlationId = [
    given[headers.correlationId],
    foreignTraceId(foreign) === undefined ? foreign : undefined
  ].find(isId)
  const requestId = given[headers.requestId]
  const trigger = given["x-appwrite-trigger"]
  const userId = given["x-appwrite-user-id"]
  return {
    traceId,
    spanId,
    parentSpanId: parent?.parentId,
    sampled: parent?.sampled ?? true,
    isRoot: known === undefined,
    random: parent?.random ?? known === undefined,
    tracestate: parent?.tracestate ?? "",
    baggage: TraceContext.parseBaggage(given[TraceContext.headers.baggage]),
    correlationId: correlationId ?? traceId,
    requestId: isId(requestId) ? requestId : (execution ?? spanId),
    executionId: execution,
    userId: userId === "" ? undefined : userId,
    ip: firstAddress(given["x-appwrite-client-ip"]) ?? firstAddress(given["x-forwarded-for"]) ?? address,
    trigger: trigger !== undefined && triggers.has(trigger) ? trigger : "http",
    method: request.method,
    path: request.path
  }
}

/**
 * The context of what no request started, as a scheduled task or a migration. `inherited`: headers of what it is part
 * of, as `{ traceparent: process.env.TRACEPARENT }`.
 */
export const ofTask = (
  name: string,
  ids: Ids,
  inherited: Readonly<Record<string, string | undefined>> = {}
): RequestContext => {
  const given = Object.fromEntries(
    Object.entries(inherited).flatMap(([key, value]) => (value === undefined ? [] : [[key.toLowerCase(), value]]))
  ) as Record<string, string>
  return { ...make({ method: "RUN", path: name, headers: given }, ids), trigger: "run" }
}

/** Headers for whoever is called: the trace under its names, and baggage. `spanId`: the piece of work that calls. */
export const toHeaders = (
  context: RequestContext,
  spanId: string = context.spanId
): Readonly<Record<string, string>> => ({
  ...TraceContext.toHeaders({ ...context, parentId: spanId }),
  ...(context.baggage === "" ? {} : { [TraceContext.headers.baggage]: context.baggage }),
  ...toAnswer(context)
})

/** Headers for whoever asked. */
export const toAnswer = (context: RequestContext): Readonly<Record<string, string>> => ({
  [headers.traceId]: context.traceId,
  [headers.correlationId]: context.correlationId,
  [headers.requestId]: context.requestId
})

/** The request that this is part of; undefined outside of one. */
export const current: Context.Reference<RequestContext | undefined> = Context.Reference<RequestContext | undefined>(
  "holdfast/RequestContext",
  { defaultValue: () => undefined }
)
