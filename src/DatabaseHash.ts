/**
 * Hashes that tell whether data is the same.
 *
 * `exact` covers documents with id, permissions, values and dates, without `$sequence`, and the schema as a set: what
 * backup, rollback and restore promise. `content` is the same without dates: it compares runs made at different times.
 */
import * as Effect from "effect/Effect"
import type { Collection } from "./Collection.ts"
import type { Methods } from "./Databases.ts"
import type { DatabasesError } from "./DatabasesError.ts"
import type { Document } from "./Document.ts"
import { canonicalJson } from "./internal/CanonicalJson.ts"
import { growing, sha256 } from "./internal/Hash.ts"
import * as Paging from "./internal/Paging.ts"

export type Kind = "exact" | "content"

/** Null and an empty list are what an attribute has that nobody wrote: so another attribute changes no document. */
const isWritten = (value: unknown): boolean => value !== null && !(Array.isArray(value) && value.length === 0)

const described = (document: Document, kind: Kind): string => {
  const { $sequence: _sequence, $createdAt, $updatedAt, ...rest } = document
  const written = Object.fromEntries(Object.entries(rest).filter(([, value]) => isWritten(value)))
  return canonicalJson(kind === "exact" ? { ...written, $createdAt, $updatedAt } : written)
}

/** The hash of one document. */
export const document = (document: Document, kind: Kind = "exact"): string => sha256(described(document, kind))

const byText = (left: string, right: string) => (left < right ? -1 : left > right ? 1 : 0)

const schemaOf = ({ $createdAt: _created, $updatedAt: _updated, attributes, indexes, ...rest }: Collection): string =>
  canonicalJson({
    ...rest,
    attributes: attributes.map(canonicalJson).toSorted(byText),
    indexes: indexes.map(canonicalJson).toSorted(byText)
  })

/** The hash of a collection, its documents in order of id. Reads all of them, a page at a time. */
export const collection = Effect.fn("DatabaseHash.collection")(function* (
  databases: Methods,
  id: string,
  kind: Kind = "exact"
) {
  const hash = growing()
  hash.add(schemaOf(yield* databases.getCollection(id)))
  yield* Paging.forEachPageById(databases, id, (documents) =>
    Effect.sync(() => {
      for (const one of documents) hash.add(`\n${described(one, kind)}`)
    })
  )
  return hash.digest()
})

/** The hash of the handle's database: its collections in order of id. */
export const database = Effect.fn("DatabaseHash.database")(function* (databases: Methods, kind: Kind = "exact") {
  const { $createdAt: _created, $updatedAt: _updated, ...record } = yield* databases.getDatabase(databases.databaseId)
  const hash = growing()
  hash.add(canonicalJson(record))
  const collections = [...(yield* databases.listCollections)].toSorted((left, right) => byText(left.$id, right.$id))
  for (const { $id } of collections) hash.add(`\n${$id} ${yield* collection(databases, $id, kind)}`)
  return hash.digest()
})

/** The hash of all databases that the handle's server has, in order of id. */
export const server: (databases: Methods, kind?: Kind) => Effect.Effect<string, DatabasesError> = Effect.fn(
  "DatabaseHash.server"
)(function* (databases: Methods, kind: Kind = "exact") {
  const hash = growing()
  for (const { $id } of [...(yield* databases.listDatabases)].toSorted((left, right) => byText(left.$id, right.$id))) {
    hash.add(`${$id} ${yield* database(databases.in($id), kind)}\n`)
  }
  return hash.digest()
})
