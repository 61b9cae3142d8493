/**
 * JSON that keeps whole numbers beyond 2^53: they are bigint here and plain digits in the text.
 *
 * As quick as `JSON` where there are none. Source: ECMA-262, JSON.rawJSON and the reviver's `context.source`.
 */

// TypeScript's library does not know these two yet.
const { rawJSON: raw } = JSON as typeof JSON & { readonly rawJSON: (text: string) => unknown }
type Reviver = (key: string, value: unknown, context?: { readonly source?: string }) => unknown
const parseWith = JSON.parse as (text: string, reviver: Reviver) => unknown

const exact = (_: string, value: unknown): unknown => (typeof value === "bigint" ? raw(String(value)) : value)

/** Written as `-0.0`, which JSON.stringify does not by itself. */
export const negativeZero: unknown = raw("-0.0")

export const stringify = (value: unknown, indent?: number): string => {
  try {
    return JSON.stringify(value, undefined, indent)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return JSON.stringify(value, exact, indent)
  }
}

/** A number that a double may not hold; also matches some texts, which only costs time. */
const longInteger = /[[:,\s]-?\d{16}|^-?\d{16}/

const revive: Reviver = (_, value, context) =>
  typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? "")
    ? BigInt(context!.source!)
    : value

export const parse = (text: string): unknown => (longInteger.test(text) ? parseWith(text, revive) : JSON.parse(text))

/** A whole number in its one form: a number where a double holds it exactly, bigint beyond. */
export const normalizeInteger = (value: number | bigint): number | bigint =>
  typeof value === "bigint" && value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER
    ? Number(value)
    : value
