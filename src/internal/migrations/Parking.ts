/**
 * Deletions inside a run are parked: a deleted attribute is renamed, a deleted collection or database disabled, and
 * hidden from the migration; what is parked is deleted for good when the run commits. So a way back writes no document.
 */
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Random from "effect/Random"
import type { Attribute } from "../../Attribute.ts"
import { sameKey } from "../../Collection.ts"
import type { Collection } from "../../Collection.ts"
import { type Execute, failure, make as makeDatabases, type Methods } from "../../Databases.ts"
import { type DatabasesError, NotFound, type Resource, Unavailable, Unsupported } from "../../DatabasesError.ts"
import type { Document } from "../../Document.ts"
import * as DatabaseHash from "../../DatabaseHash.ts"
import * as Index from "../../Index.ts"
import { isRead, isStage, type Mutation, type Of, Operation, type ResultOf, type Tag } from "../../Operation.ts"
import * as Query from "../../Query.ts"
import * as Paging from "../Paging.ts"
import * as ByQuery from "./ByQuery.ts"
import type { Recorder } from "./Recorder.ts"
import * as Report from "./Report.ts"
import * as Unparked from "./Unparked.ts"

type Answer<A> = Effect.Effect<A, DatabasesError>

/** How many documents a change by query was about. */
const affected = (result: unknown): number =>
  typeof result === "object" && result !== null && "total" in result ? Number(result.total) : 0

const fold = (...ids: ReadonlyArray<string>) => ids.join("/").toLowerCase()

/** `zz_`, six characters that nobody else has, and as much of the key as fits. */
const parkedKey = Effect.map(
  Random.nextIntBetween(0, 36 ** 6, { halfOpen: true }),
  (chance) => (key: string) => `zz_${chance.toString(36).padStart(6, "0")}_${key}`.slice(0, 36)
)

interface ParkedAttribute {
  readonly database: string
  readonly collection: string
  readonly key: string
  /** As it was before. */
  readonly original: Attribute
}
interface ParkedCollection {
  readonly database: string
  readonly collection: string
  /** As it was before: parked, it is disabled. */
  readonly enabled: boolean
}

export interface Parking {
  /** What the migration sees and writes through. */
  readonly databases: Methods
  /** What is left to delete for good, in order. */
  readonly purge: () => ReadonlyArray<Mutation>
  /** Collections of which something will be deleted for good, each as it was called and defined before. */
  readonly doomed: () => Effect.Effect<ReadonlyArray<Doomed>, DatabasesError>
}

/** A collection of which something will be deleted for good. */
export interface Doomed {
  /** In its database; parked attributes have their old keys and definitions. */
  readonly databases: Methods
  readonly collection: string
}

const missingType: { readonly [R in Resource]: string } = {
  database: "database_not_found",
  collection: "table_not_found",
  attribute: "column_not_found",
  index: "column_index_not_found",
  document: "row_not_found",
  transaction: "transaction_not_found"
}

/** A view of `live` that parks; `recorder` does the writes, `keep` saves what must go at once. */
export const make = (
  live: Methods,
  recorder: Recorder,
  keep: (doomed: Doomed) => Effect.Effect<void, { readonly message: string }>
): Parking => {
  const databases = new Map<string, string>()
  const collections = new Map<string, ParkedCollection>()
  const attributes = new Map<string, ParkedAttribute>()

  const attributesOf = (database: string, collection: string): ReadonlySet<string> =>
    new Set(
      [...attributes.values()]
        .filter((parked) => fold(parked.database, parked.collection) === fold(database, collection))
        .map(({ key }) => key)
    )

  const missing = (operation: Operation, resource: Resource, id: string) =>
    Effect.fail(failure(operation, new NotFound({ type: missingType[resource], resource, id })))

  /** Fails where the operation speaks of what is parked. */
  const checkVisible = (operation: Operation): Answer<void> => {
    if (!("database" in operation) || operation._tag === "CreateDatabase") return Effect.void
    if (databases.has(fold(operation.database))) return missing(operation, "database", operation.database)
    if (!("collection" in operation) || operation._tag === "CreateCollection") return Effect.void
    return collections.has(fold(operation.database, operation.collection))
      ? missing(operation, "collection", operation.collection)
      : Effect.void
  }

  const visibleCollection = (database: string, collection: Collection): Collection => {
    const hidden = attributesOf(database, collection.$id)
    return hidden.size === 0
      ? collection
      : { ...collection, attributes: collection.attributes.filter(({ key }) => !hidden.has(key)) }
  }
  const visibleDocument = (hidden: ReadonlySet<string>, document: Document): Document =>
    Object.fromEntries(Object.entries(document).filter(([key]) => !hidden.has(key))) as Document

  /** A result without what is parked. */
  const visible = <T extends Tag>(operation: Of<T>, result: ResultOf<T>): ResultOf<T> => {
    const shown = (one: Operation, all: unknown): unknown => {
      if (one._tag === "ListDatabases") {
        return (all as ResultOf<"ListDatabases">).filter(({ $id }) => !databases.has(fold($id)))
      }
      if (one._tag === "ListCollections") {
        return (all as ResultOf<"ListCollections">)
          .filter(({ $id }) => !collections.has(fold(one.database, $id)))
          .map((collection) => visibleCollection(one.database, collection))
      }
      if (one._tag === "GetCollection" || one._tag === "UpdateCollection") {
        return visibleCollection(one.database, all as Collection)
      }
      if (!("collection" in one)) return all
      const hidden = attributesOf(one.database, one.collection)
      if (hidden.size === 0) return all
      switch (one._tag) {
        case "ListAttributes":
          return (all as ResultOf<"ListAttributes">).filter(({ key }) => !hidden.has(key))
        case "CreateDocument":
        case "GetDocument":
        case "UpdateDocument":
        case "UpsertDocument":
        case "IncrementAttribute":
        case "DecrementAttribute":
          return visibleDocument(hidden, all as Document)
        case "CreateDocuments":
        case "UpsertDocuments":
        case "WriteDocuments":
          return (all as ResultOf<"WriteDocuments">).map((document) =>
            document === null ? null : visibleDocument(hidden, document)
          )
        case "UpdateDocuments":
        case "DeleteDocuments":
        case "ListDocuments": {
          const list = all as ResultOf<"ListDocuments">
          return { ...list, documents: list.documents.map((document) => visibleDocument(hidden, document)) }
        }
        default:
          return all
      }
    }
    return shown(operation, result) as ResultOf<T>
  }

  const { cases } = Operation

  /** The attribute as it lets every write to its documents through, whatever value it has in them. */
  const relax = Effect.fnUntraced(function* (
    { collection, database }: Of<"DeleteAttribute">,
    attribute: Attribute
  ): Effect.fn.Return<Attribute, DatabasesError> {
    if (attribute.kind === "enum") {
      const elements = new Set(attribute.elements)
      const narrower = attribute.array
        ? []
        : attribute.elements.map((element) => Query.notEqual(attribute.key, element))
      yield* Paging.forEachPageBySequence(
        live.in(database),
        collection,
        (documents) =>
          Effect.sync(() => {
            for (const document of documents) {
              for (const value of [document[attribute.key]].flat()) if (typeof value === "string") elements.add(value)
            }
          }),
        { filters: [Query.isNotNull(attribute.key), ...narrower] }
      )
      return { ...attribute, required: false, elements: [...elements] }
    }
    return "min" in attribute
      ? { ...attribute, required: false, min: null, max: null }
      : { ...attribute, required: false }
  })

  const deleteAttribute = Effect.fnUntraced(function* (
    operation: Of<"DeleteAttribute">
  ): Effect.fn.Return<void, DatabasesError> {
    const { collection, database } = operation
    const record = yield* live.in(database).getCollection(collection)
    const hidden = attributesOf(database, collection)
    const attribute = record.attributes.find(({ key }) => sameKey(key, operation.key) && !hidden.has(key))
    if (attribute === undefined) return yield* missing(operation, "attribute", operation.key)
    let { indexes } = record
    for (const index of record.indexes.filter((one) => one.attributes.includes(attribute.key))) {
      yield* recorder.write(cases.DeleteIndex.make({ database, collection, key: index.key }))
      indexes = indexes.filter(({ key }) => key !== index.key)
      const rest = Index.without(index, attribute.key)
      if (rest === undefined || indexes.some((other) => Index.equivalent(other, rest))) continue
      yield* recorder.write(cases.CreateIndex.make({ database, collection, index: rest }))
      indexes = [...indexes, rest]
    }
    const relaxed = yield* relax(operation, attribute)
    if (!Equal.equals(relaxed, attribute)) {
      yield* recorder.write({ _tag: "UpdateAttribute", database, collection, attribute: relaxed })
    }
    const newKey = (yield* parkedKey)(attribute.key)
    const name = fold(database, collection, newKey)
    yield* recorder.write(cases.RenameAttribute.make({ database, collection, key: attribute.key, newKey }), {
      onDone: () => attributes.set(name, { database, collection, key: newKey, original: attribute }),
      onUndone: () => attributes.delete(name)
    })
  })

  /** What takes the place of `operation` is refused in its words. */
  const insteadOf = (operation: Mutation, effect: Answer<unknown>): Answer<void> =>
    Effect.asVoid(Effect.mapError(effect, ({ reason }) => failure(operation, reason)))

  const deleteCollection = (operation: Of<"DeleteCollection">): Answer<void> => {
    const { collection, database } = operation
    return insteadOf(
      operation,
      Effect.flatMap(live.in(database).getCollection(collection), ({ $id, enabled }) =>
        recorder.write(cases.UpdateCollection.make({ database, collection, enabled: false }), {
          onDone: () => collections.set(fold(database, collection), { database, collection: $id, enabled }),
          onUndone: () => collections.delete(fold(database, collection))
        })
      )
    )
  }

  const deleteDatabase = (operation: Of<"DeleteDatabase">): Answer<void> => {
    const { database } = operation
    return insteadOf(
      operation,
      recorder.write(cases.UpdateDatabase.make({ database, enabled: false }), {
        onDone: () => databases.set(fold(database), database),
        onUndone: () => databases.delete(fold(database))
      })
    )
  }

  /** A collection as it was called and defined before: several times where a key was deleted more than once. */
  const asBefore = (database: string, collection: string): ReadonlyArray<Doomed> => {
    const own = [...attributes.values()].filter(
      (parked) => fold(parked.database, parked.collection) === fold(database, collection)
    )
    const enabled = collections.get(fold(database, collection))?.enabled
    return Unparked.groups(own).map((shown) => ({
      databases: Unparked.view(live.in(database), shown, own, enabled),
      collection
    }))
  }

  /** Deletes a parked collection before its time, because its id is wanted again: its documents are saved first. */
  const deleteForGood = Effect.fnUntraced(function* (database: string, collection: string) {
    const operation = cases.DeleteCollection.make({ database, collection })
    for (const doomed of asBefore(database, collection)) {
      yield* Effect.mapError(keep(doomed), ({ message }) =>
        failure(operation, new Unavailable({ type: "general_unknown", detail: message }))
      )
    }
    const captured = yield* recorder.capture(operation, collection)
    const parked = collections.get(fold(database, collection))
    const hidden = [...attributes].filter(
      ([, one]) => fold(one.database, one.collection) === fold(database, collection)
    )
    yield* recorder.write(operation, {
      captured,
      onDone: () => {
        collections.delete(fold(database, collection))
        for (const [name] of hidden) attributes.delete(name)
      },
      onUndone: () => {
        if (parked !== undefined) collections.set(fold(database, collection), parked)
        for (const [name, one] of hidden) attributes.set(name, one)
      }
    })
  })

  const createCollection = Effect.fnUntraced(function* (operation: Of<"CreateCollection">) {
    const { collection, database } = operation
    if (collections.has(fold(database, collection))) yield* deleteForGood(database, collection)
    return yield* recorder.write(operation)
  })

  const createDatabase = Effect.fnUntraced(function* (operation: Of<"CreateDatabase">) {
    const { database } = operation
    if (databases.has(fold(database))) {
      for (const { $id } of yield* live.in(database).listCollections) yield* deleteForGood(database, $id)
      yield* recorder.write(cases.DeleteDatabase.make({ database }), {
        onDone: () => databases.delete(fold(database)),
        onUndone: () => databases.set(fold(database), database)
      })
    }
    return yield* recorder.write(operation)
  })

  /** Hashes that the author knows are of what the author sees: they are told again with what is hidden. */
  const restoreDocuments = Effect.fnUntraced(function* (
    operation: Of<"RestoreDocuments">
  ): Effect.fn.Return<ResultOf<"RestoreDocuments">, DatabasesError> {
    const hidden = attributesOf(operation.database, operation.collection)
    const ids = operation.restores.map(({ id }) => id)
    if (hidden.size === 0 || ids.length === 0) return yield* recorder.write(operation)
    const { documents } = yield* live
      .in(operation.database)
      .listDocuments(operation.collection, [Query.equal("$id", ids), Query.limit(ids.length)], { total: false })
    const found = new Map(documents.map((document) => [fold(document.$id), document]))
    const restores = operation.restores.map((restore) => {
      const document = found.get(fold(restore.id))
      if (document === undefined) return restore
      const seen = DatabaseHash.document(visibleDocument(hidden, document))
      const kept = Object.fromEntries([...hidden].map((key) => [key, document[key] ?? null]))
      return {
        ...restore,
        expected: restore.expected === seen ? DatabaseHash.document(document) : restore.expected,
        document: restore.document === null ? null : { ...restore.document, ...kept }
      }
    })
    return yield* recorder.write({ ...operation, restores })
  })

  /** Whole or not at all, also where it takes several writes. */
  const mutate = <T extends Mutation["_tag"]>(operation: Of<T>): Answer<ResultOf<T>> => {
    const parts = (one: Mutation): Answer<unknown> => {
      switch (one._tag) {
        case "DeleteAttribute":
          return recorder.savepoint(deleteAttribute(one))
        case "DeleteCollection":
          return deleteCollection(one)
        case "DeleteDatabase":
          return deleteDatabase(one)
        case "CreateCollection":
          return recorder.savepoint(createCollection(one))
        case "CreateDatabase":
          return recorder.savepoint(createDatabase(one))
        case "UpdateDocuments":
        case "DeleteDocuments":
          return recorder.savepoint(ByQuery.change(live, recorder, one))
        case "RestoreDocuments":
          return restoreDocuments(one)
        default:
          return recorder.write(one)
      }
    }
    return parts(operation) as Answer<ResultOf<T>>
  }

  const perform = (operation: Operation): Answer<unknown> =>
    Effect.flatMap(checkVisible(operation), (): Answer<unknown> => {
      if (isStage(operation)) {
        const feature = "a transaction inside a migration (writeDocuments writes up to 100 documents together)"
        return Effect.fail(failure(operation, new Unsupported({ type: "general_access_forbidden", feature })))
      }
      return isRead(operation)
        ? live.execute(operation)
        : Effect.tap(mutate(operation), (result) => recorder.say(Report.describe(operation, affected(result))))
    })
  const execute: Execute = <T extends Tag>(operation: Of<T>): Answer<ResultOf<T>> =>
    Effect.map(perform(operation), (result) => visible(operation, result as ResultOf<T>))

  return {
    databases: makeDatabases({ execute, databaseId: live.databaseId }),
    purge: () => [
      ...[...attributes.values()]
        .filter(
          ({ collection, database }) => !collections.has(fold(database, collection)) && !databases.has(fold(database))
        )
        .map(({ collection, database, key }) => cases.DeleteAttribute.make({ database, collection, key })),
      ...[...collections.values()]
        .filter(({ database }) => !databases.has(fold(database)))
        .map(({ collection, database }) => cases.DeleteCollection.make({ database, collection })),
      ...[...databases.values()].map((database) => cases.DeleteDatabase.make({ database }))
    ],
    doomed: Effect.fnUntraced(function* () {
      const places = new Map<string, readonly [database: string, collection: string]>()
      const add = (database: string, collection: string) =>
        places.set(fold(database, collection), [database, collection])
      for (const { collection, database } of [...attributes.values(), ...collections.values()]) {
        add(database, collection)
      }
      for (const database of databases.values()) {
        for (const { $id } of yield* live.in(database).listCollections) add(database, $id)
      }
      return [...places.values()].flatMap(([database, collection]) => asBefore(database, collection))
    })
  }
}
