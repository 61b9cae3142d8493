/** Operations of a database and calls to others, as lines. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { TracerPropagationEnabled } from "effect/http/HttpClient"
import type * as Fiber from "effect/Fiber"
import type * as Metric from "effect/Metric"
import type * as Tracer from "effect/Tracer"
import * as LogEvent from "../../LogEvent.ts"
import * as Metrics from "../../Metrics.ts"
import * as RequestContext from "../../RequestContext.ts"
import * as Failures from "./Failures.ts"
import { Ids } from "./Ids.ts"
import { histogram, methodLabel } from "./Request.ts"
import { RequestLogger } from "./Service.ts"
import * as Spans from "./Spans.ts"
import { count, Current, Nearest, rounded, type State } from "./State.ts"
import * as Times from "./Times.ts"

export interface DatabaseOptions<A> {
  /** In upper case, as `CREATE`. */
  readonly operation: string
  readonly collection: string
  readonly database?: string | undefined
  /** Documents read or written. Default what the answer shows: a list's length, one for a document. */
  readonly documentCount?: number | ((answer: A) => number | null) | undefined
}

export interface ExternalOptions<A> {
  /** Who is called, as `slack-integration`. */
  readonly service: string
  readonly method: string
  /** With its query; secrets in it are masked. */
  readonly path: string
  /** Default what the answer shows: its `status`, where that is a number. */
  readonly statusCode?: ((answer: A) => number | null) | undefined
}

/** Whether operations within are logged by who does the work around them. */
export const Quiet: Context.Reference<boolean> = Context.Reference<boolean>("holdfast/logging/Quiet", {
  defaultValue: () => false
})

interface Piece<A> {
  readonly type: "DATABASE_OPERATION" | "EXTERNAL_CALL"
  readonly name: () => string
  readonly attributes: () => Readonly<Record<string, unknown>>
  /** The one number that an answer says: how many documents, or which status. Null where it says none. */
  readonly numberOf: (answer: A) => number | null
  /** Fields in front of the duration. */
  readonly fields: (number: number | null) => Readonly<Record<string, unknown>>
  /** Fields behind it. */
  readonly more: Readonly<Record<string, unknown>>
  /** The number, where it is a status; else null. */
  readonly statusOf: (number: number | null) => number | null
  readonly metric: Metric.Metric<number, unknown>
  readonly labels: Readonly<Record<string, string>>
}

/** How much a failure of a piece matters: it may be expected, a bug is not. */
const levels = { failure: "warn", defect: "error", interruption: "warn" } as const satisfies Record<
  LogEvent.Failure["kind"],
  LogEvent.Level
>

const finish = <A>(
  logger: RequestLogger["Service"],
  fiber: Fiber.Fiber<unknown, unknown>,
  state: State | undefined,
  piece: Piece<A>,
  place: { readonly ids: Spans.SpanIds; readonly parentSpanId: string } | undefined,
  span: Tracer.Span | undefined,
  begun: bigint,
  exit: Exit.Exit<A, unknown>
): void => {
  const clock = fiber.getRef(Clock.Clock)
  const durationMs = rounded(Number(clock.monotonicTimeNanosUnsafe() - begun) / 1e6)
  const error = Exit.isFailure(exit) ? Failures.ofCause(exit.cause) : undefined
  const number = Exit.isSuccess(exit) ? safely(() => piece.numberOf(exit.value)) : null
  const status = piece.statusOf(number)
  const level = error === undefined ? (LogEvent.isFailing(status) ? "warn" : "info") : levels[error.kind]
  if (state !== undefined && !state.ended)
    count(state, piece.type === "DATABASE_OPERATION" ? "database" : "external", piece.type, piece.name(), durationMs)
  const labels = {
    ...piece.labels,
    ...(status === null ? {} : { "http.response.status_code": String(status) }),
    ...(error === undefined ? {} : { "error.type": error.tag })
  }
  histogram(logger, piece.metric, labels).updateUnsafe(durationMs / 1000, fiber.context)
  if (status !== null) span?.attribute("http.response.status_code", status)
  if (!logger.takes(level)) return
  logger.emit(state, level, {
    type: piece.type,
    traceId: place?.ids.traceId ?? null,
    ...piece.fields(number),
    duration: `${Math.round(durationMs)}ms`,
    timestamp: Times.iso(clock.currentTimeMillisUnsafe()),
    level,
    spanId: place?.ids.spanId,
    parentSpanId: place?.parentSpanId,
    durationMs,
    ...piece.more,
    error
  })
}

/** Does a piece of work, and writes its line before its failure goes on. */
const logged = <A, E, R>(
  fiber: Fiber.Fiber<unknown, unknown>,
  logger: RequestLogger["Service"],
  piece: Piece<A>,
  body: (spanId: string | undefined) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => {
  const clock = fiber.getRef(Clock.Clock)
  const state = fiber.getRef(Current)
  if (state === undefined) {
    const begun = clock.monotonicTimeNanosUnsafe()
    return Effect.onExit(body(undefined), (exit) => {
      finish(logger, fiber, undefined, piece, undefined, undefined, begun, exit)
      return Effect.void
    })
  }
  const { context } = state
  // Spans between have no line: whoever reads lines finds the nearest that has one.
  const parentSpanId = fiber.getRef(Nearest) ?? context.spanId
  const parent = Spans.currentOf(fiber, context.traceId) ?? Spans.external(context, context.sampled)
  return Spans.within(
    fiber,
    {
      name: piece.name,
      kind: "client",
      attributes: piece.attributes,
      ids: { traceId: context.traceId, spanId: fiber.getRef(Ids).spanId() },
      parent,
      sampled: context.sampled
    },
    (ids, span, provided) => {
      const begun = clock.monotonicTimeNanosUnsafe()
      const work = body(ids.spanId)
      const own = Context.add(provided, Nearest, ids.spanId)
      return Effect.onExit(Effect.provideContext(work, own) as typeof work, (exit) => {
        finish(logger, fiber, state, piece, { ids, parentSpanId }, span, begun, exit)
        return Effect.void
      })
    }
  )
}

/** The logger that a fiber has, where it has one. */
export const loggerOf = (fiber: Fiber.Fiber<unknown, unknown>): RequestLogger["Service"] | undefined =>
  Context.getOrUndefined(fiber.context as Context.Context<RequestLogger>, RequestLogger)

/** What a caller's function says; where it throws, nothing is known, and nothing else goes wrong. */
const safely = (read: () => number | null): number | null => {
  try {
    return read()
  } catch {
    return null
  }
}

const shown = (answer: unknown): number | null => {
  if (typeof answer !== "object" || answer === null) return null
  if (Array.isArray(answer)) return answer.length
  if ("documents" in answer && Array.isArray(answer.documents)) return answer.documents.length
  return "$id" in answer ? 1 : null
}

const databasePiece = <A>({ collection, database, documentCount, operation }: DatabaseOptions<A>): Piece<A> => ({
  type: "DATABASE_OPERATION",
  name: () => `${operation} ${collection}`,
  attributes: () => ({
    "db.system.name": "appwrite",
    "db.operation.name": operation,
    "db.collection.name": collection,
    ...(database === undefined ? {} : { "db.namespace": database })
  }),
  numberOf: typeof documentCount === "function" ? documentCount : shown,
  fields: (number) => ({
    operation,
    collection,
    documentCount: typeof documentCount === "number" ? documentCount : number
  }),
  more: { database },
  statusOf: () => null,
  metric: Metrics.databaseDuration,
  labels: { "db.operation.name": operation, "db.collection.name": collection }
})

const shownStatus = (answer: unknown): number | null =>
  typeof answer === "object" && answer !== null && "status" in answer && typeof answer.status === "number"
    ? answer.status
    : null

const externalPiece = <A>({ method, path, service, statusCode }: ExternalOptions<A>): Piece<A> => ({
  type: "EXTERNAL_CALL",
  name: () => `${method} ${service}`,
  attributes: () => ({ "http.request.method": method, "peer.service": service }),
  numberOf: statusCode ?? shownStatus,
  fields: (number) => ({ service, method, path, statusCode: number }),
  more: {},
  statusOf: (number) => number,
  metric: Metrics.externalDuration,
  labels: { "http.request.method": methodLabel(method), "peer.service": service }
})

/** An operation, where there is a logger; without one the effect as it is. */
export const database = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  options: DatabaseOptions<A>
): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber) => {
    const logger = loggerOf(fiber)
    return logger === undefined || fiber.getRef(Quiet)
      ? effect
      : logged(fiber, logger, databasePiece(options), () => effect)
  })

/** Whether what a fiber does is logged. */
export const isLogged = (fiber: Fiber.Fiber<unknown, unknown>): boolean =>
  loggerOf(fiber) !== undefined && !fiber.getRef(Quiet)

/** A call of a store that may stand on `Databases`: their operations are not logged a second time. */
export const store = <A, E, R>(effect: Effect.Effect<A, E, R>, options: DatabaseOptions<A>): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber) =>
    isLogged(fiber) ? database(Effect.provideService(effect, Quiet, true), options) : effect
  )

/** Headers that carry the trace on: of the piece of work that calls. */
const carried = (
  fiber: Fiber.Fiber<unknown, unknown>,
  spanId: string | undefined
): Readonly<Record<string, string>> => {
  const context = fiber.getRef(RequestContext.current)
  return context === undefined ? {} : RequestContext.toHeaders(context, spanId)
}

/** Its headers carry the trace already: a client of Effect's adds none of its own. */
const calling = <A, E, R>(
  call: (headers: Readonly<Record<string, string>>) => Effect.Effect<A, E, R>,
  headers: Readonly<Record<string, string>>
): Effect.Effect<A, E, R> =>
  Effect.provideService(
    Effect.suspend(() => call(headers)),
    TracerPropagationEnabled,
    false
  )

export const externalCall = <A, E, R>(
  call: (headers: Readonly<Record<string, string>>) => Effect.Effect<A, E, R>,
  options: ExternalOptions<A>
): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber) => {
    const logger = loggerOf(fiber)
    return logger === undefined
      ? call(carried(fiber, undefined))
      : logged(fiber, logger, externalPiece(options), (spanId) => calling(call, carried(fiber, spanId)))
  })
