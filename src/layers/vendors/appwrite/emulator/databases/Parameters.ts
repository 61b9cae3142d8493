/** Parameters of calls: read, checked, refused in the server's words. Throws `ApiFailure`; handlers turn it into theirs. */
import * as Result from "effect/Result"
import { codePoints } from "../../../../../internal/CodePoints.ts"
import * as Permission from "../../../../../Permission.ts"
import { invalidParameter, missingParameter } from "../ApiFailure.ts"
import type * as Fields from "../Fields.ts"
import { Decimal } from "../Json.ts"

type Input = Fields.Fields

const idRule =
  "Parameter must contain at most 36 chars. Valid chars are a-z, A-Z, 0-9, period, hyphen, and underscore. Can't start with a special char"
const validId = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,35}$/

export const isId = (value: unknown): value is string => typeof value === "string" && validId.test(value)
export const idMessage = idRule

/** A parameter that must be there. */
export const required = (input: Input, name: string): unknown => {
  const value = input[name]
  if (value === undefined) throw missingParameter(name)
  return value
}

export const id = (input: Input, name: string): string => {
  const value = required(input, name)
  if (!isId(value)) throw invalidParameter(name, idRule)
  return value
}

export const text = (input: Input, name: string, most = 128): string => {
  const value = required(input, name)
  if (typeof value !== "string" || value.length === 0 || codePoints(value) > most) {
    throw invalidParameter(name, `Value must be a valid string and at least 1 chars and no longer than ${most} chars`)
  }
  return value
}

export const boolean = (input: Input, name: string): boolean => {
  const value = required(input, name)
  if (typeof value !== "boolean" && value !== "true" && value !== "false" && value !== 0 && value !== 1) {
    throw invalidParameter(name, "Value must be a valid boolean")
  }
  return value === true
}
/** Only true and false themselves. */
export const strictBoolean = (input: Input, name: string): boolean => {
  const value = required(input, name)
  if (typeof value !== "boolean") throw invalidParameter(name, "Value must be a valid boolean")
  return value
}

/** Null and absent are the same. */
export const optional = <A>(input: Input, name: string, read: (input: Input, name: string) => A): A | undefined =>
  input[name] === undefined || input[name] === null ? undefined : read(input, name)

export const number = (value: unknown): number | bigint | undefined => {
  if (value instanceof Decimal) return value.value
  return typeof value === "number" || typeof value === "bigint" ? value : undefined
}

/** A whole number, also as digits in a text. */
export const integer = (input: Input, name: string, least: number, most: number): number => {
  const raw = required(input, name)
  const value = typeof raw === "string" && /^-?\d+$/.test(raw) ? Number(raw) : raw
  if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) {
    const range = `${least.toLocaleString("en")} and ${most.toLocaleString("en")}`
    throw invalidParameter(name, `Value must be a valid range between ${range}`)
  }
  return value
}

export const list = (input: Input, name: string, most: number): ReadonlyArray<unknown> => {
  const value = required(input, name)
  if (!Array.isArray(value) || value.length > most) {
    throw invalidParameter(name, `Value must a valid array no longer than ${most} items`)
  }
  return value
}

/** Permissions, or undefined where they are left out. */
export const permissions = (
  input: Input,
  owner: Permission.Owner,
  name = "permissions"
): ReadonlyArray<string> | undefined => {
  const value = input[name]
  if (value === undefined || value === null) return undefined
  if (!Array.isArray(value) || !value.every((one) => typeof one === "string")) {
    throw invalidParameter(name, "Permissions must be an array of strings. or null")
  }
  const result = Permission.normalize(value, owner)
  if (Result.isFailure(result)) throw invalidParameter(name, `${result.failure}. or null`)
  return value
}
