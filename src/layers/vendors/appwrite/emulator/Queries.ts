/** Queries as clients write them: `{"method","attribute","values"}` in JSON. */
import * as Json from "./Json.ts"

export interface Written {
  readonly method: string
  readonly attribute: string
  readonly values: ReadonlyArray<unknown>
}

const methods = new Set(
  (
    "equal notEqual lessThan lessThanEqual greaterThan greaterThanEqual contains containsAny containsAll notContains " +
    "search notSearch isNull isNotNull between notBetween startsWith notStartsWith endsWith notEndsWith " +
    "createdBefore createdAfter createdBetween updatedBefore updatedAfter updatedBetween " +
    "select orderAsc orderDesc orderRandom limit offset cursorAfter cursorBefore and or regex exists notExists elemMatch"
  ).split(" ")
)

const phpType = (value: unknown): string => {
  if (typeof value === "boolean") return "boolean"
  if (typeof value === "number" || typeof value === "bigint") return "integer"
  if (value instanceof Json.Decimal) return "double"
  return value === null ? "NULL" : typeof value
}

/** A query already parsed, or what the server says of it. */
export const fromValue = (value: unknown): Written | string => {
  if (typeof value !== "object" || value === null) return `Invalid query. Must be an array, got ${phpType(value)}`
  const { attribute = "", method = "", values = [] } = value as Record<string, unknown>
  if (typeof method !== "string") return `Invalid query method. Must be a string, got ${phpType(method)}`
  if (!methods.has(method)) return `Invalid query method: ${method}`
  if (typeof attribute !== "string") return `Invalid query attribute. Must be a string, got ${phpType(attribute)}`
  if (!Array.isArray(values)) return `Invalid query values. Must be an array, got ${phpType(values)}`
  return { method, attribute, values }
}

/** One query of a list, or what the server says of it. */
export const parse = (text: string): Written | string => {
  try {
    return fromValue(Json.parse(text))
  } catch {
    return "Invalid query: Syntax error"
  }
}
