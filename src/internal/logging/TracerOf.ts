/** Any tracer, with spans that have the ids of our lines, and say no secrets. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Exit from "effect/Exit"
import * as Tracer from "effect/Tracer"
import * as Failures from "./Failures.ts"
import type { Redactor } from "./Redactor.ts"
import { Serializer } from "./Serializer.ts"
import { OwnIds } from "./Spans.ts"

/** An error as a span tells it. */
const clean = (kind: "failure" | "defect", error: unknown, { text }: Redactor): Error => {
  const { causes, message, stack, tag } = Failures.describe(kind, error)
  const own = new Error(text(message))
  own.name = text(tag)
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
  const serializer = new Serializer(redactor.settings)
  /** A name and its value, as a line would have them. */
  const member = (key: string, value: unknown): readonly [string, unknown] => {
    try {
      const written = serializer.members({ [key]: value })
      return Object.entries(JSON.parse(`{${written.slice(1)}}`) as Record<string, unknown>)[0] ?? [key, null]
    } catch {
      return [redactor.text(key), "[unreadable]"]
    }
  }
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
        attribute: (key: string, value: unknown) => attribute(...member(key, value)),
        event: (name: string, startTime: bigint, attributes?: Record<string, unknown>) =>
          event(
            redactor.text(name),
            startTime,
            attributes && Object.fromEntries(Object.entries(attributes).map(([key, value]) => member(key, value)))
          ),
        end: (endTime: bigint, exit: Exit.Exit<unknown, unknown>) => end(endTime, cleanExit(exit, redactor))
      })
    }
  })
}
