/**
 * Hashes that tell whether data is the same.
 *
 * `exact` covers documents with id, permissions, values and dates, without `$sequence`, and the schema as a set: what
 * backup, rollback and restore promise. `content` is the same without dates: it compares runs made at different times.
 * Defined to the byte in docs/backup-format.md, "Hashes".
 */
import * as Effect from "effect/Effect"
import type { Collection } from "./Collection.ts"
import type { Methods } from "./Databases.ts"
import type { DatabasesError } from "./DatabasesError.ts"
import type { Document } from "./Document.ts"
import { canonicalJson } from "./internal/CanonicalJson.ts"
import * as DocumentText from "./internal/DocumentText.ts"
import { growing, sha256, sum } from "./internal/Hash.ts"
import * as Paging from "./internal/Paging.ts"

export type Kind = "exact" | "content"

/** The hash of one document. */
export const document = (document: Document, kind: Kind = "exact"): string => {
  const exact = DocumentText.exact(document)
  return sha256(kind === "exact" ? exact : DocumentText.withoutDates(exact))
}

const byText = (left: string, right: string) => (left < right ? -1 : left > right ? 1 : 0)

const schemaOf = ({ $createdAt: _created, $updatedAt: _updated, attributes, indexes, ...rest }: Collection): string =>
  canonicalJson({
    ...rest,
    attributes: attributes.map(canonicalJson).toSorted(byText),
    indexes: indexes.map(canonicalJson).toSorted(byText)
  })

/** The hash of a collection out of its schema and of the sum over its documents (`internal/Hash.sum`). */
export const ofParts = (schema: Collection, documents: string): string => sha256(`${schemaOf(schema)}\n${documents}`)

/** Both hashes of a collection, in one pass over its documents, a page at a time. */
export const hashes = Effect.fn("DatabaseHash.hashes")(function* (databases: Methods, id: string) {
  const schema = yield* databases.getCollection(id)
  const [exact, content] = [sum(), sum()]
  yield* Paging.forEachPageBySequence(databases, id, (page) =>
    Effect.sync(() => {
      for (const one of page) {
        const text = DocumentText.exact(one)
        exact.add(sha256(text))
        content.add(sha256(DocumentText.withoutDates(text)))
      }
    })
  )
  return { exact: ofParts(schema, exact.text()), content: ofParts(schema, content.text()) }
})

/** The hash of a collection. Reads all of its documents, a page at a time. */
export const collection = Effect.fn("DatabaseHash.collection")(function* (
  databases: Methods,
  id: string,
  kind: Kind = "exact"
) {
  const schema = yield* databases.getCollection(id)
  const documents = sum()
  yield* Paging.forEachPageBySequence(databases, id, (page) =>
    Effect.sync(() => {
      for (const one of page) documents.add(document(one, kind))
    })
  )
  return ofParts(schema, documents.text())
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
