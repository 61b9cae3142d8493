/**
 * JSON in one form for one value: keys sorted by UTF-16 code units, no white space. What has a `toJSON`, as a date, is
 * what that says; a Map and a Set are lists. Source: RFC 8785, section 3.2.3.
 *
 * Throws `NoJson` for what would look like something else: functions, symbols, numbers that JSON has no word for, and
 * objects that show no values, as a URLSearchParams or an ArrayBuffer.
 */
import { stringify } from "./ExactJson.ts"

export class NoJson extends Error {
  override readonly name = "NoJson"
}

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
const isBytes = (value: object): boolean => ArrayBuffer.isView(value) && !(value instanceof DataView)

const leaf = (value: unknown): string => {
  if (typeof value === "function" || typeof value === "symbol") throw new NoJson(`it holds a ${typeof value}`)
  if (typeof value === "number" && !Number.isFinite(value))
    throw new NoJson(`it holds ${value}, which JSON has no word for`)
  return stringify(value ?? null)
}

export const canonicalJson = (value: unknown): string => {
  if (typeof value === "string") return JSON.stringify(value)
  if (value === null || typeof value !== "object") return leaf(value)
  if (value instanceof Map || value instanceof Set) return canonicalJson([...value])
  if ("toJSON" in value && typeof value.toJSON === "function") return canonicalJson(value.toJSON())
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`
  // Without an order of its own, `toSorted` compares by UTF-16 code units.
  const keys = Object.keys(value).toSorted()
  if (keys.length === 0 && !isPlain(value) && !isBytes(value))
    throw new NoJson(`it holds a ${value.constructor.name}, which shows no values`)
  let text = ""
  for (const key of keys) {
    const member = (value as Readonly<Record<string, unknown>>)[key]
    if (member !== undefined) text += `${text === "" ? "" : ","}${JSON.stringify(key)}:${canonicalJson(member)}`
  }
  return `{${text}}`
}
