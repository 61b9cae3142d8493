/** Lists: queries into one SELECT, under the server's rules for types, null, order and cursors. */
import { sortKey } from "../../../Collation.ts"
import { attributeOf, type Collection } from "../../../Collection.ts"
import type { Document } from "../../../Document.ts"
import { normalizeDateTime } from "../../../internal/DateTimeText.ts"
import * as Query from "../../../Query.ts"
import type { Parameter, Sqlite } from "../../vendors/Sqlite.ts"
import { comparable, selection, tableOf, toDocument, upper } from "./Columns.ts"
import { invalidQuery, isId } from "./Refusal.ts"

const systemTypes: ReadonlyMap<string, "text" | "date" | "sequence"> = new Map([
  ["$id", "text"],
  ["$createdAt", "date"],
  ["$updatedAt", "date"],
  ["$sequence", "sequence"]
])

const dateCell = (key: string, value: Query.Comparable): Parameter => {
  const normal = typeof value === "string" ? normalizeDateTime(value) : undefined
  if (normal === undefined) throw invalidQuery(`${key} compares with ISO 8601 dates, got ${JSON.stringify(value)}`)
  return normal
}

/** A value to compare with, as the column's `comparable` holds it. */
const comparisonCell = (collection: Collection, key: string, value: Query.Comparable): Parameter => {
  const system = systemTypes.get(key)
  if (system === "date") return dateCell(key, value)
  if (system === "text" && typeof value === "string") return upper(value)
  if (system === "sequence" && /^\d{1,15}$/.test(String(value))) return Number(value)
  if (system !== undefined) throw invalidQuery(`${key} can't be compared with ${JSON.stringify(value)}`)
  const attribute = attributeOf(collection, key)
  if (attribute === undefined || attribute.key !== key) throw unknown(collection, key)
  if (attribute.array) throw invalidQuery(`${key} is an array: arrays take neither comparison nor equality`)
  const refused = () =>
    invalidQuery(`${key} is of kind ${attribute.kind} and can't be compared with ${JSON.stringify(value)}`)
  switch (attribute.kind) {
    case "string":
    case "enum":
      if (typeof value !== "string") throw refused()
      return sortKey(value)
    case "datetime":
      return dateCell(key, value)
    case "boolean":
      if (typeof value !== "boolean") throw refused()
      return value ? 1 : 0
    case "integer":
      if (typeof value !== "number" || !Number.isInteger(value)) throw refused()
      return value
    case "float":
      if (typeof value !== "number" || !Number.isFinite(value)) throw refused()
      return value
  }
}

const unknown = (collection: Collection, key: string) =>
  invalidQuery(
    `${JSON.stringify(key)} is no attribute (there are ${collection.attributes.map((one) => one.key).join(", ") || "none"}, $id, $createdAt, $updatedAt, $sequence)`
  )

const checkKey = (collection: Collection, key: string): void => {
  // Filters and orders want a key in its exact case.
  if (!systemTypes.has(key) && attributeOf(collection, key)?.key !== key) throw unknown(collection, key)
}

interface Condition {
  readonly sql: string
  readonly parameters: ReadonlyArray<Parameter>
}

const operators = {
  NotEqual: "<>",
  LessThan: "<",
  LessThanEqual: "<=",
  GreaterThan: ">",
  GreaterThanEqual: ">="
} as const

/** Refuses a query whose text on the wire would be longer than the server takes. */
const checkLength = (filter: Query.Filter): void => {
  const { _tag: method, ...rest } = filter
  const { length } = JSON.stringify({ method, ...rest })
  if (length > Query.limits.length) {
    throw invalidQuery(
      `a query has at most ${Query.limits.length} characters, this one on ${filter.attribute} has ${length}. Split its values over several lists`,
      "general_argument_invalid"
    )
  }
}

const condition = (collection: Collection, filter: Query.Filter): Condition => {
  checkLength(filter)
  checkKey(collection, filter.attribute)
  const column = comparable(collection, filter.attribute)
  switch (filter._tag) {
    case "IsNull":
      return { sql: `${column} is null`, parameters: [] }
    case "IsNotNull":
      return { sql: `${column} is not null`, parameters: [] }
    case "Equal": {
      if (filter.values.length === 0) throw invalidQuery(`equal on ${filter.attribute} needs a value`)
      if (filter.values.length > Query.limits.values) {
        throw invalidQuery(`equal takes at most ${Query.limits.values} values, got ${filter.values.length}`)
      }
      const cells = filter.values.map((value) => comparisonCell(collection, filter.attribute, value))
      // One parameter, however many values: SQLite counts them, and one text of a statement serves all lengths.
      return cells.length === 1
        ? { sql: `${column} = ?`, parameters: cells }
        : { sql: `${column} in (select value from json_each(?))`, parameters: [JSON.stringify(cells)] }
    }
    default:
      return {
        sql: `${column} ${operators[filter._tag]} ?`,
        parameters: [comparisonCell(collection, filter.attribute, filter.value)]
      }
  }
}

interface OrderColumn {
  readonly key: string
  readonly sql: string
  readonly descending: boolean
}

/** Orders as asked, then `$sequence` ascending, whatever the direction before it. */
const orderColumns = (collection: Collection, orders: ReadonlyArray<Query.Order>): ReadonlyArray<OrderColumn> => {
  const columns = orders.map((order) => {
    checkKey(collection, order.attribute)
    return {
      key: order.attribute,
      sql: comparable(collection, order.attribute),
      descending: order._tag === "OrderDesc"
    }
  })
  return columns.some((column) => column.key === "$sequence")
    ? columns
    : [...columns, { key: "$sequence", sql: '"$sequence"', descending: false }]
}

/** What lies strictly behind the cursor's row in the order, or before it. */
const beyond = (sqlite: Sqlite, table: string, order: ReadonlyArray<OrderColumn>, cursor: Query.Cursor): Condition => {
  if (!isId(cursor.document)) throw invalidQuery(`the cursor ${JSON.stringify(cursor.document)} is no id`)
  const row = sqlite.first(
    `select ${order.map((column) => column.sql).join(", ")} from ${table} where upper("$id") = ?`,
    upper(cursor.document)
  )
  if (row === undefined) {
    throw invalidQuery(`the cursor ${JSON.stringify(cursor.document)} is no document here`, "general_cursor_not_found")
  }
  const alternatives: Array<string> = []
  const parameters: Array<Parameter> = []
  for (const [position, column] of order.entries()) {
    const cell = row[position]!
    if (cell === null) {
      throw invalidQuery(
        `the cursor ${JSON.stringify(cursor.document)} has no value for ${column.key}, which the list is ordered by`,
        "database_query_order_null"
      )
    }
    const same = order.slice(0, position).map((earlier) => `${earlier.sql} = ?`)
    const forward = column.descending !== (cursor._tag === "CursorBefore")
    alternatives.push([...same, `${column.sql} ${forward ? "<" : ">"} ?`].join(" and "))
    parameters.push(...row.slice(0, position + 1))
  }
  return { sql: `(${alternatives.map((one) => `(${one})`).join(" or ")})`, parameters }
}

const where = (conditions: ReadonlyArray<Condition>): string =>
  conditions.length === 0 ? "" : ` where ${conditions.map(({ sql }) => sql).join(" and ")}`

export interface List {
  readonly total: number
  readonly documents: ReadonlyArray<Document>
}

/** Runs a list. */
export const list = (
  sqlite: Sqlite,
  database: string,
  collection: Collection,
  queries: ReadonlyArray<Query.Query>,
  withTotal: boolean
): List => {
  if (queries.length > Query.limits.queries) {
    throw invalidQuery(
      `at most ${Query.limits.queries} queries in a list, got ${queries.length}`,
      "general_argument_invalid"
    )
  }
  const { filters, orders, limit, cursor } = Query.parts(queries)
  if (!Number.isSafeInteger(limit) || limit < 1)
    throw invalidQuery(`limit must be a whole number from 1 on, got ${limit}`)
  const table = tableOf(database, collection.$id)
  const conditions = filters.map((filter) => condition(collection, filter))
  const order = orderColumns(collection, orders)
  const backwards = cursor?._tag === "CursorBefore"
  const page = cursor === undefined ? conditions : [...conditions, beyond(sqlite, table, order, cursor)]
  const direction = order
    .map((column) => `${column.sql} ${column.descending === backwards ? "asc" : "desc"}`)
    .join(", ")
  const rows = sqlite.all(
    `select ${selection(collection)} from ${table}${where(page)} order by ${direction} limit ?`,
    ...page.flatMap(({ parameters }) => parameters),
    limit
  )
  const documents = rows.map((row) => toDocument(collection, row))
  if (backwards) documents.reverse()
  return { total: withTotal ? count(sqlite, table, conditions) : 0, documents }
}

const count = (sqlite: Sqlite, table: string, conditions: ReadonlyArray<Condition>): number =>
  Number(
    sqlite.first(
      `select count(*) from (select 1 from ${table}${where(conditions)} limit ${Query.limits.total})`,
      ...conditions.flatMap(({ parameters }) => parameters)
    )?.[0]
  )
