/**
 * The way back of each operation, as data: which facts it needs before the operation runs, and what undoes it.
 *
 * Pure, so that a run, a rehearsal and a recovery by another process take the same way.
 */
import type { Before, Position } from "../../MigrationJournal.ts"
import { type Mutation, type Of, Operation, type Restore } from "../../Operation.ts"
import type { Query } from "../../Query.ts"

type MutationTag = Mutation["_tag"]

/** What to look up before an operation runs. */
export interface Needs {
  readonly database?: boolean
  readonly collection?: boolean
  readonly documents?: ReadonlyArray<string>
}

/** What an operation found, and what it left: the hash of each document by its id in small letters, null where it is gone. */
export interface Facts {
  readonly before: Before
  readonly after: { readonly [id: string]: string | null }
  /** Where the documents are that it destroyed. */
  readonly captured: ReadonlyArray<Position>
}

/** One action of a way back. */
export type Undo =
  | { readonly _tag: "Do"; readonly operation: Mutation }
  /** Documents of a deleted collection come back, from where they were captured. */
  | {
      readonly _tag: "Refill"
      readonly database: string
      readonly collection: string
      readonly captured: ReadonlyArray<Position>
    }

  /** The document as it was found; where others have changed it since, the opposite, which commutes with theirs. */
  | { readonly _tag: "RestoreOr"; readonly restore: Of<"RestoreDocuments">; readonly opposite: Mutation }

interface Rule<T extends MutationTag> {
  readonly needs: (operation: Of<T>) => Needs
  readonly undo: (operation: Of<T>, facts: Facts) => ReadonlyArray<Undo>
}

const { cases } = Operation
const act = (operation: Mutation): Undo => ({ _tag: "Do", operation })

/** A fact that `needs` asked for. */
const known = <A>(fact: A | undefined): A => {
  if (fact === undefined) throw new Error("an inverse was asked for without the facts that it needs")
  return fact
}

const indexOf = (facts: Facts, key: string) =>
  known(facts.before.collection?.indexes.find((index) => index.key.toLowerCase() === key.toLowerCase()))
const attributeOf = (facts: Facts, key: string) =>
  known(facts.before.collection?.attributes.find((attribute) => attribute.key.toLowerCase() === key.toLowerCase()))

/** Puts documents back as they were found: the last one written comes first, so that unique values stay free. */
const restore = (
  operation: { readonly database: string; readonly collection: string },
  ids: ReadonlyArray<string>,
  { after, before }: Facts
): ReadonlyArray<Undo> => {
  const found = new Map(before.documents?.map((document) => [document.$id.toLowerCase(), document]))
  const distinct = [...new Map(ids.map((id) => [id.toLowerCase(), id])).values()].toReversed()
  const restores = distinct.map((id): Restore => ({
    id,
    expected: after[id.toLowerCase()] ?? null,
    document: found.get(id.toLowerCase()) ?? null
  }))
  if (restores.length === 0) return []
  return [
    act({
      _tag: "RestoreDocuments",
      database: operation.database,
      collection: operation.collection,
      restores
    })
  ]
}

/** A change by query names its documents inside a run: only so they can be put back. */
export const idsOf = (queries: ReadonlyArray<Query>): ReadonlyArray<string> =>
  queries.flatMap((query) => (query._tag === "Equal" && query.attribute === "$id" ? query.values.map(String) : []))

const restoreOr = (
  operation: Of<"IncrementAttribute"> | Of<"DecrementAttribute">,
  facts: Facts,
  opposite: Mutation
): ReadonlyArray<Undo> =>
  restore(operation, [operation.id], facts).flatMap((undo) =>
    undo._tag === "Do" && undo.operation._tag === "RestoreDocuments"
      ? [{ _tag: "RestoreOr", restore: undo.operation, opposite }]
      : []
  )

const writtenIds = (operation: Of<"WriteDocuments">): ReadonlyArray<string> =>
  operation.writes.map((write) => (write._tag === "Create" ? write.document.$id : write.id))

/** Of the documents named, those that were still there. */
const reached = (queries: ReadonlyArray<Query>, { after }: Facts): ReadonlyArray<string> =>
  idsOf(queries).filter((id) => Object.hasOwn(after, id.toLowerCase()))

const rules: { readonly [T in MutationTag]: Rule<T> } = {
  CreateDatabase: {
    needs: () => ({}),
    undo: ({ database }) => [act(cases.DeleteDatabase.make({ database }))]
  },
  UpdateDatabase: {
    needs: () => ({ database: true }),
    undo: ({ database }, { before }) => {
      const { enabled, name } = known(before.database)
      return [act(cases.UpdateDatabase.make({ database, name, enabled }))]
    }
  },
  // Only an empty one is deleted inside a run: its collections went before, each with its own way back.
  DeleteDatabase: {
    needs: () => ({ database: true }),
    undo: (_, { before }) => {
      // Under its own id: the operation may have spelt it in other case.
      const { $id, enabled, name } = known(before.database)
      return [act(cases.CreateDatabase.make({ database: $id, name, enabled }))]
    }
  },
  CreateCollection: {
    needs: () => ({}),
    undo: ({ collection, database }) => [act(cases.DeleteCollection.make({ database, collection }))]
  },
  UpdateCollection: {
    needs: () => ({ collection: true }),
    undo: ({ collection, database }, { before }) => {
      const { $permissions, documentSecurity, enabled, name } = known(before.collection)
      return [
        act(
          cases.UpdateCollection.make({
            database,
            collection,
            name,
            permissions: $permissions,
            documentSecurity,
            enabled
          })
        )
      ]
    }
  },
  DeleteCollection: {
    needs: () => ({ collection: true }),
    undo: ({ database }, { before, captured }) => {
      const record = known(before.collection)
      const collection = record.$id
      return [
        act(
          cases.CreateCollection.make({
            database,
            collection,
            name: record.name,
            permissions: record.$permissions,
            documentSecurity: record.documentSecurity,
            enabled: record.enabled,
            attributes: record.attributes,
            indexes: []
          })
        ),
        { _tag: "Refill", database, collection, captured },
        ...record.indexes.map((index) => act(cases.CreateIndex.make({ database, collection, index })))
      ]
    }
  },
  CreateAttribute: {
    needs: () => ({}),
    undo: ({ attribute, collection, database }) => [
      act(cases.DeleteAttribute.make({ database, collection, key: attribute.key }))
    ]
  },
  UpdateAttribute: {
    needs: () => ({ collection: true }),
    undo: ({ attribute, collection, database }, facts) => [
      act({ _tag: "UpdateAttribute", database, collection, attribute: attributeOf(facts, attribute.key) })
    ]
  },
  RenameAttribute: {
    needs: () => ({ collection: true }),
    undo: ({ collection, database, key, newKey }, facts) => [
      act(cases.RenameAttribute.make({ database, collection, key: newKey, newKey: attributeOf(facts, key).key }))
    ]
  },
  // Inside a run it is parked instead; deleted for good only when the run commits.
  DeleteAttribute: {
    needs: () => ({ collection: true }),
    undo: ({ collection, database, key }, facts) => [
      act({ _tag: "CreateAttribute", database, collection, attribute: attributeOf(facts, key) })
    ]
  },
  CreateIndex: {
    needs: () => ({}),
    undo: ({ collection, database, index }) => [act(cases.DeleteIndex.make({ database, collection, key: index.key }))]
  },
  DeleteIndex: {
    needs: () => ({ collection: true }),
    undo: ({ collection, database, key }, facts) => [
      act(cases.CreateIndex.make({ database, collection, index: indexOf(facts, key) }))
    ]
  },
  CreateDocument: {
    needs: () => ({}),
    undo: (operation, facts) => restore(operation, [operation.document.$id], facts)
  },
  CreateDocuments: {
    needs: () => ({}),
    undo: (operation, facts) =>
      restore(
        operation,
        operation.documents.map(({ $id }) => $id),
        facts
      )
  },
  UpdateDocument: {
    needs: ({ id }) => ({ documents: [id] }),
    undo: (operation, facts) => restore(operation, [operation.id], facts)
  },
  DeleteDocument: {
    needs: ({ id }) => ({ documents: [id] }),
    undo: (operation, facts) => restore(operation, [operation.id], facts)
  },
  UpsertDocument: {
    needs: ({ document }) => ({ documents: [document.$id] }),
    undo: (operation, facts) => restore(operation, [operation.document.$id], facts)
  },
  UpsertDocuments: {
    needs: ({ documents }) => ({ documents: documents.map(({ $id }) => $id) }),
    undo: (operation, facts) =>
      restore(
        operation,
        operation.documents.map(({ $id }) => $id),
        facts
      )
  },
  UpdateDocuments: {
    needs: ({ queries }) => ({ documents: idsOf(queries) }),
    undo: (operation, facts) => restore(operation, reached(operation.queries, facts), facts)
  },
  DeleteDocuments: {
    needs: ({ queries }) => ({ documents: idsOf(queries) }),
    undo: (operation, facts) => restore(operation, reached(operation.queries, facts), facts)
  },
  IncrementAttribute: {
    needs: ({ id }) => ({ documents: [id] }),
    undo: ({ max: _max, ...operation }, facts) =>
      restoreOr({ ...operation, max: null }, facts, { ...operation, _tag: "DecrementAttribute", min: null })
  },
  DecrementAttribute: {
    needs: ({ id }) => ({ documents: [id] }),
    undo: ({ min: _min, ...operation }, facts) =>
      restoreOr({ ...operation, min: null }, facts, { ...operation, _tag: "IncrementAttribute", max: null })
  },
  WriteDocuments: {
    needs: (operation) => ({ documents: writtenIds(operation) }),
    undo: (operation, facts) => restore(operation, writtenIds(operation), facts)
  },
  RestoreDocuments: {
    needs: ({ restores }) => ({ documents: restores.map(({ id }) => id) }),
    undo: (operation, facts) =>
      restore(
        operation,
        operation.restores.map(({ id }) => id),
        facts
      )
  }
}

// The one place where an operation meets its rule; the record above is complete by type, so the pair always fits.
const ruleOf = (operation: Mutation) => rules[operation._tag] as Rule<MutationTag>

/** What to look up before `operation` runs. */
export const needs = (operation: Mutation): Needs => ruleOf(operation).needs(operation)

/** What undoes `operation`, in this order. */
export const undo = (operation: Mutation, facts: Facts): ReadonlyArray<Undo> => ruleOf(operation).undo(operation, facts)

/** Ids of the documents that an operation writes. */
export const writes = (operation: Mutation): ReadonlyArray<string> => {
  const own = needs(operation).documents
  if (own !== undefined) return own
  if (operation._tag === "CreateDocument") return [operation.document.$id]
  return operation._tag === "CreateDocuments" ? operation.documents.map(({ $id }) => $id) : []
}
