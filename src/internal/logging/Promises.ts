/** The same lines for code that has no Effect: async functions. */
import * as Effect from "effect/Effect"
import type * as HttpMessage from "../../HttpMessage.ts"
import type * as LogEvent from "../../LogEvent.ts"
import * as RequestContext from "../../RequestContext.ts"
import * as Messages from "./Messages.ts"
import * as Operations from "./Operations.ts"
import type { RequestLogger } from "./Service.ts"

/** What an async handler logs with, and calls others by. It belongs to one request. */
export interface Log {
  readonly context: RequestContext.RequestContext
  readonly traceId: string
  readonly correlationId: string
  /** For whoever is called. */
  readonly headers: Readonly<Record<string, string>>
  readonly debug: (...message: ReadonlyArray<unknown>) => void
  readonly info: (...message: ReadonlyArray<unknown>) => void
  readonly warn: (...message: ReadonlyArray<unknown>) => void
  readonly error: (...message: ReadonlyArray<unknown>) => void
  readonly databaseOperation: <A>(options: Operations.DatabaseOptions<A>, run: () => Promise<A>) => Promise<A>
  readonly externalCall: <A>(
    options: Operations.ExternalOptions<A>,
    run: (headers: Readonly<Record<string, string>>) => Promise<A>
  ) => Promise<A>
}

export interface PromiseOptions {
  /** What handles the requests, as `create-recognition`. Default none. */
  readonly name?: string | undefined
}

/** What runs effects with a logger: a ManagedRuntime. */
export interface Runtime {
  readonly runPromise: <A, E>(effect: Effect.Effect<A, E, RequestLogger>) => Promise<A>
}

/** Keeps what was thrown as it was. */
class Thrown {
  readonly error: unknown
  constructor(error: unknown) {
    this.error = error
  }
}

const ofPromise = <A>(run: () => Promise<A>): Effect.Effect<A, unknown> =>
  Effect.tryPromise({ try: async () => await run(), catch: (error) => error })

const levels = {
  debug: Effect.logDebug,
  info: Effect.logInfo,
  warn: Effect.logWarning,
  error: Effect.logError
} as const satisfies Record<LogEvent.Level, (...message: ReadonlyArray<unknown>) => Effect.Effect<void>>

/** Runs an effect on a request's own context, and throws what its promise threw. */
const logOf = Effect.fnUntraced(function* (context: RequestContext.RequestContext) {
  const services = yield* Effect.context<RequestLogger>()
  const say =
    (level: LogEvent.Level) =>
    (...message: ReadonlyArray<unknown>) =>
      Effect.runSyncWith(services)(
        Effect.catchDefect(
          // What is no value at all throws as soon as anybody looks at it.
          Effect.suspend(() => levels[level](...message)),
          () => levels[level]("[unreadable]")
        )
      )
  const run = async <A>(effect: Effect.Effect<A, unknown>): Promise<A> => {
    const kept = Effect.mapError(effect, (error) => new Thrown(error))
    const result = await Effect.runPromiseWith(services)(Effect.result(kept))
    if (result._tag === "Failure") throw result.failure.error
    return result.success
  }
  return {
    context,
    traceId: context.traceId,
    correlationId: context.correlationId,
    headers: RequestContext.toHeaders(context),
    debug: say("debug"),
    info: say("info"),
    warn: say("warn"),
    error: say("error"),
    databaseOperation: (options, operation) => run(Operations.database(ofPromise(operation), options)),
    externalCall: (options, call) => run(Operations.externalCall((headers) => ofPromise(() => call(headers)), options))
  } satisfies Log
})

/**
 * Logs the requests of an async handler. What it throws is logged, and thrown.
 *
 *   const handler = RequestLogger.promise(runtime, { name: "create-recognition" })(async (request, log) => …)
 */
export const promise =
  (runtime: Runtime, options: PromiseOptions = {}) =>
  (handler: (request: HttpMessage.Request, log: Log) => Promise<HttpMessage.Response>) =>
  async (request: HttpMessage.Request): Promise<HttpMessage.Response> => {
    const handled = Messages.run(options, request, (context) =>
      Effect.flatMap(logOf(context), (log) => ofPromise(() => handler(request, log)))
    )
    const result = await runtime.runPromise(Effect.result(Effect.mapError(handled, (error) => new Thrown(error))))
    if (result._tag === "Failure") throw result.failure.error
    return result.success
  }
