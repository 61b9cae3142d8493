/** Queries on the wire, JSON texts with `method`, `attribute` and `values`, as queries of ours. */
import { codePoints } from "../../../../../internal/CodePoints.ts"
import * as Query from "../../../../../Query.ts"
import * as ApiFailure from "../ApiFailure.ts"
import * as Json from "../Json.ts"

interface Wire {
  readonly method: string
  readonly attribute: string
  readonly values: ReadonlyArray<unknown>
}

/** For rows; lists of databases, tables and columns call it by another name. */
const refuse = (detail: string) => ApiFailure.make(400, "general_query_invalid", `Invalid query: ${detail}`)

const read = (query: unknown): Wire => {
  const value = typeof query === "object" && query !== null && !Array.isArray(query) ? query : undefined
  if (value === undefined) throw refuse("Invalid query. Must be an array, got string")
  const { attribute = "", method, values = [] } = value as { readonly [key: string]: unknown }
  if (typeof method !== "string") throw refuse("Invalid query method. Must be a string, got NULL")
  if (typeof attribute !== "string") throw refuse("Invalid query attribute. Must be a string")
  if (!Array.isArray(values)) throw refuse("Invalid query values. Must be an array")
  return { method, attribute, values }
}

const parseText = (text: string): unknown => {
  try {
    return Json.parse(text)
  } catch {
    throw refuse("Syntax error")
  }
}

const capital = (method: string) => method.charAt(0).toUpperCase() + method.slice(1)

const exactly = ({ method, values }: Wire, count: 1 | 2): ReadonlyArray<unknown> => {
  if (values.length !== count) {
    throw refuse(`${capital(method)} queries require exactly ${count === 1 ? "one value" : "two values"}.`)
  }
  return values
}
const invalidValue = (attribute: string) => refuse(`Query value is invalid for attribute "${attribute}"`)

const comparable = (attribute: string, value: unknown): Query.Comparable => {
  const plain = Json.plain(value)
  if (
    typeof plain === "string" ||
    typeof plain === "number" ||
    typeof plain === "bigint" ||
    typeof plain === "boolean"
  ) {
    return plain
  }
  throw invalidValue(attribute)
}
const text = (attribute: string, value: unknown): string => {
  if (typeof value !== "string") throw invalidValue(attribute)
  return value
}

const single = {
  notEqual: Query.notEqual,
  lessThan: Query.lessThan,
  lessThanEqual: Query.lessThanEqual,
  greaterThan: Query.greaterThan,
  greaterThanEqual: Query.greaterThanEqual
} as const
const texts = {
  startsWith: Query.startsWith,
  notStartsWith: Query.notStartsWith,
  endsWith: Query.endsWith,
  notEndsWith: Query.notEndsWith,
  search: Query.search,
  notSearch: Query.notSearch
} as const
const several = {
  equal: Query.equal,
  contains: Query.contains,
  containsAny: Query.contains,
  containsAll: Query.containsAll,
  notContains: Query.notContains
} as const
const ranges = { between: Query.between, notBetween: Query.notBetween } as const
/** Of two dates what lies before and behind. */
const dates: { readonly [method: string]: readonly [attribute: string, compare: typeof Query.lessThan] } = {
  createdBefore: ["$createdAt", Query.lessThan],
  createdAfter: ["$createdAt", Query.greaterThan],
  updatedBefore: ["$updatedAt", Query.lessThan],
  updatedAfter: ["$updatedAt", Query.greaterThan]
}

const has = <T extends object>(table: T, method: string): method is Extract<keyof T, string> =>
  Object.hasOwn(table, method)

const unlisted: ReadonlySet<string> = new Set(["$permissions", "$tableId", "$collectionId", "$databaseId"])

/** A filter on values, if the method is one. */
const filter = (wire: Wire): Query.Filter | undefined => {
  const { attribute, method, values } = wire
  if (method === "and" || method === "or") {
    if (values.length < 2) throw refuse(`${capital(method)} queries require at least two queries`)
    const inner = values.map((value) => {
      const one = filter(read(typeof value === "string" ? parseText(value) : value))
      if (one === undefined) throw refuse(`${capital(method)} queries can only contain filter queries`)
      return one
    })
    return method === "and" ? Query.and(inner) : Query.or(inner)
  }
  if (unlisted.has(attribute)) throw refuse(`Attribute not found in schema: ${attribute}`)
  if (method === "isNull") return Query.isNull(attribute)
  if (method === "isNotNull") return Query.isNotNull(attribute)
  if (has(single, method)) return single[method](attribute, comparable(attribute, exactly(wire, 1)[0]))
  if (has(texts, method)) return texts[method](attribute, text(attribute, exactly(wire, 1)[0]))
  if (has(ranges, method)) {
    const [from, to] = exactly(wire, 2)
    return ranges[method](attribute, comparable(attribute, from), comparable(attribute, to))
  }
  if (has(several, method)) {
    if (values.length === 0) throw refuse(`${capital(method)} queries require at least one value.`)
    if (values.length > Query.limits.values) {
      throw refuse(`Query on attribute has greater than ${Query.limits.values} values: ${attribute}`)
    }
    return several[method](
      attribute,
      values.map((value) => comparable(attribute, value))
    )
  }
  const date = dates[method]
  return date === undefined ? undefined : date[1](date[0], comparable(date[0], exactly(wire, 1)[0]))
}

const count = (name: "limit" | "offset", value: unknown): number => {
  const plain = Json.plain(value)
  const number = typeof plain === "string" && /^-?\d+$/.test(plain) ? Number(plain) : plain
  const least = name === "limit" ? 1 : 0
  if (typeof number !== "number" || !Number.isInteger(number) || number < least || value instanceof Json.Decimal) {
    throw refuse(`Invalid ${name}: Value must be a valid range between ${least} and 9,223,372,036,854,775,807`)
  }
  return Math.min(number, Number.MAX_SAFE_INTEGER)
}

const cursor = (value: unknown): string => {
  const id =
    typeof value === "object" && value !== null && "$id" in value ? (value as { readonly $id: unknown }).$id : value
  if (typeof id !== "string" || !/^[A-Za-z0-9][A-Za-z0-9._-]{0,35}$/.test(id)) {
    throw refuse(
      "Invalid cursor: UID must contain at most 36 chars. Valid chars are a-z, A-Z, 0-9, and underscore. Can't start with a leading underscore"
    )
  }
  return id
}

const shape = ({ attribute, method, values }: Wire): Query.Query | undefined => {
  switch (method) {
    case "limit":
      return Query.limit(count("limit", values[0]))
    case "offset":
      return Query.offset(count("offset", values[0]))
    case "orderAsc":
      return Query.orderAsc(attribute === "" ? "$sequence" : attribute)
    case "orderDesc":
      return Query.orderDesc(attribute === "" ? "$sequence" : attribute)
    case "orderRandom":
      return Query.orderRandom()
    case "cursorAfter":
      return Query.cursorAfter(cursor(values[0]))
    case "cursorBefore":
      return Query.cursorBefore(cursor(values[0]))
    case "select":
      if (values.length === 0) throw refuse("No attributes selected")
      return Query.select(values.map(String))
    default:
      return undefined
  }
}

const query = (wire: Wire): Query.Query => {
  const found = filter(wire) ?? shape(wire)
  if (found === undefined) throw refuse(`Invalid query method: ${wire.method}`)
  return found
}

const listRule = `Value must a valid array no longer than ${Query.limits.queries} items and Value must be a valid string and at least 1 chars and no longer than ${Query.limits.length} chars`

/** The parameter `queries`, as texts. */
export const textsOf = (value: unknown): ReadonlyArray<string> => {
  if (value === undefined || value === null) return []
  const all: ReadonlyArray<unknown> | undefined = Array.isArray(value) ? value : undefined
  const fits = (one: unknown): one is string =>
    typeof one === "string" && one.length > 0 && codePoints(one) <= Query.limits.length
  if (all === undefined || all.length > Query.limits.queries || !all.every(fits)) {
    throw ApiFailure.invalidParameter("queries", listRule)
  }
  return all
}

/** Queries on rows. */
export const parse = (value: unknown): ReadonlyArray<Query.Query> =>
  textsOf(value).map((one) => query(read(parseText(one))))

/** Queries inside a transaction's operation: JSON texts, else the server breaks when it needs them. */
export const parseStaged = (value: unknown): ReadonlyArray<Query.Query> => {
  const all: ReadonlyArray<unknown> = Array.isArray(value) ? value : []
  if (!all.every((one) => typeof one === "string")) throw ApiFailure.serverError
  return all.map((one) => query(read(parseText(one))))
}
