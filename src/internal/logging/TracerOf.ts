/** Any tracer, with spans that have the ids of our lines, and say no secrets. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Exit from "effect/Exit"
import * as Tracer from "effect/Tracer"
import * as Failures from "./Failures.ts"
import type { Redactor } from "./Redactor.ts"
import { OwnIds } from "./Spans.ts"

/** An error as a span tells it. */
const clean = (kind: "failure" | "defect", error: unknown, { text }: Redactor): Error => {
  const { causes, message, stack, tag } = Failures.describe(kind, error)
  const own = new Error(text(message))
  own.name = tag
  own.stack = text(
    [`${tag}: ${message}`, stack ?? "", ...(causes ?? []).map((cause) => `Caused by ${cause.tag}: ${cause.message}`)]
      .filter((line) => line !== "")
      .join("\n")
  )
  return own
}

const cleanExit = (exit: Exit.Exit<unknown, unknown>, redactor: Redactor): Exit.Exit<unknown, unknown> =>
  Exit.isSuccess(exit)
    ? Exit.void
    : Exit.failCause(
        Cause.fromReasons(
          exit.cause.reasons.map((reason) =>
            Cause.isFailReason(reason)
              ? Cause.makeFailReason(clean("failure", reason.error, redactor))
              : Cause.isDieReason(reason)
                ? Cause.makeDieReason(clean("defect", reason.defect, redactor))
                : reason
          )
        )
      )

export const make = (tracer: Tracer.Tracer, redactor: Redactor): Tracer.Tracer => {
  const value = (own: unknown): unknown => (typeof own === "string" ? redactor.text(own) : own)
  return Tracer.make({
    // Called on the tracer that it belongs to.
    ...(tracer.context === undefined ? {} : { context: (primitive, fiber) => tracer.context!(primitive, fiber) }),
    span: (options) => {
      const span = tracer.span({ ...options, name: redactor.text(options.name) })
      const ids = Context.get(options.annotations, OwnIds)
      if (ids !== undefined) {
        Object.defineProperty(span, "traceId", { value: ids.traceId })
        Object.defineProperty(span, "spanId", { value: ids.spanId })
      }
      const attribute = span.attribute.bind(span)
      const event = span.event.bind(span)
      const end = span.end.bind(span)
      return Object.assign(span, {
        attribute: (key: string, own: unknown) => attribute(key, value(own)),
        event: (name: string, startTime: bigint, attributes?: Record<string, unknown>) =>
          event(
            redactor.text(name),
            startTime,
            attributes && Object.fromEntries(Object.entries(attributes).map(([key, own]) => [key, value(own)]))
          ),
        end: (endTime: bigint, exit: Exit.Exit<unknown, unknown>) => end(endTime, cleanExit(exit, redactor))
      })
    }
  })
}
