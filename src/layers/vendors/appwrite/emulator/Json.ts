/**
 * JSON with integers of any length: beyond 2^53 they are `bigint`, both ways.
 *
 * PHP tells 2.0 from 2, and the server refuses the first for an integer. A number that was written with a fraction or
 * an exponent and yet is whole arrives as `Decimal`; `plain` makes numbers of them where the difference is none.
 *
 * Texts without such numbers, nearly all, go through `JSON` alone.
 */

/** A whole number that was written as `2.0` or `2e3`. */
export class Decimal {
  readonly value: number
  constructor(value: number) {
    this.value = value
  }
  toJSON(): number {
    return this.value
  }
}

/** May stand inside a string too: then the slow way is taken for nothing. */
const longInteger = /(?:^|[[:,])\s*-?\d{16}/
const decimal = /\d\.0+(?=[\s,\]}]|$)|(?:^|[[:,])\s*-?\d+(?:\.\d+)?[eE]/
const surrogate = /\\u[dD][89a-fA-F]/

const revive = (_: string, value: unknown, context?: { readonly source?: string }): unknown => {
  if (typeof value !== "number") return value
  const source = context?.source ?? ""
  if (/^-?\d+$/.test(source)) return Number.isSafeInteger(value) ? value : BigInt(source)
  return Number.isInteger(value) ? new Decimal(value) : value
}

const refuseLoneSurrogates = (_: string, value: unknown): unknown => {
  if (typeof value === "string" && !value.isWellFormed()) throw new SyntaxError("a lone surrogate")
  return value
}

/** Throws a SyntaxError where it is no JSON, and on half a surrogate pair, which PHP refuses. */
export const parse = (text: string): unknown => {
  if (surrogate.test(text)) JSON.parse(text, refuseLoneSurrogates)
  return longInteger.test(text) || decimal.test(text) ? JSON.parse(text, revive) : JSON.parse(text)
}

export { negativeZero, stringify } from "../../../../internal/ExactJson.ts"

/** The same value, every `Decimal` a number again. */
export const plain = (value: unknown): unknown => {
  if (value instanceof Decimal) return value.value
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]))
  }
  return value
}
