/** Indexes of a collection: what may be indexed, SQLite's indexes, the sort keys that they need. */
import * as Attribute from "../../../Attribute.ts"
import { type Collection, sameKey } from "../../../Collection.ts"
import { DuplicateValues, LimitExceeded } from "../../../DatabasesError.ts"
import type * as Index from "../../../Index.ts"
import type { Of } from "../../../Operation.ts"
import * as RowWidth from "../../../internal/RowWidth.ts"
import { quote, type Sqlite } from "../../vendors/Sqlite.ts"
import { comparable, hasSortKey, indexName, isText, sortKeyColumn, tableOf } from "./Columns.ts"
import * as Fulltext from "./Fulltext.ts"
import { alreadyExists, checkId, invalidArgument, notFound, Refusal } from "./Refusal.ts"
import type { Engine } from "./Engine.ts"

/** What the server allows. */
const limits = { indexes: 64, indexLength: 768, namedDuplicates: 10 } as const

/** Text attributes of `index` that no index of `indexes` has named so far. */
const newlyIndexed = (collection: Collection, index: Index.Index, indexes: ReadonlyArray<Index.Index>) =>
  index.kind === "fulltext"
    ? []
    : collection.attributes.filter(
        (attribute) => isText(attribute) && index.attributes.includes(attribute.key) && !hasSortKey(indexes, attribute)
      )

const indexable: ReadonlySet<string> = new Set(["$id", "$createdAt", "$updatedAt"])

/** Characters of a text that an index holds; other kinds count for nothing. */
const indexedLength = (attribute: Attribute.Attribute, length: number): number => {
  if (attribute.array || !Attribute.textKinds.has(attribute.kind)) return 0
  return length > 0 ? length : RowWidth.textSize(attribute)
}

const checkIndexed = (collection: Collection, index: Index.Index, key: string, length: number): number => {
  const refuse = (detail: string, type = "column_index_invalid") => invalidArgument(index.key, detail, type)
  if (length < 0) throw refuse(`the length ${length} of ${key} is negative`)
  if (indexable.has(key)) return 0
  if (key.startsWith("$")) throw refuse(`${key} can't be indexed`, "general_argument_invalid")
  const attribute = collection.attributes.find((one) => one.key === key)
  if (attribute === undefined) throw refuse(`there is no attribute ${JSON.stringify(key)}`, "column_unknown")
  if (attribute.array) throw refuse(`${key} is an array, which can't be indexed`, "index_invalid")
  const isWords = Attribute.textKinds.has(attribute.kind)
  if (index.kind === "fulltext" && !isWords) throw refuse(`${key} holds no text, which a fulltext index needs`)
  if (length > 0 && !isWords) throw refuse(`${key} holds no text: a length makes no sense`)
  if (length > 0 && length > RowWidth.textSize(attribute)) {
    throw refuse(`the length ${length} is above the size of ${key}, ${RowWidth.textSize(attribute)}`)
  }
  return indexedLength(attribute, length)
}

export const check = (collection: Collection, index: Index.Index): void => {
  const refuse = (detail: string) => invalidArgument(index.key, detail, "column_index_invalid")
  if (index.attributes.length === 0) throw refuse("an index needs at least one attribute")
  if (index.lengths.length > index.attributes.length) throw refuse("it has more lengths than attributes")
  if (new Set(index.attributes).size < index.attributes.length) throw refuse("an attribute stands in it twice")
  const length = index.attributes.reduce(
    (sum, key, position) => sum + checkIndexed(collection, index, key, index.lengths[position] ?? 0),
    0
  )
  if (index.kind !== "fulltext" && length > limits.indexLength) {
    throw refuse(
      `its texts have ${length} characters in all, at most ${limits.indexLength} can be indexed. Give lengths, or smaller attributes`
    )
  }
}

/** Ids of documents that would break a unique index; those with a null in it never do. */
const duplicates = (sqlite: Sqlite, table: string, columns: ReadonlyArray<string>): ReadonlyArray<string> => {
  const all = columns.join(", ")
  const filled = columns.map((column) => `${column} is not null`).join(" and ")
  return sqlite
    .all(
      `select "$id" from ${table} where (${all}) in (select ${all} from ${table} where ${filled} group by ${all} having count(*) > 1) order by ${all}, "$sequence" limit ${limits.namedDuplicates}`
    )
    .map(([id]) => String(id))
}

export const add = (engine: Engine, database: string, collection: Collection, index: Index.Index): Collection => {
  const { sqlite } = engine
  checkId("key", index.key)
  if (collection.indexes.some((other) => sameKey(other.key, index.key))) throw alreadyExists("index", index.key)
  check(collection, index)
  if (collection.indexes.length >= limits.indexes) {
    throw new Refusal(
      new LimitExceeded({
        type: "column_index_limit_exceeded",
        detail: `a collection has at most ${limits.indexes} indexes. Delete one first`
      })
    )
  }
  const table = tableOf(database, collection.$id)
  for (const { key } of newlyIndexed(collection, index, collection.indexes)) {
    sqlite.run(`alter table ${table} add column ${sortKeyColumn(key)} text`)
    sqlite.run(`update ${table} set ${sortKeyColumn(key)} = sort_key(${quote(key)})`)
  }
  const changed = { ...collection, indexes: [...collection.indexes, index] }
  if (index.kind === "fulltext") {
    Fulltext.create(sqlite, database, collection.$id, index)
    return changed
  }
  const columns = index.attributes.map((key, position) => {
    const column = comparable(changed, key)
    const length = index.lengths[position] ?? 0
    return length > 0 && index.kind === "unique" ? `substr(${column}, 1, ${length})` : column
  })
  if (index.kind === "unique") {
    const documents = duplicates(sqlite, table, columns)
    if (documents.length > 0) {
      throw new Refusal(new DuplicateValues({ type: "column_index_invalid", index: index.key, documents }))
    }
  }
  const directed = columns.map((column, position) => `${column} ${index.orders[position] ?? "asc"}`)
  const unique = index.kind === "unique" ? "unique " : ""
  sqlite.run(
    `create ${unique}index ${indexName(database, collection.$id, index.key)} on ${table} (${directed.join(", ")})`
  )
  return changed
}

export const drop = ({ sqlite }: Engine, database: string, collection: Collection, index: Index.Index): Collection => {
  const indexes = collection.indexes.filter((other) => other.key !== index.key)
  if (index.kind === "fulltext") {
    Fulltext.drop(sqlite, database, collection.$id, index)
    return { ...collection, indexes }
  }
  sqlite.run(`drop index ${indexName(database, collection.$id, index.key)}`)
  for (const { key } of newlyIndexed(collection, index, indexes)) {
    sqlite.run(`alter table ${tableOf(database, collection.$id)} drop column ${sortKeyColumn(key)}`)
  }
  return { ...collection, indexes }
}

export const create = (engine: Engine, operation: Of<"CreateIndex">): Index.Index => {
  const collection = engine.catalog.collection(operation.database, operation.collection)
  const changed = add(engine, operation.database, collection, operation.index)
  engine.catalog.putCollection(operation.database, changed, "replace")
  return operation.index
}

export const remove = (engine: Engine, operation: Of<"DeleteIndex">): void => {
  const collection = engine.catalog.collection(operation.database, operation.collection)
  const index = collection.indexes.find((one) => sameKey(one.key, operation.key))
  if (index === undefined) throw notFound("index", operation.key)
  engine.catalog.putCollection(operation.database, drop(engine, operation.database, collection, index), "replace")
}
