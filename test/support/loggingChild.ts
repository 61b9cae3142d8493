/**
 * A process that logs requests: at once or one after another, to its standard output or a file, and says on its channel
 * what it has handed over, how long each request took and how many lines it knows to be lost.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as HttpMessage from "holdfast/HttpMessage"
import * as JsonLines from "holdfast/layers/logging/JsonLines"
import * as Otlp from "holdfast/layers/logging/Otlp"
import * as RequestLogger from "holdfast/RequestLogger"

export interface Order {
  readonly to: string
  readonly batch: number
  readonly buffer?: number
  readonly requests: number
  readonly concurrency: number | "unbounded"
  /** Characters that each request's own line carries. */
  readonly width: number
  /** Goes on until it is killed. */
  readonly forever?: boolean
  /** Throws outside of any request at the end. */
  readonly crash?: boolean
  readonly endpoint?: string
  /** Where another sink of the process goes. */
  readonly second?: string
}

const order = JSON.parse(process.argv[2]!) as Order
const tell = (message: object) => process.send!(message)

const handler = RequestLogger.withRequest({ name: "child" })((request) =>
  Effect.gen(function* () {
    yield* Effect.logInfo("in it", { id: request.path, text: "x ".repeat(order.width / 2) })
    yield* Effect.yieldNow
    yield* Effect.logInfo("still", { id: request.path })
    return HttpMessage.empty()
  })
)

const one = Effect.fnUntraced(function* (index: number) {
  const begun = yield* Clock.currentTimeMillis
  yield* handler({ method: "GET", path: `/${index}`, headers: { "x-correlation-id": `c-${index}` }, body: "" })
  // All four lines of it have been written.
  if (order.forever === true) tell({ handed: index })
  return (yield* Clock.currentTimeMillis) - begun
})

const program = Effect.gen(function* () {
  tell({ ready: true })
  yield* Effect.callback<void>((resume) => void process.once("message", () => resume(Effect.void)))
  if (order.forever === true)
    for (let index = 0; ; index++) {
      yield* one(index)
      yield* Effect.yieldNow
      if (index % 50 === 49) yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
    }
  const times = yield* Effect.forEach(
    Array.from({ length: order.requests }, (_, index) => index),
    one,
    { concurrency: order.concurrency }
  )
  tell({ times, lost: yield* RequestLogger.lost })
  if (order.crash === true) {
    setImmediate(() => {
      throw new Error("crash")
    })
    yield* Effect.never
  }
})

/** A second sink beside it, as of another logger in the same process. */
const second = order.second === undefined ? Layer.empty : Layer.effectDiscard(JsonLines.make({ to: order.second }))

const logger = RequestLogger.layer({ secret: Redacted.make("a secret for tests") }).pipe(
  Layer.provide(order.endpoint === undefined ? Layer.empty : Otlp.layer({ endpoint: order.endpoint })),
  Layer.provide(
    JsonLines.layer({
      to: order.to,
      batch: order.batch,
      ...(order.buffer === undefined ? {} : { buffer: order.buffer })
    })
  )
)
await Effect.runPromise(Effect.provide(program, Layer.merge(logger, second)))
process.disconnect()
