/** Ours, as a function uses it: a request around its lines, within one runtime. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import type * as HttpMessage from "holdfast/HttpMessage"
import * as JsonLines from "holdfast/layers/logging/JsonLines"
import * as LogSink from "holdfast/LogSink"
import * as RequestLogger from "holdfast/RequestLogger"
import { Current } from "../../../src/internal/logging/State.ts"
import { context, type Line, linesOfRequest, paths, requestOf } from "./lines.ts"
import type { Subject } from "./subjects.ts"

const name = "create-recognition"
const answer: HttpMessage.Response = { status: 201, headers: {}, body: "" }

export interface Options {
  /** A file's name; without one, lines are dropped. */
  readonly to: string | undefined
  readonly batch: number
  readonly patterns: boolean
}

const runtimeOf = ({ batch, patterns, to }: Options) => {
  const sink =
    to === undefined
      ? Layer.succeed(LogSink.LogSink, LogSink.make({ name: "nowhere", write: () => {} }))
      : JsonLines.layer({ to, batch })
  const logger = RequestLogger.layer({
    redaction: { paths, patterns },
    secret: Redacted.make("a secret of 32 bytes, of the bench")
  })
  return ManagedRuntime.make(Layer.provide(logger, sink))
}

const pause = Effect.callback<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})

type Body = (
  lines: ReadonlyArray<Line>,
  each: ((index: number) => void) | undefined
) => Effect.Effect<void, never, RequestLogger.RequestLogger>

const within =
  (options: Options, body: Body): (() => Subject) =>
  () => {
    const runtime = runtimeOf(options)
    return {
      run: (lines, each) => {
        const handler = RequestLogger.withRequest({ name })(() => Effect.as(body(lines, each), answer))
        return runtime.runPromise(Effect.asVoid(handler(requestOf(context()))))
      }
    }
  }

/** `Effect.logInfo(message, data)`. */
export const effect = (options: Options) =>
  within(
    options,
    Effect.fnUntraced(function* (lines, each) {
      for (const [index, { fields, message }] of lines.entries()) {
        yield* Effect.logInfo(message, fields)
        each?.(index)
        if ((index + 1) % linesOfRequest === 0) yield* pause
      }
    })
  )

/** The method of the service that `Effect.log` ends at. */
export const service = (options: Options) =>
  within(
    options,
    Effect.fnUntraced(function* (lines, each) {
      const logger = yield* RequestLogger.RequestLogger
      const state = yield* Current
      for (const [index, { fields, message }] of lines.entries()) {
        logger.emit(state, "info", {
          type: "LOG",
          traceId: state?.context.traceId ?? null,
          message,
          timestamp: new Date().toISOString(),
          level: "info",
          spanId: state?.context.spanId,
          data: fields
        })
        each?.(index)
        if ((index + 1) % linesOfRequest === 0) yield* pause
      }
    })
  )

/** `log.info(message, data)` of a handler that has no Effect. */
export const asyncHandler = (options: Options) => (): Subject => {
  const runtime = runtimeOf(options)
  return {
    run: async (lines, each) => {
      const handler = RequestLogger.promise(runtime, { name })(async (_request, log) => {
        for (const [index, { fields, message }] of lines.entries()) {
          log.info(message, fields)
          each?.(index)
          if ((index + 1) % linesOfRequest === 0) await new Promise((resolve) => setImmediate(resolve))
        }
        return answer
      })
      await handler(requestOf(context()))
    }
  }
}

/** Requests that do nothing, one for each line. */
export const requests = (options: Options) => (): Subject => {
  const runtime = runtimeOf(options)
  const handler = RequestLogger.withRequest({ name })(() => Effect.succeed(answer))
  return {
    prepare: (count) => Array.from({ length: count }, () => requestOf(context())),
    run: (_lines, _each, prepared) =>
      runtime.runPromise(
        Effect.gen(function* () {
          for (const request of prepared as ReadonlyArray<HttpMessage.Request>) yield* handler(request)
        })
      )
  }
}

const document = { $id: "65a1b2c3d4e5f6a7b8c9", $sequence: 1, title: "well done" }

/** Operations that do nothing, one for each line. */
export const operations = (options: Options) =>
  within(
    options,
    Effect.fnUntraced(function* (lines) {
      for (let index = 0; index < lines.length; index++)
        yield* RequestLogger.withDatabaseOperation(Effect.succeed(document), {
          operation: "CREATE",
          collection: `collection-${index % 20}`
        })
    })
  )

/** Calls below the level, by Effect. */
export const silentEffect = (options: Options) =>
  within(
    options,
    Effect.fnUntraced(function* (lines) {
      for (const { fields, message } of lines) yield* Effect.logDebug(message, fields)
    })
  )

/** Calls below the level, by the service. */
export const silentService = (options: Options) =>
  within(
    options,
    Effect.fnUntraced(function* (lines) {
      const logger = yield* RequestLogger.RequestLogger
      const state = yield* Current
      for (const { fields, message } of lines) logger.emit(state, "debug", { type: "LOG", message, data: fields })
    })
  )
