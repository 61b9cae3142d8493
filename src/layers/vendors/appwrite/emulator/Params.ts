/**
 * Parameters of a route: each says its rule, whether it may be left out, and what stands for it then. They are checked
 * in the order of writing, with the server's messages.
 */
import * as Effect from "effect/Effect"
import * as ApiFailure from "./ApiFailure.ts"
import type { Call, Handler, Answer } from "./Call.ts"
import * as Json from "./Json.ts"
import * as Permissions from "./Permissions.ts"

/** A rule's answer: the value, or what the rule asks for. */
export type Checked<A> = { readonly ok: true; readonly value: A } | { readonly ok: false; readonly detail: string }
export type Rule<A> = (value: unknown) => Checked<A>

export const accepted = <A>(value: A): Checked<A> => ({ ok: true, value })
export const refused = (detail: string): Checked<never> => ({ ok: false, detail })

export interface Param<A> {
  readonly rule: Rule<A>
  /** Stands for what is left out; absent: it may not be. */
  readonly fallback?: { readonly value: A }
}

export const required = <A>(rule: Rule<A>): Param<A> => ({ rule })
/** May be left out, or null; then it is `value`. */
export const optional = <A, B>(rule: Rule<A>, value: B): Param<A | B> => ({ rule, fallback: { value } })

const idDescription =
  "Parameter must contain at most 36 chars. Valid chars are a-z, A-Z, 0-9, period, hyphen, and underscore. Can't start with a special char"
const idShape = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,35}$/
export const isId = (value: unknown): value is string => typeof value === "string" && idShape.test(value)

/** An id, or a key. */
export const id: Rule<string> = (value) => (isId(value) ? accepted(value) : refused(idDescription))
/** An id, or `unique()`, for which the handler makes one. */
export const newId: Rule<string> = (value) => (value === "unique()" ? accepted(value) : id(value))

/** Characters as the server counts them: code points. */
const lengthOf = (text: string): number => {
  let length = text.length
  for (let index = 0; index < text.length; index++) {
    if ((text.charCodeAt(index) & 0xfc00) === 0xd800) length--
  }
  return length
}

/** A text of 1 (or `minimum`) to `maximum` characters. */
export const text =
  (maximum: number, minimum = 1): Rule<string> =>
  (value) => {
    const length = typeof value === "string" ? lengthOf(value) : -1
    if (length >= minimum && length <= maximum) return accepted(value as string)
    const lower = minimum > 0 ? ` and at least ${minimum} chars` : ""
    return refused(`Value must be a valid string${lower} and no longer than ${maximum} chars`)
  }

const booleanDescription = "Value must be a valid boolean"
/** `true` and `false` alone. */
export const strictBoolean: Rule<boolean> = (value) =>
  typeof value === "boolean" ? accepted(value) : refused(booleanDescription)

/** Also 0, 1 and texts, which become what PHP makes of them: the text "false" is true. */
export const boolean: Rule<boolean> = (value) => {
  if (typeof value === "boolean") return accepted(value)
  if (value === 0 || value === "0") return accepted(false)
  return value === 1 || value === "1" || value === "true" || value === "false"
    ? accepted(true)
    : refused(booleanDescription)
}

const grouped = (value: number | bigint) => value.toLocaleString("en")

/** An integer as JSON has it, or as a text of digits. */
const integerOf = (value: unknown): number | undefined => {
  if (typeof value === "number") return Number.isInteger(value) ? value : undefined
  return typeof value === "string" && /^-?\d{1,15}$/.test(value) ? Number(value) : undefined
}

/** A whole number from `minimum` to `maximum`. */
export const range =
  (minimum: number, maximum: number | bigint): Rule<number> =>
  (value) => {
    const integer = integerOf(value)
    return integer !== undefined && integer >= minimum && integer <= maximum
      ? accepted(integer)
      : refused(`Value must be a valid range between ${grouped(minimum)} and ${grouped(maximum)}`)
  }

export const oneOf =
  <const A extends ReadonlyArray<string>>(names: A): Rule<A[number]> =>
  (value) =>
    names.includes(value as string)
      ? accepted(value as A[number])
      : refused(`Value must be one of (${names.join(", ")})`)

/** A list of at most `maximum` members. */
export const list =
  <A>(rule: Rule<A>, maximum = 100): Rule<ReadonlyArray<A>> =>
  (value) => {
    const head = `Value must a valid array no longer than ${maximum} items`
    const values: Array<A> = []
    let detail: string | undefined
    for (const member of Array.isArray(value) ? value : [undefined]) {
      const checked = rule(member)
      if (checked.ok) values.push(checked.value)
      else detail = checked.detail
    }
    if (Array.isArray(value) && value.length <= maximum && detail === undefined) return accepted(values)
    return refused(detail === undefined ? head : `${head} and ${detail}`)
  }

/** Texts of queries, yet to be read. */
export const queries: Rule<ReadonlyArray<string>> = list(text(4096))

/** Null too; its description says so. */
export const nullable =
  <A>(rule: Rule<A>): Rule<A | null> =>
  (value) => {
    if (value === null) return accepted(null)
    const checked = rule(value)
    return checked.ok ? checked : refused(`${checked.detail} or null`)
  }

/** Permissions of `owner`, spelt out and without doubles, or null. */
export const permissions = (owner: Permissions.Owner): Rule<ReadonlyArray<string> | null> =>
  nullable((value) => {
    const detail = Permissions.problem(value, owner)
    return detail === undefined ? accepted(Permissions.expand(value as ReadonlyArray<string>, owner)) : refused(detail)
  })

/** A JSON object, or a text that holds one. */
export const json: Rule<unknown> = (value) => {
  if (typeof value === "object" && value !== null) return accepted(value)
  try {
    if (typeof value === "string") return accepted(Json.parse(value))
  } catch {
    // Said below.
  }
  return refused("Value must be a valid JSON string")
}

export type Spec = { readonly [name: string]: Param<unknown> }
export type Values<S extends Spec> = { readonly [K in keyof S]: S[K] extends Param<infer A> ? A : never }

const valueOf = (name: string, { fallback, rule }: Param<unknown>, call: Call): unknown => {
  const inPath = call.path[name]
  const { input } = call
  const present = inPath !== undefined || Object.hasOwn(input, name)
  const value = inPath ?? input[name]
  if (!present) {
    if (fallback === undefined) throw ApiFailure.missingParameter(name)
    return fallback.value
  }
  if (value === null && fallback !== undefined) return fallback.value
  const checked = rule(value)
  if (!checked.ok) throw ApiFailure.invalidParameter(name, checked.detail)
  return checked.value
}

/** All parameters of a call, or the first refusal. The path's win over the body's. */
export const read = <S extends Spec>(call: Call, spec: S): Effect.Effect<Values<S>, ApiFailure.ApiFailure> =>
  Effect.suspend(() => {
    try {
      const values: Record<string, unknown> = {}
      for (const name of Object.keys(spec)) values[name] = valueOf(name, spec[name]!, call)
      return Effect.succeed(values as Values<S>)
    } catch (error) {
      return error instanceof ApiFailure.ApiFailure ? Effect.fail(error) : Effect.die(error)
    }
  })

/** A handler that gets its parameters read. */
export const handler =
  <const S extends Spec>(
    spec: S,
    body: (values: Values<S>, call: Call) => Effect.Effect<Answer, ApiFailure.ApiFailure>
  ): Handler =>
  (call) =>
    Effect.flatMap(read(call, spec), (values) => body(values, call))
