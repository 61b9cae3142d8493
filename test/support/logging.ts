/** A logger whose lines are captured, and what it is asked. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Tracer from "effect/Tracer"
import * as Capture from "holdfast/layers/logging/Capture"
import * as RequestLogger from "holdfast/RequestLogger"

export const secret = Redacted.make("a secret for tests, of 32 bytes or more")

export const logged = (options: RequestLogger.Options = {}) =>
  RequestLogger.layer({ secret, ...options }).pipe(Layer.provideMerge(Capture.layer))

/** With a logger and captured lines of its own. */
export const fresh = <A, E>(
  effect: Effect.Effect<A, E, RequestLogger.RequestLogger | Capture.Capture>,
  options?: RequestLogger.Options
) => Effect.provide(effect, logged(options), { local: true })

export const traceId = "4bf92f3577b34da6a3ce929d0e0e4736"
/** Of a caller whose span is 00f067aa0ba902b7. */
export const traceparent = `00-${traceId}-00f067aa0ba902b7-01`

/** A tracer that keeps its spans. */
export const recordingTracer = () => {
  const spans: Array<Tracer.NativeSpan> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  return { spans, tracer }
}
