/**
 * Every request can be followed: its beginning, each operation and call, its end, as lines of JSON with one trace id.
 *
 *   const handler = RequestLogger.withRequest({ name: "create-recognition" })((request) => …)
 *   const save = RequestLogger.withDatabaseOperation(effect, { operation: "CREATE", collection: "recognitions" })
 *   const post = RequestLogger.withExternalCall((headers) => …, { service: "slack", method: "POST", path: "/send" })
 *
 * `Effect.log` within a request is a line of it. Lines hold no secrets (`Redaction`), end within their sink's limit
 * (`LogSink`), and what goes wrong with them is counted and never felt by the request. docs/logging.md lists the events
 * and their fields.
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpServerError } from "effect/http/HttpServerError"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import * as Tracer from "effect/Tracer"
import type * as HttpMessage from "./HttpMessage.ts"
import * as EffectLogger from "./internal/logging/EffectLogger.ts"
import { Ids } from "./internal/logging/Ids.ts"
import * as HttpApps from "./internal/logging/HttpApps.ts"
import * as Messages from "./internal/logging/Messages.ts"
import * as Operations from "./internal/logging/Operations.ts"
import * as Request from "./internal/logging/Request.ts"
import * as Service from "./internal/logging/Service.ts"
import * as TracerOf from "./internal/logging/TracerOf.ts"
import { optional, optionalList } from "./internal/Settings.ts"
import { LogSink } from "./LogSink.ts"
import type * as Redaction from "./Redaction.ts"
import * as RequestContext from "./RequestContext.ts"

export type { DatabaseOptions, ExternalOptions } from "./internal/logging/Operations.ts"
export { promise, type Log, type PromiseOptions } from "./internal/logging/Promises.ts"
export { LogOptionsInvalid, type Options, RequestLogger } from "./internal/logging/Service.ts"

/**
 * The service on a sink; `Effect.log` and its like write to it too. Where a tracer is provided to this layer, its spans
 * have the ids of the lines, and no secrets either. Options that can't be refuse to build.
 */
export const layer = (
  options: Service.Options = {}
): Layer.Layer<Service.RequestLogger, Service.LogOptionsInvalid, LogSink> => {
  const service = Layer.effect(Service.RequestLogger, Service.make(options))
  const logger = Logger.layer([Effect.map(Service.RequestLogger, EffectLogger.make)])
  const level = Layer.succeed(References.MinimumLogLevel, EffectLogger.minimum[options.level ?? "info"])
  const tracer = Layer.effect(
    Tracer.Tracer,
    Effect.map(Effect.all([Service.RequestLogger, Tracer.Tracer]), ([{ redactor }, own]) =>
      own === Tracer.nativeTracer ? own : TracerOf.make(own, redactor)
    )
  )
  return Layer.mergeAll(logger, level, tracer).pipe(Layer.provideMerge(service))
}

const name = (suffix: string) => `HOLDFAST_LOG_${suffix}`

/** The environment variables; each is one option, or a part of one. */
export const settings = {
  level: optional(Config.Literals(["debug", "info", "warn", "error", "none"], name("LEVEL"))),
  sampling: Config.map(
    Config.all({ ratio: optional(Config.Finite(name("SAMPLING"))), slow: optional(Config.Finite(name("SLOW"))) }),
    (found) => found
  ),
  redaction: Config.map(
    Config.all({
      ip: optional(Config.Literals(["short", "full", "none"], name("IP"))),
      paths: optionalList(name("REDACT")),
      headers: optionalList(name("HEADERS"))
    }),
    (found): Redaction.Options => found
  ),
  secret: optional(Config.Redacted("HOLDFAST_SECRET"))
} satisfies { readonly [K in keyof Required<Service.Options>]: Config.Config<Service.Options[K]> }

/** The same, from the environment (`HOLDFAST_LOG_LEVEL`, …); what is given here goes first. */
export const layerConfig = (
  options: Service.Options = {}
): Layer.Layer<Service.RequestLogger, Service.LogOptionsInvalid | Config.ConfigError, LogSink> =>
  Layer.unwrap(
    Effect.map(Config.all(settings), (found) =>
      layer({
        ...found,
        ...options,
        sampling: { ...found.sampling, ...options.sampling },
        redaction: { ...found.redaction, ...options.redaction }
      })
    )
  )

export interface RequestOptions {
  /** What handles the requests, as `create-recognition`. Default none. */
  readonly name?: string | undefined
  /**
   * The fields of a JSON body that are logged: those that the schema has, but for the ones it annotates as `sensitive`.
   * Of requests as data alone: the body of a router's request can be read once, and is its handler's. Default none: a
   * body is never logged.
   */
  readonly body?: Schema.Codec<unknown, unknown> | undefined
}

type Handler<E, R> = (request: HttpMessage.Request) => Effect.Effect<HttpMessage.Response, E, R>

const ofHandler =
  (options: RequestOptions) =>
  <E, R>(handler: Handler<E, R>): Handler<E, R | Service.RequestLogger> =>
  (request) =>
    Messages.run(options, request, () => handler(request))

/** Logs a handler of requests as data, or a handler of effect/http. */
export interface WithRequest {
  <E, R>(handler: Handler<E, R>): Handler<E, R | Service.RequestLogger>
  <E, R>(
    app: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
  ): Effect.Effect<
    HttpServerResponse.HttpServerResponse,
    E | HttpServerError,
    R | Service.RequestLogger | HttpServerRequest.HttpServerRequest
  >
}

/**
 * Logs the requests of a handler: REQUEST_INCOMING, and REQUEST_COMPLETE or, before a failure goes on, REQUEST_ERROR.
 * Answers carry `X-Trace-Id`, `X-Correlation-Id` and `X-Request-Id`. Put it around `Idempotency.middleware`, so that a
 * replay is a request of its own.
 */
export const withRequest: {
  (
    options: RequestOptions & { readonly body: Schema.Codec<unknown, unknown> }
  ): <E, R>(handler: Handler<E, R>) => Handler<E, R | Service.RequestLogger>
  (options?: Pick<RequestOptions, "name">): WithRequest
} = (given?: RequestOptions): WithRequest => {
  const options = given ?? {}
  const handler = ofHandler(options)
  const either = (
    it: Handler<unknown, unknown> | Effect.Effect<HttpServerResponse.HttpServerResponse, unknown, unknown>
  ) => (Effect.isEffect(it) ? HttpApps.run(options, it) : handler(it))
  return either as WithRequest
}

export interface TaskOptions<A> {
  /** What is run, as `cleanup` or `migrate up`. */
  readonly name: string
  /** Headers of what it is part of, as `{ traceparent: process.env.TRACEPARENT }`. Default none: a trace of its own. */
  readonly inherited?: Readonly<Record<string, string | undefined>> | undefined
  /** Whether what it came to is a failure all the same. Default never. */
  readonly failed?: ((value: A) => boolean) | undefined
}

/** Logs what no request started, as a scheduled task or a migration, with the lines of a request: method `RUN`. */
export const withTask = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  { failed, inherited, name }: TaskOptions<A>
): Effect.Effect<A, E, R | Service.RequestLogger> =>
  Effect.flatMap(Ids, (ids) =>
    Request.run(() => effect, {
      name,
      context: RequestContext.ofTask(name, ids, inherited),
      headers: {},
      body: undefined,
      answered: (value) => ({ status: failed?.(value) === true ? 500 : 200, replayed: false })
    })
  )

/**
 * Logs an operation of a database, with its time, and its failure before that goes on. Operations of `Databases` are
 * logged by `layers/databases/Logged` without this. Without a logger it is the effect itself.
 */
export const withDatabaseOperation: <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  options: Operations.DatabaseOptions<A>
) => Effect.Effect<A, E, R> = Operations.database

/**
 * Logs a call to somebody else. `headers` carry the trace on: `traceparent`, `tracestate`, `baggage`, `X-Trace-Id`,
 * `X-Correlation-Id`, `X-Request-Id`.
 */
export const withExternalCall: <A, E, R>(
  call: (headers: Readonly<Record<string, string>>) => Effect.Effect<A, E, R>,
  options: Operations.ExternalOptions<A>
) => Effect.Effect<A, E, R> = Operations.externalCall

const pathOf = (request: HttpClientRequest.HttpClientRequest): string => {
  const url = Option.getOrUndefined(HttpClientRequest.toUrl(request))
  return url === undefined ? request.url : `${url.pathname}${url.search}`
}

/**
 * A client whose requests are calls to `service`: each is logged, and carries the trace on. Its answers are those of the
 * client.
 */
export const client =
  (service: string) =>
  (own: HttpClient.HttpClient): HttpClient.HttpClient =>
    HttpClient.makeWith<HttpClientError, never, HttpClientError, never>(
      (prepared) =>
        Effect.flatMap(prepared, (request) =>
          withExternalCall(
            (headers) => own.postprocess(Effect.succeed(HttpClientRequest.setHeaders(request, headers))),
            { service, method: request.method, path: pathOf(request) }
          )
        ),
      own.preprocess
    )

/** Lines that no sink has taken since the logger was made. */
export const lost: Effect.Effect<number, never, Service.RequestLogger> = Effect.map(Service.RequestLogger, (logger) =>
  logger.lost()
)

/** Writes what waits, as a process does that is about to end. */
export const flush: Effect.Effect<void, never, Service.RequestLogger> = Effect.flatMap(
  Service.RequestLogger,
  (logger) => logger.sink.flush
)

export { LogSink }
