/** A request from its first line to its last. */
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import type * as Tracer from "effect/Tracer"
import * as LogEvent from "../../LogEvent.ts"
import { LogSink } from "../../LogSink.ts"
import * as Metrics from "../../Metrics.ts"
import * as Redaction from "../../Redaction.ts"
import * as RequestContext from "../../RequestContext.ts"
import * as Sampling from "../../Sampling.ts"
import * as Failures from "./Failures.ts"
import { lostBy, RequestLogger } from "./Service.ts"
import * as Spans from "./Spans.ts"
import { Current, Nearest, rounded, type State } from "./State.ts"
import * as Times from "./Times.ts"

/** What the last line says of an answer. */
export interface Answered {
  readonly status: number
  readonly replayed: boolean
}

export interface Asked<A> {
  /** What handles it, as `create-recognition`. */
  readonly name: string | undefined
  readonly context: RequestContext.RequestContext
  readonly headers: Readonly<Record<string, string>>
  /** The fields of the body that are logged. */
  readonly body: unknown
  readonly answered: (value: A) => Answered
  /** The status that a failure is answered with, where that is known. */
  readonly failed?: (cause: Cause.Cause<unknown>) => number | undefined
}

type Logger = RequestLogger["Service"]

const addressOf = (logger: Logger, address: string | undefined): string | null => {
  if (address === undefined || logger.ip === "none") return null
  return logger.ip === "full" ? address : (Redaction.shortenAddress(address) ?? null)
}

const allowed = (logger: Logger, headers: Readonly<Record<string, string>>): Record<string, string> | undefined => {
  let found: Record<string, string> | undefined
  for (const name of logger.headers) {
    const value = headers[name]
    if (value === undefined) continue
    found ??= {}
    found[name] = value
  }
  return found
}

const timestamp = (clock: Clock.Clock): string => Times.iso(clock.currentTimeMillisUnsafe())

const begin = (
  logger: Logger,
  fiber: Fiber.Fiber<unknown, unknown>,
  clock: Clock.Clock,
  asked: Pick<Asked<never>, "name" | "headers" | "body">,
  context: RequestContext.RequestContext
): State => {
  const { executionId, method, parentSpanId, path, spanId, traceId, userId } = context
  const sink = Context.getOrUndefined(fiber.context as Context.Context<LogSink>, LogSink) ?? logger.sink
  const state: State = {
    context,
    tail: logger.tail({
      correlationId: context.correlationId,
      requestId: context.requestId,
      ...(executionId === undefined ? {} : { executionId }),
      ...(asked.name === undefined ? {} : { function: asked.name })
    }),
    sink,
    lostBefore: lostBy(sink),
    kept: Sampling.head(traceId, logger.sampling) ? undefined : [],
    dropped: 0,
    database: { count: 0, durationMs: 0 },
    external: { count: 0, durationMs: 0 },
    slowest: undefined,
    isLeftOut: false,
    failed: false,
    coldStart: logger.isColdStart(),
    ended: false
  }
  logger.open.add(state)
  if (logger.takes("info"))
    logger.emit(state, "info", {
      type: "REQUEST_INCOMING",
      traceId,
      method,
      path,
      user: userId === undefined ? null : logger.redactor.user(userId),
      timestamp: timestamp(clock),
      ip: addressOf(logger, context.ip),
      level: "info",
      spanId,
      parentSpanId,
      trigger: context.trigger,
      sampled: context.sampled,
      headers: allowed(logger, asked.headers),
      body: asked.body
    })
  return state
}

/** Of each logger, which has its own rules of what a label may show. */
const labelled = new WeakMap<Logger, Map<string, Metric.Metric<number, unknown>>>()
/** Most sets of labels that are remembered. */
const remembered = 500

const knownMethods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "RUN"])

/** One of a few, whatever is sent: what labels are made of must be bounded. Source: OpenTelemetry, HTTP conventions. */
export const methodLabel = (method: string): string => (knownMethods.has(method) ? method : "_OTHER")

/** A histogram with labels, without secrets; their names and texts are its key. */
export const histogram = (
  logger: Logger,
  metric: Metric.Metric<number, unknown>,
  labels: Readonly<Record<string, string>>
): Metric.Metric<number, unknown> => {
  let known = labelled.get(logger)
  if (known === undefined) labelled.set(logger, (known = new Map()))
  let key = metric.id
  for (const name in labels) key += `\n${name}=${labels[name]}`
  let found = known.get(key)
  if (found === undefined) {
    if (known.size >= remembered) known.clear()
    const clean = Object.entries(labels).map(([name, text]) => [name, logger.redactor.text(text)])
    known.set(key, (found = Metric.withAttributes(metric, Object.fromEntries(clean))))
  }
  return found
}

/** What an answer says; nothing where it is none, as code without types may give. */
const read = <A>({ answered }: Pick<Asked<A>, "answered">, value: A): Answered | undefined => {
  try {
    return answered(value)
  } catch {
    return undefined
  }
}

const end = <A>(
  logger: Logger,
  fiber: Fiber.Fiber<unknown, unknown>,
  clock: Clock.Clock,
  state: State,
  begun: bigint,
  asked: Pick<Asked<A>, "name" | "answered" | "failed">,
  exit: Exit.Exit<A, unknown>,
  span: Tracer.Span | undefined
): void => {
  const durationMs = rounded(Number(clock.monotonicTimeNanosUnsafe() - begun) / 1e6)
  const { context, dropped } = state
  const error = Exit.isFailure(exit) ? Failures.ofCause(exit.cause) : undefined
  const failedStatus = Exit.isFailure(exit) ? (asked.failed?.(exit.cause) ?? null) : null
  const answer = Exit.isSuccess(exit) ? read(asked, exit.value) : undefined
  const status = Number.isInteger(answer?.status) ? answer!.status : failedStatus
  const level: LogEvent.Level =
    error === undefined
      ? LogEvent.isFailing(status)
        ? "error"
        : "info"
      : status === null || LogEvent.isFailing(status)
        ? "error"
        : "warn"
  // Where no more is kept back, this line takes the place of another.
  const last = state.kept !== undefined && state.kept.length >= logger.sampling.keptLines ? 1 : 0
  const lost = lostBy(state.sink) - state.lostBefore + dropped + last
  if (logger.takes(level))
    logger.emit(state, level, {
      type: error === undefined ? "REQUEST_COMPLETE" : "REQUEST_ERROR",
      traceId: context.traceId,
      statusCode: status,
      responseTime: `${Math.round(durationMs)}ms`,
      timestamp: timestamp(clock),
      level,
      spanId: context.spanId,
      parentSpanId: context.parentSpanId,
      durationMs,
      error,
      method: context.method,
      path: context.path,
      databaseOperations: { count: state.database.count, durationMs: rounded(state.database.durationMs) },
      externalCalls: { count: state.external.count, durationMs: rounded(state.external.durationMs) },
      slowest: state.slowest,
      coldStart: state.coldStart,
      replayed: answer?.replayed ?? false,
      lostLines: lost === 0 ? undefined : lost
    })
  state.ended = true
  logger.open.delete(state)
  if (state.kept !== undefined)
    logger.release(
      state,
      Sampling.tail({ failed: state.failed || level === "error", duration: durationMs }, logger.sampling) !== undefined
    )
  const labels = {
    "http.request.method": methodLabel(context.method),
    "http.route": asked.name ?? "",
    ...(status === null ? {} : { "http.response.status_code": String(status) }),
    ...(error === undefined ? {} : { "error.type": error.tag })
  }
  histogram(logger, Metrics.requestDuration, labels).updateUnsafe(durationMs / 1000, fiber.context)
  if (status !== null) span?.attribute("http.response.status_code", status)
}

/** A request that nobody sent a trace for, inside another one: it is part of that. */
const within = (
  context: RequestContext.RequestContext,
  fiber: Fiber.Fiber<unknown, unknown>
): RequestContext.RequestContext => {
  const outer = fiber.getRef(RequestContext.current)
  // Also one whose headers are those of the outer, as of a route within a middleware.
  const isSame = outer !== undefined && context.traceId === outer.traceId && context.parentSpanId === outer.parentSpanId
  if (outer === undefined || !(context.isRoot || isSame)) return context
  const { baggage, correlationId, random, sampled, spanId, traceId, tracestate } = outer
  const own = context.correlationId === context.traceId ? { correlationId } : {}
  const parentSpanId = fiber.getRef(Nearest) ?? spanId
  return { ...context, ...own, traceId, parentSpanId, sampled, random, tracestate, baggage, isRoot: false }
}

/** Runs a handler as a request: its context is provided, its lines written, its sink emptied at the end. */
export const run = <A, E, R>(
  handler: (context: RequestContext.RequestContext) => Effect.Effect<A, E, R>,
  asked: Asked<A>
): Effect.Effect<A, E, R | RequestLogger> =>
  Effect.withFiber<A, E, R | RequestLogger>((fiber) => {
    const logger = Context.getUnsafe(fiber.context as Context.Context<RequestLogger>, RequestLogger)
    const clock = fiber.getRef(Clock.Clock)
    const given = within(asked.context, fiber)
    const { parentSpanId, traceId } = given
    return Spans.within(
      fiber,
      {
        name: () => `${given.method} ${asked.name ?? ""}`.trim(),
        kind: "server",
        attributes: () => ({
          "http.request.method": given.method,
          "url.path": logger.redactor.text(given.path),
          "http.route": asked.name ?? "",
          "holdfast.correlation_id": given.correlationId
        }),
        ids: given,
        parent:
          parentSpanId === undefined ? undefined : Spans.external({ traceId, spanId: parentSpanId }, given.sampled),
        sampled: given.sampled
      },
      (ids, span, context) => {
        const own = ids === given ? given : { ...given, traceId: ids.traceId, spanId: ids.spanId }
        const begun = clock.monotonicTimeNanosUnsafe()
        const state = begin(logger, fiber, clock, asked, own)
        const provided = Context.add(
          Context.add(Context.add(context, Current, state), RequestContext.current, own),
          Nearest,
          own.spanId
        )
        const handled = Effect.suspend(() => handler(own))
        return Effect.onExit(Effect.provideContext(handled, provided) as typeof handled, (exit) => {
          end(logger, fiber, clock, state, begun, asked, exit, span)
          return Effect.catchCause(state.sink.flush, () => Effect.void)
        })
      }
    )
  })
