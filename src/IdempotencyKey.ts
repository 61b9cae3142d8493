/**
 * The `Idempotency-Key` of a request, and what it is a key of.
 *
 * The draft wants a structured-field String (`"8e03…"`), clients send bare tokens too; parameters are ignored. A key
 * belongs to one namespace, operation, tenant and user: an equal key of another of them is another key.
 *
 * Source: draft-ietf-httpapi-idempotency-key-header-07, section 2.1; RFC 8941, section 3.3.3.
 */
import * as Result from "effect/Result"
import { KeyInvalid, KeyMissing, UserInvalid } from "./IdempotencyError.ts"

export const header = "idempotency-key"

export interface ParseOptions {
  /** Accept the form of the draft alone, a quoted string. Default false. */
  readonly strict?: boolean | undefined
}

const quoted = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"(.*)$/
const bare = /^([\x21\x23-\x2b\x2d-\x3a\x3c-\x7e]+)(.*)$/
const parameters =
  /^(?:[ \t]*;[ \t]*[a-z*][a-z0-9_.*-]*(?:=(?:"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"|[\x21\x23-\x2b\x2d-\x3a\x3c-\x7e]+))?)*[ \t]*$/

const isSpace = (character: string | undefined): boolean => character === " " || character === "\t"
/** Without spaces and tabs around it: others are no part of HTTP, and none of a key. */
const trimmed = (value: string): string => {
  let [start, end] = [0, value.length]
  while (start < end && isSpace(value[start])) start++
  while (start < end && isSpace(value[end - 1])) end--
  return value.slice(start, end)
}

/** The key in a header's value: 1 to 255 printable ASCII characters. */
export const parse = (value: string, options: ParseOptions = {}): Result.Result<string, KeyInvalid> => {
  const refuse = (problem: string) => Result.fail(new KeyInvalid({ value: value.slice(0, 300), problem }))
  const text = trimmed(value)
  const isQuoted = text.startsWith('"')
  if (!isQuoted && options.strict === true) return refuse("it must be a quoted string here")
  const [, inner, rest] = (isQuoted ? quoted : bare).exec(text) ?? []
  if (inner === undefined || rest === undefined) {
    if (text === "") return refuse("it is empty")
    return /[^\x20-\x7e]/.test(text)
      ? refuse("it holds characters other than printable ASCII")
      : refuse(isQuoted ? "its quotation marks do not match" : "it is neither a token nor a quoted string")
  }
  if (/^[ \t]*,/.test(rest)) return refuse("there are several")
  if (!parameters.test(rest))
    return refuse(isQuoted ? "something follows the quoted string" : "it is neither a token nor a quoted string")
  return check(isQuoted ? inner.replaceAll(/\\(["\\])/g, "$1") : inner)
}

/** A key that comes otherwise than by a header. */
export const check = (key: string): Result.Result<string, KeyInvalid> => {
  const refuse = (problem: string) => Result.fail(new KeyInvalid({ value: key.slice(0, 300), problem }))
  if (key.length === 0) return refuse("it is empty")
  if (key.length > 255) return refuse(`it has ${key.length} characters, and may have 255`)
  return /^[\x20-\x7e]+$/.test(key) ? Result.succeed(key) : refuse("it holds characters other than printable ASCII")
}

/** The key of a request; undefined where it has none and needs none. Several header fields are several keys. */
export const fromHeader = (
  value: string | ReadonlyArray<string> | undefined,
  options: ParseOptions & { readonly required: boolean }
): Result.Result<string | undefined, KeyInvalid | KeyMissing> => {
  const values = typeof value === "string" ? [value] : (value ?? [])
  const [first] = values
  if (first === undefined) return options.required ? Result.fail(new KeyMissing()) : Result.succeed(undefined)
  return values.length === 1
    ? parse(first, options)
    : Result.fail(new KeyInvalid({ value: values.join(", ").slice(0, 300), problem: "there are several" }))
}

/** An id of Appwrite. A proxy that joins repeated headers makes none: `evil, real`. */
export const checkUser = (user: string): Result.Result<string, UserInvalid> =>
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,35}$/.test(user)
    ? Result.succeed(user)
    : Result.fail(new UserInvalid({ value: user.slice(0, 300) }))
