/**
 * How a collection lies in SQLite: a table named `database/collection`, a column for each attribute under its key, so
 * that any tool can read it. SQLite compares bytes; beside an indexed text stands its sort key (`~key`), which
 * compares as the server does.
 */
import { type Attribute, textKinds, type Value } from "../../../Attribute.ts"
import { codePoints } from "../../../internal/CodePoints.ts"
import type { Collection } from "../../../Collection.ts"
import { sortKey } from "../../../Collation.ts"
import { attributeOf } from "../../../Collection.ts"
import type { Document } from "../../../Document.ts"
import type { Index } from "../../../Index.ts"
import * as ExactJson from "../../../internal/ExactJson.ts"
import { type Cell, type Parameter, quote, type Row, type Sqlite } from "../../vendors/Sqlite.ts"

export const systemColumns = ["$id", "$sequence", "$createdAt", "$updatedAt", "$permissions"] as const

/** SQLite keeps names that begin like this for itself; no id begins with a sign. */
const unreserved = (name: string): string => (/^sqlite_/i.test(name) ? `_${name}` : name)

export const tableOf = (database: string, collection: string): string => quote(unreserved(`${database}/${collection}`))
export const indexName = (database: string, collection: string, index: string): string =>
  quote(unreserved(`${database}/${collection}/${index}`))
export const sortKeyColumn = (key: string): string => quote(`~${key}`)

/** As SQLite's own `upper`, in which ids are compared: ASCII letters alone. */
export const upper = (id: string): string => id.replaceAll(/[a-z]+/g, (letters) => letters.toUpperCase())

/** Functions that statements call. */
export const defineFunctions = (sqlite: Sqlite): void => {
  sqlite.define("sort_key", sortKey)
  sqlite.define("code_points", codePoints)
}

const types = {
  string: "text",
  varchar: "text",
  text: "text",
  mediumtext: "text",
  longtext: "text",
  email: "text",
  url: "text",
  ip: "text",
  enum: "text",
  integer: "integer",
  bigint: "integer",
  float: "real",
  boolean: "integer",
  datetime: "text"
} as const satisfies Record<Attribute["kind"], string>

export const columnDefinition = (attribute: Attribute): string =>
  `${quote(attribute.key)} ${attribute.array ? "text" : types[attribute.kind]}`

/** Kinds whose values compare under the collation. */
export const isText = (attribute: Attribute): boolean => !attribute.array && textKinds.has(attribute.kind)

/** Whether some index needs the attribute's sort key beside it. */
export const hasSortKey = (indexes: ReadonlyArray<Index>, attribute: Attribute): boolean =>
  isText(attribute) && indexes.some((index) => index.kind !== "fulltext" && index.attributes.includes(attribute.key))

/** What stands for an attribute (or `$id` …) where values are compared: in filters, orders, indexes. */
export const comparable = (collection: Collection, key: string): string => {
  if (key === "$id") return 'upper("$id")'
  const attribute = attributeOf(collection, key)
  if (attribute === undefined || !isText(attribute)) return quote(key)
  return hasSortKey(collection.indexes, attribute) ? sortKeyColumn(key) : `sort_key(${quote(key)})`
}

/** A value of an attribute as SQLite keeps it. */
export const toCell = (attribute: Attribute, value: Value | undefined): Parameter => {
  if (value === undefined || value === null) return null
  if (attribute.array) return ExactJson.stringify(value)
  if (typeof value === "boolean") return value ? 1 : 0
  // A whole double beyond 2^53 may come as a bigint, out of JSON.
  return attribute.kind === "float" ? Number(value) : (value as string | number | bigint)
}

/**
 * May hold whole numbers beyond 2^53, which SQLite's driver gives as text here: also an integer of 32 bits, whose
 * bounds may have been narrowed over wider values.
 */
const isLong = (attribute: Attribute): boolean =>
  !attribute.array && (attribute.kind === "bigint" || attribute.kind === "integer")

const fromCell = (attribute: Attribute, cell: Cell): Value => {
  if (attribute.array) {
    if (cell === null) return []
    const parse = attribute.kind === "float" ? JSON.parse : ExactJson.parse
    return parse(String(cell)) as Value
  }
  if (cell === null) return null
  if (attribute.kind === "boolean") return cell === 1
  return isLong(attribute) && typeof cell === "string" ? BigInt(cell) : (cell as string | number)
}

/** As it is where a double holds it, as text beyond: no number is rounded on its way. */
const readable = (attribute: Attribute): string => {
  const column = quote(attribute.key)
  return isLong(attribute)
    ? `case when ${column} not between ${Number.MIN_SAFE_INTEGER} and ${Number.MAX_SAFE_INTEGER} then cast(${column} as text) else ${column} end`
    : column
}

const selections = new WeakMap<Collection, string>()
/** Columns of a document, in the order that `toDocument` reads. */
export const selection = (collection: Collection): string => {
  const known = selections.get(collection)
  if (known !== undefined) return known
  const text = [...systemColumns.map(quote), ...collection.attributes.map(readable)].join(", ")
  selections.set(collection, text)
  return text
}

/** A row of `selection` as a document. */
export const toDocument = (collection: Collection, row: Row): Document => {
  const document: Record<string, Value> & { $id: string } = {
    $id: row[0] as string,
    $sequence: String(row[1]),
    $createdAt: row[2] as string,
    $updatedAt: row[3] as string,
    $permissions: row[4] === "[]" ? [] : (JSON.parse(row[4] as string) as ReadonlyArray<string>)
  }
  const { attributes } = collection
  for (let index = 0; index < attributes.length; index++) {
    const attribute = attributes[index]!
    document[attribute.key] = fromCell(attribute, row[index + systemColumns.length]!)
  }
  return document as Document
}

interface AttributeColumn {
  readonly attribute: Attribute
  readonly column: string
  /** Beside it, where an index needs it. */
  readonly sortKey: string | undefined
}
/** By record, of which each version of a collection is one: worked out once for all its documents. */
const attributeColumns = new WeakMap<Collection, ReadonlyArray<AttributeColumn>>()
const attributeColumnsOf = (collection: Collection): ReadonlyArray<AttributeColumn> => {
  const known = attributeColumns.get(collection)
  if (known !== undefined) return known
  const columns = collection.attributes.map((attribute) => ({
    attribute,
    column: quote(attribute.key),
    sortKey: hasSortKey(collection.indexes, attribute) ? sortKeyColumn(attribute.key) : undefined
  }))
  attributeColumns.set(collection, columns)
  return columns
}

const sortKeyCell = (value: Value | undefined): Parameter => (typeof value === "string" ? sortKey(value) : null)

/** The columns that a write of these attributes sets, sort keys included, each with its cell. */
export const cellsOf = (
  collection: Collection,
  values: { readonly [key: string]: Value }
): ReadonlyArray<readonly [column: string, cell: Parameter]> => {
  const cells: Array<readonly [string, Parameter]> = []
  for (const { attribute, column, sortKey } of attributeColumnsOf(collection)) {
    if (!Object.hasOwn(values, attribute.key)) continue
    const value = values[attribute.key]!
    cells.push([column, toCell(attribute, value)])
    if (sortKey !== undefined) cells.push([sortKey, sortKeyCell(value)])
  }
  return cells
}

const inserts = new WeakMap<Collection, string>()
/** A new document with all its columns: one text for a collection. `insertCells` gives its cells. */
export const insertStatement = (table: string, collection: Collection): string => {
  const known = inserts.get(collection)
  if (known !== undefined) return known
  const own = attributeColumnsOf(collection).flatMap(({ column, sortKey }) =>
    sortKey === undefined ? [column] : [column, sortKey]
  )
  const columns = ['"$id"', '"$createdAt"', '"$updatedAt"', '"$permissions"', ...own]
  const statement = `insert into ${table} (${columns.join(", ")}) values (${columns.map(() => "?").join(", ")})`
  inserts.set(collection, statement)
  return statement
}
/** Cells of all attributes, null for those that `values` leaves out, behind `system`. */
export const insertCells = (
  collection: Collection,
  system: ReadonlyArray<Parameter>,
  values: { readonly [key: string]: Value }
): ReadonlyArray<Parameter> => {
  const cells = [...system]
  for (const { attribute, sortKey } of attributeColumnsOf(collection)) {
    const value = Object.hasOwn(values, attribute.key) ? values[attribute.key] : null
    cells.push(toCell(attribute, value))
    if (sortKey !== undefined) cells.push(sortKeyCell(value))
  }
  return cells
}
