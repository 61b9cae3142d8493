/**
 * A piece of work as a span: one id in the lines, in the headers for others, and at a tracer where there is one.
 * Without a tracer there is nothing to record, and an id is all that a span is.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Tracer from "effect/Tracer"

export interface SpanIds {
  readonly traceId: string
  readonly spanId: string
}

/** The ids that a span shall have, for tracers that take them. */
export const OwnIds: Context.Reference<SpanIds | undefined> = Context.Reference<SpanIds | undefined>(
  "holdfast/logging/OwnIds",
  { defaultValue: () => undefined }
)

export interface Work {
  /** By OpenTelemetry's conventions. */
  readonly name: () => string
  readonly kind: Tracer.SpanKind
  readonly attributes: () => Readonly<Record<string, unknown>>
  readonly ids: SpanIds
  /** What it is part of; undefined for the root of a trace. */
  readonly parent: Tracer.AnySpan | undefined
  readonly sampled: boolean
}

/** A span that somebody else began. */
export const external = (ids: SpanIds, sampled: boolean): Tracer.ExternalSpan =>
  Tracer.externalSpan({ traceId: ids.traceId, spanId: ids.spanId, sampled })

/** The span that a fiber works in, where it is part of this trace. */
export const currentOf = (fiber: Fiber.Fiber<unknown, unknown>, traceId: string): Tracer.AnySpan | undefined => {
  const { span } = fiber.cache
  return span !== undefined && span.traceId === traceId ? span : undefined
}

/** Does a piece of work in its span. `context`: what is provided to it, the span among it. */
export const within = <A, E, R>(
  fiber: Fiber.Fiber<unknown, unknown>,
  work: Work,
  body: (
    ids: SpanIds,
    span: Tracer.Span | undefined,
    context: Context.Context<Tracer.ParentSpan>
  ) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => {
  if (fiber.getRef(Tracer.Tracer) === Tracer.nativeTracer) {
    const { ids } = work
    return body(ids, undefined, Context.add(fiber.context, Tracer.ParentSpan, external(ids, work.sampled)))
  }
  return Effect.useSpan(
    work.name(),
    {
      kind: work.kind,
      attributes: work.attributes(),
      annotations: Context.make(OwnIds, work.ids),
      sampled: work.sampled,
      ...(work.parent === undefined ? { root: true } : { parent: work.parent })
    },
    (span) => body(span, span, Context.add(fiber.context, Tracer.ParentSpan, span))
  )
}
