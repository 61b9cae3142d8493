/** Operations on the schema: the catalog's records and SQLite's tables, columns and indexes, changed together. */
import * as Result from "effect/Result"
import * as Attribute from "../../../Attribute.ts"
import { codePoints } from "../../../internal/CodePoints.ts"
import { attributeOf, type Collection, type Database, sameKey } from "../../../Collection.ts"
import { AlreadyExists, LimitExceeded } from "../../../DatabasesError.ts"
import { formatDateTime } from "../../../internal/DateTimeText.ts"
import * as RowWidth from "../../../internal/RowWidth.ts"
import * as Index from "../../../Index.ts"
import type { Of } from "../../../Operation.ts"
import * as Permission from "../../../Permission.ts"
import { quote } from "../../vendors/Sqlite.ts"
import { columnDefinition, hasSortKey, indexName, sortKeyColumn, tableOf } from "./Columns.ts"
import type { Engine } from "./Engine.ts"
import * as Indexes from "./Indexes.ts"
import { alreadyExists, checkId, checkName, invalidArgument, notFound, Refusal } from "./Refusal.ts"

/** What the server allows. */
const limits = { attributes: 1017 } as const

const permissionsOf = (permissions: ReadonlyArray<string>): ReadonlyArray<string> =>
  Result.getOrThrowWith(Permission.normalize(permissions, "collection"), (detail) =>
    invalidArgument("permissions", detail)
  )

export const createDatabase = ({ catalog, now }: Engine, operation: Of<"CreateDatabase">): Database => {
  checkId("database", operation.database)
  checkName(operation.name)
  const at = formatDateTime(now)
  const record = {
    $id: operation.database,
    $createdAt: at,
    $updatedAt: at,
    name: operation.name,
    enabled: operation.enabled
  }
  catalog.putDatabase(record, "create")
  return record
}

export const updateDatabase = ({ catalog, now }: Engine, operation: Of<"UpdateDatabase">): Database => {
  const current = catalog.database(operation.database)
  const record = {
    ...current,
    name: operation.name ?? current.name,
    enabled: operation.enabled ?? current.enabled,
    $updatedAt: formatDateTime(now)
  }
  checkName(record.name)
  if (record.name === current.name && record.enabled === current.enabled) return current
  catalog.putDatabase(record, "replace")
  return record
}

export const deleteDatabase = (engine: Engine, operation: Of<"DeleteDatabase">): void => {
  const { $id } = engine.catalog.database(operation.database)
  for (const collection of engine.catalog.collections($id)) dropTable(engine, $id, collection)
  engine.catalog.removeDatabase($id)
}

export const createCollection = (engine: Engine, operation: Of<"CreateCollection">): Collection => {
  const { catalog, now, sqlite } = engine
  const database = catalog.database(operation.database).$id
  checkId("collection", operation.collection)
  checkName(operation.name)
  const at = formatDateTime(now)
  const record: Collection = {
    $id: operation.collection,
    $createdAt: at,
    $updatedAt: at,
    $permissions: permissionsOf(operation.permissions),
    name: operation.name,
    enabled: operation.enabled,
    documentSecurity: operation.documentSecurity,
    attributes: [],
    indexes: []
  }
  catalog.putCollection(database, record, "create")
  const table = tableOf(database, record.$id)
  sqlite.run(
    `create table ${table} ("$sequence" integer primary key autoincrement, "$id" text not null, "$createdAt" text not null, "$updatedAt" text not null, "$permissions" text not null)`
  )
  sqlite.run(`create unique index ${indexName(database, record.$id, "$id")} on ${table} (upper("$id"))`)
  let collection = record
  try {
    for (const attribute of operation.attributes) collection = addAttribute(engine, database, collection, attribute)
    for (const index of operation.indexes) collection = Indexes.add(engine, database, collection, index)
  } catch (error) {
    throw inline(error, operation)
  }
  catalog.putCollection(database, collection, "replace")
  return collection
}

/** The server calls what is wrong with an inline definition by other names than when it comes alone. */
const inline = (error: unknown, { attributes }: Of<"CreateCollection">): unknown => {
  if (!(error instanceof Refusal)) return error
  const { reason } = error
  if (reason._tag === "AlreadyExists" && reason.resource === "attribute") {
    return attributes.filter(({ key }) => key === reason.id).length > 1
      ? invalidArgument("attributes", `the key ${JSON.stringify(reason.id)} stands there twice`)
      : new Refusal(new AlreadyExists({ type: "table_already_exists", resource: "attribute", id: reason.id }))
  }
  if (reason._tag === "LimitExceeded")
    return new Refusal(new LimitExceeded({ type: "table_limit_exceeded", detail: reason.detail }))
  if (reason._tag !== "InvalidArgument") return error
  const { argument, detail, type } = reason
  if (type === "column_unknown") return invalidArgument(argument, detail, "column_index_invalid")
  return type === "column_value_invalid" || type === "column_default_unsupported"
    ? invalidArgument(argument, detail)
    : error
}

export const updateCollection = ({ catalog, now }: Engine, operation: Of<"UpdateCollection">): Collection => {
  const current = catalog.collection(operation.database, operation.collection)
  const record = {
    ...current,
    name: operation.name ?? current.name,
    $permissions: operation.permissions === undefined ? current.$permissions : permissionsOf(operation.permissions),
    documentSecurity: operation.documentSecurity ?? current.documentSecurity,
    enabled: operation.enabled ?? current.enabled,
    $updatedAt: formatDateTime(now)
  }
  checkName(record.name)
  catalog.putCollection(operation.database, record, "replace")
  return record
}

export const deleteCollection = (engine: Engine, operation: Of<"DeleteCollection">): void => {
  const { catalog } = engine
  const database = catalog.database(operation.database).$id
  const collection = catalog.collection(database, operation.collection)
  dropTable(engine, database, collection)
  catalog.removeCollection(database, collection.$id)
}

/** The table, and the full-text tables beside it; its triggers go with it. */
const dropTable = ({ sqlite }: Engine, database: string, collection: Collection): void => {
  sqlite.run(`drop table ${tableOf(database, collection.$id)}`)
  for (const { key, kind } of collection.indexes) {
    if (kind === "fulltext") sqlite.run(`drop table ${indexName(database, collection.$id, key)}`)
  }
}

const checkDefinition = (attribute: Attribute.Attribute, options?: { readonly isUpdate: boolean }): void => {
  const problem = Attribute.problem(attribute, options)
  if (problem !== undefined) throw invalidArgument(attribute.key, problem.detail, problem.type)
}

/** Refuses more attributes, or wider ones, than a row has room for. */
const checkRoom = (attributes: ReadonlyArray<Attribute.Attribute>): void => {
  const width = RowWidth.total(attributes)
  if (attributes.length <= limits.attributes && width <= RowWidth.limit) return
  throw new Refusal(
    new LimitExceeded({
      type: "column_limit_exceeded",
      detail: `a collection has at most ${limits.attributes} attributes in ${RowWidth.limit} bytes of a row; these ${attributes.length} take ${width}. Make texts smaller, or put some attributes in a collection of their own`
    })
  )
}

const addAttribute = (
  { sqlite }: Engine,
  database: string,
  collection: Collection,
  attribute: Attribute.Attribute
): Collection => {
  checkId("key", attribute.key)
  checkDefinition(attribute)
  if (attributeOf(collection, attribute.key) !== undefined) throw alreadyExists("attribute", attribute.key)
  checkRoom([...collection.attributes, attribute])
  sqlite.run(`alter table ${tableOf(database, collection.$id)} add column ${columnDefinition(attribute)}`)
  return { ...collection, attributes: [...collection.attributes, attribute] }
}

export const createAttribute = (engine: Engine, operation: Of<"CreateAttribute">): Attribute.Attribute => {
  const collection = engine.catalog.collection(operation.database, operation.collection)
  const changed = addAttribute(engine, operation.database, collection, operation.attribute)
  engine.catalog.putCollection(operation.database, changed, "replace")
  return operation.attribute
}

const attributeIn = (collection: Collection, key: string): Attribute.Attribute => {
  const attribute = attributeOf(collection, key)
  if (attribute === undefined) throw notFound("attribute", key)
  return attribute
}

/** Refuses a size below what is stored. */
const checkResize = (
  { sqlite }: Engine,
  database: string,
  collection: Collection,
  current: Attribute.Attribute,
  size: number
): void => {
  const column = quote(current.key)
  const longest = current.array
    ? Math.max(
        0,
        ...sqlite
          .all(`select ${column} from ${tableOf(database, collection.$id)} where ${column} is not null`)
          .flatMap(([cell]) => JSON.parse(String(cell)) as ReadonlyArray<string | null>)
          .map((element) => codePoints(element ?? ""))
      )
    : Number(sqlite.first(`select max(code_points(${column})) from ${tableOf(database, collection.$id)}`)?.[0])
  if (longest > size) {
    throw invalidArgument(
      current.key,
      `size ${size} is below the longest value, which has ${longest} characters. Shorten the values first`,
      "column_invalid_resize"
    )
  }
}

export const updateAttribute = (engine: Engine, operation: Of<"UpdateAttribute">): Attribute.Attribute => {
  const collection = engine.catalog.collection(operation.database, operation.collection)
  const current = attributeIn(collection, operation.attribute.key)
  const attribute = { ...operation.attribute, key: current.key }
  if (attribute.kind !== current.kind || attribute.array !== current.array) {
    throw invalidArgument(
      attribute.key,
      `kind and array can't be changed (it is ${current.array ? "an array of " : ""}${current.kind}). Create another attribute, fill it, delete this one, rename`
    )
  }
  checkDefinition(attribute, { isUpdate: true })
  if (attribute.kind === "enum" && attribute.elements.length === 0) {
    throw invalidArgument(attribute.key, "an enum needs at least one element", "column_value_invalid")
  }
  const attributes = collection.attributes.map((one) => (one.key === current.key ? attribute : one))
  checkRoom(attributes)
  for (const index of collection.indexes) Indexes.check({ ...collection, attributes }, index)
  if ("size" in attribute && "size" in current && attribute.size < current.size) {
    checkResize(engine, operation.database, collection, current, attribute.size)
  }
  replaceAttribute(engine, operation.database, collection, current.key, attribute)
  return attribute
}

const replaceAttribute = (
  { catalog }: Engine,
  database: string,
  collection: Collection,
  key: string,
  attribute: Attribute.Attribute
): void => {
  const named = (one: string) => (one === key ? attribute.key : one)
  catalog.putCollection(
    database,
    {
      ...collection,
      attributes: collection.attributes.map((one) => (one.key === key ? attribute : one)),
      indexes: collection.indexes.map((index) => ({ ...index, attributes: index.attributes.map(named) }))
    },
    "replace"
  )
}

export const renameAttribute = (engine: Engine, operation: Of<"RenameAttribute">): Attribute.Attribute => {
  const collection = engine.catalog.collection(operation.database, operation.collection)
  const current = attributeIn(collection, operation.key)
  checkId("key", operation.newKey)
  if (!sameKey(current.key, operation.newKey) && attributeOf(collection, operation.newKey) !== undefined) {
    throw alreadyExists("attribute", operation.newKey)
  }
  const table = tableOf(operation.database, collection.$id)
  const renamed = { ...current, key: operation.newKey }
  if (renamed.key !== current.key) {
    engine.sqlite.run(`alter table ${table} rename column ${quote(current.key)} to ${quote(renamed.key)}`)
    if (hasSortKey(collection.indexes, current)) {
      engine.sqlite.run(
        `alter table ${table} rename column ${sortKeyColumn(current.key)} to ${sortKeyColumn(renamed.key)}`
      )
    }
  }
  replaceAttribute(engine, operation.database, collection, current.key, renamed)
  return renamed
}

export const deleteAttribute = (engine: Engine, operation: Of<"DeleteAttribute">): void => {
  const { catalog, sqlite } = engine
  let collection = catalog.collection(operation.database, operation.collection)
  const { key } = attributeIn(collection, operation.key)
  const places = collection.indexes.map((index) => index.key)
  for (const index of collection.indexes.filter(({ attributes }) => attributes.includes(key))) {
    collection = Indexes.drop(engine, operation.database, collection, index)
    const rest = Index.without(index, key)
    if (rest === undefined || collection.indexes.some((other) => Index.equivalent(other, rest))) continue
    collection = Indexes.add(engine, operation.database, collection, rest)
  }
  // Those made anew keep their places among the others.
  const indexes = collection.indexes.toSorted((left, right) => places.indexOf(left.key) - places.indexOf(right.key))
  sqlite.run(`alter table ${tableOf(operation.database, collection.$id)} drop column ${quote(key)}`)
  const attributes = collection.attributes.filter((attribute) => attribute.key !== key)
  catalog.putCollection(operation.database, { ...collection, attributes, indexes }, "replace")
}
