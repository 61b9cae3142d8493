/** Filters as SQL, under the server's rules for types, null and texts. */
import type { Attribute } from "../../../Attribute.ts"
import { fold, sortKey } from "../../../Collation.ts"
import { attributeOf, type Collection } from "../../../Collection.ts"
import { normalizeDateTime } from "../../../internal/DateTimeText.ts"
import * as ExactJson from "../../../internal/ExactJson.ts"
import * as Query from "../../../Query.ts"
import { type Parameter, quote, type Sqlite } from "../../vendors/Sqlite.ts"
import { comparable, indexName, isText, upper } from "./Columns.ts"
import * as Fulltext from "./Fulltext.ts"
import { invalidQuery } from "./Refusal.ts"

export interface Condition {
  readonly sql: string
  readonly parameters: ReadonlyArray<Parameter>
}

const systemTypes: ReadonlyMap<string, "text" | "date" | "sequence"> = new Map([
  ["$id", "text"],
  ["$createdAt", "date"],
  ["$updatedAt", "date"],
  ["$sequence", "sequence"]
])

/** Functions that conditions call. Values to look for come folded. */
export const defineFunctions = (sqlite: Sqlite): void => {
  sqlite.define("text_starts", (text, value) => (fold(text).startsWith(String(value)) ? 1 : 0))
  sqlite.define("text_ends", (text, value) => (fold(text).endsWith(String(value)) ? 1 : 0))
  sqlite.define("text_holds", (text, value) => (fold(text).includes(String(value)) ? 1 : 0))
  sqlite.define("list_has", (list, value) => {
    const wanted = ExactJson.parse(String(value))
    return (ExactJson.parse(list) as ReadonlyArray<unknown>).includes(wanted) ? 1 : 0
  })
}

const unknown = (collection: Collection, key: string) =>
  invalidQuery(
    `${JSON.stringify(key)} is no attribute (there are ${collection.attributes.map((one) => one.key).join(", ") || "none"}, $id, $createdAt, $updatedAt, $sequence)`
  )

/** Filters and orders want a key in its exact case. */
export const checkKey = (collection: Collection, key: string): void => {
  if (!systemTypes.has(key) && attributeOf(collection, key)?.key !== key) throw unknown(collection, key)
}

const dateCell = (key: string, value: Query.Comparable): Parameter => {
  const normal = typeof value === "string" ? normalizeDateTime(value) : undefined
  if (normal === undefined) throw invalidQuery(`${key} compares with ISO 8601 dates, got ${ExactJson.stringify(value)}`)
  return normal
}

const refusedValue = (attribute: Attribute, value: Query.Comparable) =>
  invalidQuery(`${attribute.key} is of kind ${attribute.kind} and can't be compared with ${ExactJson.stringify(value)}`)

/** A value to compare with, as the column's `comparable` holds it. */
const comparisonCell = (collection: Collection, key: string, value: Query.Comparable): Parameter => {
  const system = systemTypes.get(key)
  if (system === "date") return dateCell(key, value)
  if (system === "text" && typeof value === "string") return upper(value)
  if (system === "sequence" && /^\d{1,15}$/.test(String(value))) return Number(value)
  if (system !== undefined) throw invalidQuery(`${key} can't be compared with ${ExactJson.stringify(value)}`)
  const attribute = attributeOf(collection, key)
  if (attribute === undefined || attribute.key !== key) throw unknown(collection, key)
  if (attribute.array) throw invalidQuery(`${key} is an array: arrays take neither comparison nor equality`)
  if (isText(attribute)) {
    if (typeof value !== "string") throw refusedValue(attribute, value)
    return sortKey(value)
  }
  switch (attribute.kind) {
    case "datetime":
      return dateCell(key, value)
    case "boolean":
      if (typeof value !== "boolean") throw refusedValue(attribute, value)
      return value ? 1 : 0
    case "float":
      // Whole digits beyond 2^53 come as a bigint, out of JSON.
      if (typeof value === "bigint") return Number(value)
      if (typeof value !== "number" || !Number.isFinite(value)) throw refusedValue(attribute, value)
      return value
    default:
      if (typeof value === "bigint" && BigInt.asIntN(64, value) === value) return value
      if (!Number.isInteger(value)) throw refusedValue(attribute, value)
      // Beyond 2^53 a number is a double to SQLite; the attribute holds whole numbers.
      return Number.isSafeInteger(value) || Math.abs(value as number) >= 2 ** 63 ? (value as number) : BigInt(value)
  }
}

/** Refuses a query whose text on the wire would be longer than the server takes. */
const checkLength = (filter: Query.Filter): void => {
  const { _tag: method, ...rest } = filter
  const { length } = ExactJson.stringify({ method, ...rest })
  if (length > Query.limits.length) {
    throw invalidQuery(
      `a query has at most ${Query.limits.length} characters, this ${method} has ${length}. Split its values over several lists`,
      "general_argument_invalid"
    )
  }
}

const operators = {
  NotEqual: "<>",
  LessThan: "<",
  LessThanEqual: "<=",
  GreaterThan: ">",
  GreaterThanEqual: ">="
} as const
const textTests = {
  StartsWith: "text_starts",
  NotStartsWith: "text_starts",
  EndsWith: "text_ends",
  NotEndsWith: "text_ends"
} as const

const negated = ({ parameters, sql }: Condition): Condition => ({ sql: `not (${sql})`, parameters })

/** The text that a test on texts looks into. */
const textColumn = (collection: Collection, key: string): string => {
  const attribute = attributeOf(collection, key)
  if (key === "$id") return quote(key)
  // As recorded: no date begins or ends with anything.
  if (attribute?.kind === "datetime" && !attribute.array) return `substr(${quote(key)}, 1, 0)`
  if (attribute === undefined || !isText(attribute)) {
    throw invalidQuery(`${key} holds no text to look into`)
  }
  return quote(key)
}

/** A whole double beyond 2^53 would come out of JSON as another number. */
const isDouble = (collection: Collection, key: string): boolean => attributeOf(collection, key)?.kind === "float"

const checkCount = (method: string, values: ReadonlyArray<Query.Comparable>): void => {
  if (values.length > Query.limits.values) {
    throw invalidQuery(`${method} takes at most ${Query.limits.values} values, got ${values.length}`)
  }
}

const among = (
  collection: Collection,
  filter: { readonly attribute: string; readonly values: ReadonlyArray<Query.Comparable> }
): Condition => {
  const { attribute, values } = filter
  if (values.length === 0) throw invalidQuery(`equal on ${attribute} needs a value`)
  checkCount("equal", values)
  const column = comparable(collection, attribute)
  const cells = values.map((value) => comparisonCell(collection, attribute, value))
  // One parameter, however many values: SQLite counts them, and one text of a statement serves all lengths.
  return cells.length === 1
    ? { sql: `${column} = ?`, parameters: cells }
    : isDouble(collection, attribute)
      ? { sql: `${column} in (${cells.map(() => "?").join(", ")})`, parameters: cells }
      : { sql: `${column} in (select value from json_each(?))`, parameters: [ExactJson.stringify(cells)] }
}

/** A text that holds one of the values, or a list that has one, or all, of them. */
const containing = (
  collection: Collection,
  key: string,
  values: ReadonlyArray<Query.Comparable>,
  joined: " or " | " and "
): Condition => {
  if (values.length === 0) throw invalidQuery(`contains on ${key} needs a value`)
  checkCount("contains", values)
  const attribute = attributeOf(collection, key)
  if (attribute?.array === true) {
    return {
      sql: `(${values.map(() => `list_has(${quote(key)}, ?)`).join(joined)})`,
      parameters: values.map((value) => ExactJson.stringify(value))
    }
  }
  const column = attribute?.kind === "datetime" ? undefined : textColumn(collection, key)
  if (column === undefined || joined === " and ") throw invalidQuery(`${key} is no list to look into`)
  return {
    sql: `(${values.map(() => `text_holds(${column}, ?)`).join(joined)})`,
    parameters: values.map((value) => {
      if (typeof value !== "string") throw invalidQuery(`${key} holds text, and not ${ExactJson.stringify(value)}`)
      return fold(value)
    })
  }
}

/** Documents that a full-text index finds; notSearch takes those without a text as well. */
const searching = (database: string, collection: Collection, key: string, value: string): Condition => {
  const attribute = attributeOf(collection, key)
  if (attribute === undefined || !isText(attribute)) throw invalidQuery(`${key} holds no text to search`)
  const index = collection.indexes.find(({ attributes, kind }) => kind === "fulltext" && attributes[0] === key)
  if (index === undefined) throw invalidQuery(`searching ${key} needs a fulltext index on it. Create one`)
  if (typeof value !== "string") throw invalidQuery(`${key} holds text, and not ${String(value)}`)
  const match = Fulltext.matchOf(value)
  if (match === undefined) return { sql: "0", parameters: [] }
  const name = indexName(database, collection.$id, index.key)
  return { sql: `"$sequence" in (select rowid from ${name} where ${name} match ?)`, parameters: [match] }
}

const join = (conditions: ReadonlyArray<Condition>, word: " and " | " or "): Condition => ({
  sql: `(${conditions.map(({ sql }) => sql).join(word)})`,
  parameters: conditions.flatMap(({ parameters }) => parameters)
})

const nested = (
  database: string,
  collection: Collection,
  filters: ReadonlyArray<Query.Filter>,
  word: " and " | " or "
): Condition => {
  if (filters.length < 2) throw invalidQuery(`${word.trim()} needs at least two filters`)
  const all: ReadonlyArray<Query.Query> = filters
  const other = all.find((one) => !Query.isFilter(one))
  if (other !== undefined) throw invalidQuery(`${word.trim()} joins filters alone, and ${other._tag} is none`)
  return join(
    filters.map((filter) => compile(database, collection, filter)),
    word
  )
}

/** A filter of a list as SQL. */
export const condition = (database: string, collection: Collection, filter: Query.Filter): Condition => {
  checkLength(filter)
  return compile(database, collection, filter)
}

const compile = (database: string, collection: Collection, filter: Query.Filter): Condition => {
  if (filter._tag === "And") return nested(database, collection, filter.filters, " and ")
  if (filter._tag === "Or") return nested(database, collection, filter.filters, " or ")
  const { attribute: key } = filter
  checkKey(collection, key)
  switch (filter._tag) {
    case "IsNull":
      return { sql: `${comparable(collection, key)} is null`, parameters: [] }
    case "IsNotNull":
      return { sql: `${comparable(collection, key)} is not null`, parameters: [] }
    case "Equal":
      return among(collection, filter)
    case "Between":
    case "NotBetween": {
      const parameters = [filter.from, filter.to].map((value) => comparisonCell(collection, key, value))
      const range = { sql: `${comparable(collection, key)} between ? and ?`, parameters }
      return filter._tag === "Between" ? range : negated(range)
    }
    case "StartsWith":
    case "NotStartsWith":
    case "EndsWith":
    case "NotEndsWith": {
      if (typeof filter.value !== "string") throw invalidQuery(`${key} holds text, and not ${String(filter.value)}`)
      const test = {
        sql: `${textTests[filter._tag]}(${textColumn(collection, key)}, ?)`,
        parameters: [fold(filter.value)]
      }
      return filter._tag.startsWith("Not") ? negated(test) : test
    }
    case "Contains":
      return containing(collection, key, filter.values, " or ")
    case "NotContains":
      return negated(containing(collection, key, filter.values, " or "))
    case "ContainsAll":
      return containing(collection, key, filter.values, " and ")
    case "Search":
      return searching(database, collection, key, filter.value)
    case "NotSearch":
      return negated(searching(database, collection, key, filter.value))
    default:
      return {
        sql: `${comparable(collection, key)} ${operators[filter._tag]} ?`,
        parameters: [comparisonCell(collection, key, filter.value)]
      }
  }
}
