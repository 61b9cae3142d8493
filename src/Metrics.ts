/** Every metric: its name, unit, labels and meaning. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"

const count = (name: string, description: string) =>
  Metric.counter(`holdfast_idempotency_${name}`, { description, incremental: true })

/** First claims of a key. */
export const claims = count("claims_total", "Keys claimed by a first attempt")
export const takeovers = count(
  "takeovers_total",
  "Keys claimed by a further attempt, after a release or a lease that ran out"
)
export const replays = count(
  "replays_total",
  "Requests answered with a stored response, those from the local cache among them"
)
export const conflicts = count("conflicts_total", "Requests refused because another attempt has the key")
export const mismatches = count("mismatches_total", "Requests refused because their key belongs to another request")
export const lost = count(
  "lost_completions_total",
  "Attempts whose key another had by the time they ended; their results were not sent"
)
export const unrecorded = count(
  "unrecorded_completions_total",
  "Results sent although the store did not say that it has them"
)
export const garbageRemoved = count(
  "garbage_removed_total",
  "Rows of dead generations removed from a slot that was needed"
)
export const expiredRemoved = count("expired_removed_total", "Rows removed by the clean-up")

/** Milliseconds of one call of the store. Labels: store, operation. */
export const storeLatency = Metric.histogram("holdfast_idempotency_store_milliseconds", {
  description: "Time of one call of the idempotency store",
  boundaries: [0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096]
})

/** In seconds, as OpenTelemetry's semantic conventions for HTTP and databases have them. */
const seconds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
const duration = (name: string, description: string) =>
  Metric.histogram(name, { description, boundaries: seconds, attributes: { unit: "s" } })

/** Labels: http.request.method, http.route, http.response.status_code, error.type. */
export const requestDuration = duration(
  "http.server.request.duration",
  "Time of a request, from its first line to its last"
)
/** Labels: db.operation.name, db.collection.name, error.type. */
export const databaseDuration = duration("db.client.operation.duration", "Time of a database operation")
/** Labels: http.request.method, peer.service, http.response.status_code, error.type. */
export const externalDuration = duration("http.client.request.duration", "Time of an external call")

/** Lines that no sink took, or that a sink gave up. */
export const lostLines = Metric.counter("holdfast_log_lost_lines_total", {
  description: "Lines of the log that are lost",
  incremental: true
})

/** Counts lines that are lost, where no fiber is at hand. */
export const lose = (lines: number): void => lostLines.updateUnsafe(lines, Context.empty())

/** An effect behind one more of what a counter counts. */
export const counted = <A, E, R>(
  metric: Metric.Metric<number, unknown>,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber) => {
    metric.updateUnsafe(1, fiber.context)
    return effect
  })

/** An effect whose time goes into a histogram, in milliseconds, however it ends. */
export const timed =
  (metric: Metric.Metric<number, unknown>) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.clockWith((clock) => {
      const begun = clock.monotonicTimeNanosUnsafe()
      return Effect.onExit(effect, () => Metric.update(metric, Number(clock.monotonicTimeNanosUnsafe() - begun) / 1e6))
    })
