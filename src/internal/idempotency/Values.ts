/** Ends of effects as what is kept of them, by their schemas. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { ResponseNotKept } from "../../IdempotencyError.ts"
import type { Content } from "./Content.ts"

/** A schema without services, whose values can be written as JSON. */
export type Codec<A> = Schema.Codec<A, unknown>

const notKept = () => new ResponseNotKept({ originalStatus: null })

/** Undefined where it can't be written, or read. */
const writeJson = (value: unknown): string | undefined => {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}
const readJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const content = (kind: Content["kind"], body: string | undefined): Content => ({
  status: null,
  headers: {},
  kind,
  body
})

const writers = new WeakMap<Schema.Top, (value: unknown) => string | undefined>()

/** What a schema makes of values, compiled once. The text is made here: a schema for it takes six times as long. */
const writerOf = (schema: Schema.Codec<unknown, unknown>): ((value: unknown) => string | undefined) => {
  const found = writers.get(schema)
  if (found !== undefined) return found
  const encode = Schema.encodeUnknownExit(Schema.toCodecJson(schema))
  const made = (value: unknown) => {
    const exit = encode(value)
    return Exit.isSuccess(exit) ? writeJson(exit.value) : undefined
  }
  writers.set(schema, made)
  return made
}
const write = <A>(schema: Codec<A>, value: A): string | undefined => writerOf(schema)(value)

const read = <A>(schema: Codec<A>, text: string): Effect.Effect<A, ResponseNotKept> => {
  const json = readJson(text)
  return json === undefined
    ? Effect.fail(notKept())
    : Effect.mapErrorEager(Schema.decodeUnknownEffect(Schema.toCodecJson(schema))(json), notKept)
}

/** A value that is not what its schema says is kept without a body: that it has happened is not forgotten. */
export const encode = <A, E>(exit: Exit.Exit<A, E>, success: Codec<A>, error: Codec<E> | undefined): Content => {
  if (Exit.isSuccess(exit)) return content("success", write(success, exit.value))
  const [reason] = exit.cause.reasons
  return content("failure", reason?._tag === "Fail" && error !== undefined ? write(error, reason.error) : undefined)
}

export const decode = <A, E>(
  { body, kind }: Content,
  success: Codec<A>,
  error: Codec<E> | undefined
): Effect.Effect<A, E | ResponseNotKept> => {
  if (typeof body !== "string") return Effect.fail(notKept())
  if (kind === "success") return read(success, body)
  return error === undefined
    ? Effect.fail(notKept())
    : Effect.flatMap(read(error, body), (failure) => Effect.fail(failure))
}

const isJson = Schema.is(Schema.Json)

/** The result of a step; without a schema it is JSON, as the types of `step` demand. */
export const encodeStep = <A>(value: A, success: Codec<A> | undefined): Content => {
  if (success !== undefined) return content("success", write(success, value))
  return content("success", isJson(value) ? writeJson(value) : undefined)
}

export const decodeStep = <A>(kept: Content, success: Codec<A> | undefined): Effect.Effect<A, ResponseNotKept> => {
  if (success !== undefined) return decode<A, never>(kept, success, undefined)
  return typeof kept.body === "string" ? Effect.succeed(JSON.parse(kept.body)) : Effect.fail(notKept())
}
