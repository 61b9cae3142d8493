/** Lists: queries into one SELECT, under the server's rules for order, cursors and selections. */
import type { Caller } from "../../../Caller.ts"
import type { Collection } from "../../../Collection.ts"
import type { Document } from "../../../Document.ts"
import * as Query from "../../../Query.ts"
import { quote, type Sqlite } from "../../vendors/Sqlite.ts"
import type { Shape } from "../../vendors/JsonLists.ts"
import * as Access from "./Access.ts"
import { comparable, selection, systemColumns, tableOf, toDocument, upper } from "./Columns.ts"
import { checkKey, condition, type Condition } from "./Conditions.ts"
import * as JsonRows from "./JsonRows.ts"
import { invalidQuery, isId } from "./Refusal.ts"

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
  if (typeof cursor.document !== "string" || !isId(cursor.document)) {
    throw invalidQuery(`the cursor ${JSON.stringify(cursor.document)} is no id`)
  }
  const row = sqlite.firstExact(
    `select ${order.map((column) => column.sql).join(", ")} from ${table} where upper("$id") = ?`,
    upper(cursor.document)
  )
  if (row === undefined) {
    throw invalidQuery(`the cursor ${JSON.stringify(cursor.document)} is no document here`, "general_cursor_not_found")
  }
  const alternatives: Array<string> = []
  // Implied by the alternatives; said for SQLite, which finds its place in an index by it.
  const lead: Array<string> = []
  const parameters: Array<Condition["parameters"][number]> = []
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
    if (position === 0) lead.push(`${column.sql} ${forward ? "<=" : ">="} ?`)
    alternatives.push([...same, `${column.sql} ${forward ? "<" : ">"} ?`].join(" and "))
    parameters.push(...row.slice(0, position + 1))
  }
  const any = alternatives.map((one) => `(${one})`).join(" or ")
  return { sql: `${lead[0]!} and (${any})`, parameters: [row[0]!, ...parameters] }
}

const where = (conditions: ReadonlyArray<Condition>): string =>
  conditions.length === 0 ? "" : ` where ${conditions.map(({ sql }) => sql).join(" and ")}`

/** Where a list is read. */
export interface Place {
  readonly sqlite: Sqlite
  readonly database: string
  readonly collection: Collection
  readonly caller: Caller
}

const readable = ({ caller, collection }: Place): ReadonlyArray<Condition> => {
  const roles = Access.listable(caller, collection)
  return roles === "all" ? [] : [{ sql: `may_read("$permissions", ?)`, parameters: [roles.join("\n")] }]
}

const checkCount = (name: string, count: number, least: number): void => {
  if (!Number.isSafeInteger(count) || count < least) {
    throw invalidQuery(`${name} must be a whole number from ${least} on, got ${count}`)
  }
}
export const checkQueries = (queries: ReadonlyArray<Query.Query>): void => {
  if (queries.length > Query.limits.queries) {
    const detail = `at most ${Query.limits.queries} queries in a list, got ${queries.length}`
    throw invalidQuery(detail, "general_argument_invalid")
  }
}

const systemKeys: ReadonlySet<string> = new Set(systemColumns)

/** Keys that a selection leaves, besides the system's; undefined: all. */
const chosen = (collection: Collection, select: ReadonlyArray<string> | undefined): ReadonlySet<string> | undefined => {
  if (select === undefined) return undefined
  if (select.length === 0) throw invalidQuery("select names no attribute")
  for (const key of select) if (key !== "*" && !systemKeys.has(key)) checkKey(collection, key)
  return select.includes("*") ? undefined : new Set(select)
}

/** What a selection leaves of a document: the system's part stays. */
export const selector = (
  collection: Collection,
  select: ReadonlyArray<string> | undefined
): ((document: Document) => Document) => {
  const keys = chosen(collection, select)
  if (keys === undefined) return (document) => document
  return (document) =>
    Object.fromEntries(Object.entries(document).filter(([key]) => systemKeys.has(key) || keys.has(key))) as Document
}

/** SQLite binds no more in one statement. */
const mostParameters = 32_766

/** The statement of a list, for its rows or for looking at how SQLite goes about it. */
const statement = (place: Place, { cursor, filters, isRandom, limit, offset, orders }: Query.Parts) => {
  checkCount("limit", limit, 1)
  checkCount("offset", offset, 0)
  const { collection, database, sqlite } = place
  const table = tableOf(database, collection.$id)
  const conditions = [...readable(place), ...filters.map((filter) => condition(database, collection, filter))]
  const order = orderColumns(collection, orders)
  const backwards = cursor?._tag === "CursorBefore"
  const page = cursor === undefined ? conditions : [...conditions, beyond(sqlite, table, order, cursor)]
  const direction = isRandom
    ? "random()"
    : order.map((column) => `${column.sql} ${column.descending === backwards ? "asc" : "desc"}`).join(", ")
  const parameters = [...page.flatMap((one) => one.parameters), limit, offset]
  if (parameters.length > mostParameters) {
    throw invalidQuery(`the queries of a list hold at most ${mostParameters} values together, got ${parameters.length}`)
  }
  return {
    table,
    conditions,
    backwards,
    rows: `from ${table}${where(page)} order by ${direction} limit ? offset ?`,
    parameters
  }
}

export interface List {
  readonly total: number
  readonly documents: ReadonlyArray<Document>
}

/** Runs a list. */
export const list = (place: Place, queries: ReadonlyArray<Query.Query>, withTotal: boolean): List => {
  checkQueries(queries)
  const { collection, sqlite } = place
  const parts = Query.parts(queries)
  const selected = selector(collection, parts.select)
  const { backwards, conditions, parameters, rows, table } = statement(place, parts)
  const documents = sqlite
    .all(`select ${selection(collection)} ${rows}`, ...parameters)
    .map((row) => selected(toDocument(collection, row)))
  if (backwards) documents.reverse()
  return { total: withTotal ? count(sqlite, table, conditions) : 0, documents }
}

/** Runs a list, answered as JSON. */
export const listJson = (
  place: Place,
  queries: ReadonlyArray<Query.Query>,
  withTotal: boolean,
  { constants, name }: Shape
): Uint8Array => {
  checkQueries(queries)
  const { collection, sqlite } = place
  const parts = Query.parts(queries)
  const keys = chosen(collection, parts.select)
  const { backwards, conditions, parameters, rows, table } = statement(place, parts)
  const row = JsonRows.expression(collection, (key) => keys?.has(key) ?? true, constants)
  const total = withTotal ? count(sqlite, table, conditions) : 0
  const head = `{"total":${total},${JSON.stringify(name)}:[`
  if (backwards) {
    const parts = sqlite.all(`select cast(${row} as blob) ${rows}`, ...parameters).map(([part]) => part as Uint8Array)
    // Memory of its own, not of the pool: whoever sends it may give it back.
    const bytes = new Uint8Array(Buffer.concat([Buffer.from(head), ...parts.toReversed(), Buffer.from("]}")]))
    return withoutFirstComma(bytes, head)
  }
  // One text from the first bracket to the last: what is put around it later is a copy of the whole.
  const bytes = sqlite.first(
    `select cast(group_concat(part, '') as blob) from (select ? as part union all select * from (select ${row} ${rows}) union all select ']}')`,
    head,
    ...parameters
  )![0] as Uint8Array
  return withoutFirstComma(bytes, head)
}

/** Each row brings a comma, the first one too. */
const withoutFirstComma = (bytes: Uint8Array, head: string): Uint8Array => {
  const position = Buffer.byteLength(head)
  return bytes[position] === 0x2c ? bytes.copyWithin(1, 0, position).subarray(1) : bytes
}

/** Ids of all that a bulk operation is about, in its order. */
export const matching = (place: Place, queries: ReadonlyArray<Query.Query>): ReadonlyArray<string> => {
  checkQueries(queries)
  const parts = Query.parts(queries)
  if (parts.cursor !== undefined) throw invalidQuery("a bulk operation takes no cursor")
  const limited = queries.some(({ _tag }) => _tag === "Limit")
  const { parameters, rows } = statement(place, limited ? parts : { ...parts, limit: Number.MAX_SAFE_INTEGER })
  return place.sqlite.all(`select ${quote("$id")} ${rows}`, ...parameters).map(([id]) => String(id))
}

const count = (sqlite: Sqlite, table: string, conditions: ReadonlyArray<Condition>): number =>
  Number(
    sqlite.first(
      `select count(*) from (select 1 from ${table}${where(conditions)} limit ${Query.limits.total})`,
      ...conditions.flatMap(({ parameters }) => parameters)
    )?.[0]
  )
