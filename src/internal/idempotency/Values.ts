/** Ends of effects as what is kept of them, by their schemas. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { ResponseNotKept } from "../../IdempotencyError.ts"
import type { Content } from "./Content.ts"

/** A schema without services, whose values can be written as JSON. */
export type Codec<A> = Schema.Codec<A, unknown>

interface Texts<A> {
  /** Undefined where the value can't be written. */
  readonly encode: (value: A) => string | undefined
  readonly decode: (text: string) => Effect.Effect<A, ResponseNotKept>
}

const known = new WeakMap<Schema.Top, Texts<never>>()

const notKept = () => new ResponseNotKept({ originalStatus: null })

/** What a schema makes of values, compiled once. The text is made here: a schema for it takes six times as long. */
const textsOf = <A>(schema: Codec<A>): Texts<A> => {
  const found = known.get(schema)
  if (found !== undefined) return found as unknown as Texts<A>
  const codec = Schema.toCodecJson(schema)
  const encode = Schema.encodeExit(codec)
  const decode = Schema.decodeUnknownEffect(codec)
  const made: Texts<A> = {
    encode: (value) => {
      const exit = encode(value)
      return Exit.isSuccess(exit) ? writeJson(exit.value) : undefined
    },
    decode: (text) => {
      const json = readJson(text)
      return json === undefined ? Effect.fail(notKept()) : Effect.mapErrorEager(decode(json), notKept)
    }
  }
  known.set(schema, made as unknown as Texts<never>)
  return made
}

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

/** A value that is not what its schema says is kept without a body: that it has happened is not forgotten. */
export const encode = <A, E>(exit: Exit.Exit<A, E>, success: Codec<A>, error: Codec<E> | undefined): Content => {
  if (Exit.isSuccess(exit)) return content("success", textsOf(success).encode(exit.value))
  const [reason] = exit.cause.reasons
  return content(
    "failure",
    reason?._tag === "Fail" && error !== undefined ? textsOf(error).encode(reason.error) : undefined
  )
}

export const decode = <A, E>(
  { body, kind }: Content,
  success: Codec<A>,
  error: Codec<E> | undefined
): Effect.Effect<A, E | ResponseNotKept> => {
  if (typeof body !== "string") return Effect.fail(notKept())
  if (kind === "success") return textsOf(success).decode(body)
  return error === undefined
    ? Effect.fail(notKept())
    : Effect.flatMap(textsOf(error).decode(body), (failure) => Effect.fail(failure))
}

/** Of any JSON value: for steps that say no schema. */
export const json: Codec<Schema.Json> = Schema.Json
