/**
 * JSON in one form for one value: keys sorted by UTF-16 code units, no white space. What has a `toJSON`, as a date, is
 * what that says; a Map and a Set are lists, since as objects they would all be the same. Source: RFC 8785, 3.2.3.
 */
import { stringify } from "./ExactJson.ts"

export const canonicalJson = (value: unknown): string => {
  if (typeof value === "string") return JSON.stringify(value)
  if (value === null || typeof value !== "object") return stringify(value ?? null)
  if (value instanceof Map || value instanceof Set) return canonicalJson([...value])
  if ("toJSON" in value && typeof value.toJSON === "function") return canonicalJson(value.toJSON())
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`
  let text = ""
  // Without an order of its own, `toSorted` compares by UTF-16 code units.
  for (const key of Object.keys(value).toSorted()) {
    const member = (value as Readonly<Record<string, unknown>>)[key]
    if (member !== undefined) text += `${text === "" ? "" : ","}${JSON.stringify(key)}:${canonicalJson(member)}`
  }
  return `{${text}}`
}
