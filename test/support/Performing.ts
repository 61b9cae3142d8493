/** Does generated commands on a database, each on what is there when it runs. */
import * as Effect from "effect/Effect"
import * as Attribute from "../../src/Attribute.ts"
import type { Collection } from "../../src/Collection.ts"
import * as DatabaseHash from "../../src/DatabaseHash.ts"
import type { Methods } from "../../src/Databases.ts"
import type { DatabasesError } from "../../src/DatabasesError.ts"
import type { Document } from "../../src/Document.ts"
import * as Index from "../../src/Index.ts"
import { textSize } from "../../src/internal/RowWidth.ts"
import { type Restore, Write } from "../../src/Operation.ts"
import * as Query from "../../src/Query.ts"
import {
  collectionIds,
  keys,
  documentIds,
  databaseIds,
  permissions,
  dates,
  at,
  byId,
  byKey,
  words,
  wide,
  absolute,
  makers,
  attributeFrom,
  valuesFor
} from "./CommandValues.ts"
import type { Command } from "./Commands.ts"

/** Something to begin with: a collection with an attribute of each kind, and documents. */
export const begin = (db: Methods): Effect.Effect<unknown, DatabasesError> =>
  Effect.andThen(
    db.createCollection("c", {
      attributes: [
        Attribute.string("text", { size: 16 }),
        Attribute.string("b", { size: 8, default: "s" }),
        Attribute.integer("n", { min: -30, max: 30 }),
        Attribute.float("f"),
        Attribute.enumeration("e", { elements: ["s", "ß", "Á"] }),
        Attribute.string("list", { size: 8, array: true })
      ],
      indexes: [Index.unique("u", ["text"]), Index.key("i0", ["b", "n"])]
    }),
    db.createDocuments("c", [
      { $id: "x", text: "s", n: 1, list: ["a", null] },
      { $id: "y", text: "Áa", b: "ß", f: 0.1, $permissions: ['read("any")'] },
      { $id: "z", e: "ß", $createdAt: dates[0]! }
    ])
  )

const documentsOf = (db: Methods, collection: string) =>
  Effect.map(db.listDocuments(collection, [Query.limit(100)]), ({ documents }) => byId(documents))

const restoreOf = (found: Document | undefined, command: Command, attributes: ReadonlyArray<Attribute.Attribute>) => {
  const id = found?.$id ?? "x"
  const stale = command.choices[3] % 5 === 0
  const expected = stale ? "another" : found === undefined ? null : DatabaseHash.document(found)
  const restored =
    found === undefined || command.choices[2] % 2 === 0
      ? null
      : { ...found, $updatedAt: "2001-02-03T04:05:06.789+00:00", ...textsOf(attributes, command.texts[1]!) }
  return { id, expected, document: restored } satisfies Restore
}
/** Texts that fit, for a restore checks nothing. */
const textsOf = (attributes: ReadonlyArray<Attribute.Attribute>, text: string) =>
  Object.fromEntries(
    attributes.flatMap(({ array, key, kind }) => (kind === "string" && !array ? [[key, text] as const] : []))
  )

const isText = ({ array, kind }: Attribute.Attribute) => !array && Attribute.textKinds.has(kind)

/** An index over one or two attributes: of words now and then, and by the first characters of its texts. */
const indexFrom = (attributes: ReadonlyArray<Attribute.Attribute>, { choices }: Command): Index.Index | undefined => {
  const [, second, third, fourth] = choices
  const key = `i${third % 3}`
  const texts = attributes.filter(isText)
  if (fourth % 4 === 0 && texts.length > 0) {
    const named = new Set([at(texts, second)!.key, ...(third % 3 === 0 ? [at(texts, third)!.key] : [])])
    return Index.fulltext(key, [...named])
  }
  const first = at(attributes, second)
  const other = at(attributes, third)
  if (first === undefined) return undefined
  const named = other === undefined || other.key === first.key ? [first] : [first, other]
  const isLong = named.some((one) => isText(one) && textSize(one) > 768)
  const lengths = isLong || third % 4 === 0 ? named.map((one) => (isText(one) ? 1 + (second % 8) : 0)) : []
  return (fourth % 2 === 0 ? Index.unique : Index.key)(
    key,
    named.map((one) => one.key),
    { orders: fourth % 3 === 0 ? ["desc"] : [], lengths }
  )
}

/** What a change by query is about: filters, searches, order, limit and offset, or nothing at all. */
const queriesFrom = (
  { attributes, indexes }: Collection,
  documents: ReadonlyArray<Document>,
  command: Command
): ReadonlyArray<Query.Query> => {
  const [first, second, third, fourth] = command.choices
  const attribute = at(byKey(attributes), third)
  const searched = at(
    byKey(indexes).filter(({ kind }) => kind === "fulltext"),
    third
  )
  const named = Query.equal("$id", [at(documents, second)?.$id ?? "x", at(documentIds, third)!])
  const word = at(words, first)!
  const search = searched === undefined ? named : Query.search(searched.attributes[0]!, word)
  const value = attribute === undefined ? null : (at(documents, second)?.[attribute.key] ?? null)
  const compared =
    attribute === undefined || attribute.array || value === null || typeof value === "object"
      ? named
      : Query.greaterThanEqual(attribute.key, value)
  const sort = Query.orderDesc(attribute === undefined || attribute.array ? "$id" : attribute.key)
  const choices: ReadonlyArray<ReadonlyArray<Query.Query>> = [
    [],
    [named],
    [search],
    [compared],
    [Query.or([search, named]), Query.isNotNull("$id")],
    [sort, Query.limit(1 + (second % 3)), Query.offset(third % 2)],
    [compared, sort, Query.limit(2)],
    [Query.offset(1)],
    [Query.isNotNull("$id")],
    [Query.equal("no such attribute", 1)]
  ]
  return at(choices, fourth)!
}

/** Does one command on the handle's database or another of its server. Fails as the operation does. */
export const perform = Effect.fnUntraced(function* (
  home: Methods,
  command: Command
): Effect.fn.Return<void, DatabasesError> {
  const [first, second, third, fourth] = command.choices
  switch (command.tag) {
    case "CreateDatabase":
      yield* home.createDatabase(at(databaseIds, first)!, { name: `n${second}`, enabled: third % 2 === 0 })
      return
    case "UpdateDatabase":
      yield* home.updateDatabase(at(databaseIds, first)!, { name: `n${second}` })
      return
    case "DeleteDatabase":
      yield* home.deleteDatabase(at(databaseIds, first)!)
      return
    default:
      break
  }
  const databases = byId(yield* home.listDatabases)
  const db = fourth % 5 === 0 ? home.in(at(databases, first)!.$id) : home
  if (command.tag === "CreateCollection") {
    const attributes = [0, 1, 2, 3].slice(0, third % 5).map((shift) => attributeFrom(command, shift))
    const indexed = attributes.find(({ array }) => !array)
    yield* db.createCollection(at(collectionIds, first)!, {
      name: `n${second}`,
      permissions: at(permissions, second)!,
      documentSecurity: second % 2 === 0,
      attributes,
      indexes: indexed === undefined || fourth % 2 === 0 ? [] : [Index.unique("u", [indexed.key])]
    })
    return
  }
  const collection = at(byId(yield* db.listCollections), first)
  if (collection === undefined) return
  const { $id } = collection
  const attributes = byKey(collection.attributes)
  const attribute = at(attributes, second)
  const index = at(byKey(collection.indexes), second)
  const documents = yield* documentsOf(db, $id)
  const document = at(documents, second)
  const newDocument = (shift: number) => ({
    $id: at(documentIds, second + shift)!,
    ...valuesFor(attributes, command, shift),
    ...(third % 3 === 0 ? { $permissions: at(permissions, first)! } : {})
  })
  const dated = fourth % 4 === 0 ? { $createdAt: at(dates, third)! } : {}
  switch (command.tag) {
    case "UpdateCollection":
      yield* db.updateCollection($id, {
        name: `n${second}`,
        ...(third % 2 === 0 ? { permissions: at(permissions, third)!, documentSecurity: fourth % 2 === 0 } : {})
      })
      return
    case "DeleteCollection":
      yield* db.deleteCollection($id)
      return
    case "CreateAttribute":
      yield* db.createAttribute($id, attributeFrom({ ...command, choices: [third, second, first, fourth] }))
      return
    case "UpdateAttribute":
      if (attribute !== undefined) {
        yield* db.updateAttribute($id, makers[attribute.kind](attribute.key, command, attribute.array))
      }
      return
    case "RenameAttribute":
      if (attribute !== undefined) yield* db.renameAttribute($id, attribute.key, at(keys, third)!)
      return
    case "DeleteAttribute":
      if (attribute !== undefined) yield* db.deleteAttribute($id, attribute.key)
      return
    case "CreateIndex": {
      const made = indexFrom(attributes, command)
      if (made !== undefined) yield* db.createIndex($id, made)
      return
    }
    case "DeleteIndex":
      if (index !== undefined) yield* db.deleteIndex($id, index.key)
      return
    case "CreateDocument":
      yield* db.createDocument($id, { ...newDocument(0), ...dated })
      return
    case "CreateDocuments":
      yield* db.createDocuments($id, [newDocument(0), { ...newDocument(2), ...dated }, newDocument(3)])
      return
    case "UpdateDocument":
      if (document !== undefined) {
        yield* db.updateDocument($id, document.$id, { ...valuesFor(attributes, command, 1), ...dated })
      }
      return
    case "UpsertDocument":
      yield* db.upsertDocument($id, { ...newDocument(1), ...dated })
      return
    case "UpsertDocuments":
      yield* db.upsertDocuments($id, [newDocument(0), { ...newDocument(2), ...dated }, newDocument(4)])
      return
    case "IncrementAttribute":
    case "DecrementAttribute": {
      const counter = at(
        attributes.filter(({ array, kind }) => !array && (kind === "integer" || kind === "bigint" || kind === "float")),
        third
      )
      if (document === undefined || counter === undefined) return
      const by = counter.kind === "float" ? Math.abs(command.numbers[0]) : absolute(wide(command, second))
      const bound = fourth % 3 === 0 ? command.numbers[1] : null
      yield* command.tag === "IncrementAttribute"
        ? db.incrementAttribute($id, document.$id, counter.key, { by, max: bound })
        : db.decrementAttribute($id, document.$id, counter.key, { by, min: bound })
      return
    }
    case "UpdateDocuments":
      yield* db.updateDocuments($id, queriesFrom(collection, documents, command), {
        ...valuesFor(attributes, command, 1),
        ...(third % 3 === 0 ? { $permissions: at(permissions, first)! } : {}),
        ...dated
      })
      return
    case "DeleteDocuments":
      yield* db.deleteDocuments($id, queriesFrom(collection, documents, command))
      return
    case "DeleteDocument":
      if (document !== undefined) yield* db.deleteDocument($id, document.$id)
      return
    case "WriteDocuments": {
      const gone = at(documents, third)
      yield* db.writeDocuments($id, [
        ...(document === undefined
          ? []
          : [
              Write.cases.Update.make({
                id: document.$id,
                changes: { ...valuesFor(attributes, command, 1), $permissions: [] }
              })
            ]),
        ...(gone === undefined ? [] : [Write.cases.Delete.make({ id: gone.$id })]),
        Write.cases.Create.make({ document: newDocument(third) })
      ])
      return
    }
    case "RestoreDocuments":
      yield* db.restoreDocuments($id, [restoreOf(document, command, attributes)])
      return
  }
})
