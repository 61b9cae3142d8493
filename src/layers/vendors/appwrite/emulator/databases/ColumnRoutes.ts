/** Columns, or attributes: created by kind, listed, read, changed, renamed, deleted. Each settles after a while. */
import * as Effect from "effect/Effect"
import type { Attribute } from "../../../../../Attribute.ts"
import { type Collection, sameKey } from "../../../../../Collection.ts"
import * as ApiFailure from "../ApiFailure.ts"
import { type Call, json, noContent } from "../Call.ts"
import type { Route } from "../Routes.ts"
import * as Listing from "./Listing.ts"
import * as Columns from "./Columns.ts"
import { type Context, handler, inDatabase, shownColumn } from "./Context.ts"
import type { Entry } from "./Metadata.ts"
import * as Settling from "./Settling.ts"
import { scopes, type Vocabulary } from "./Vocabulary.ts"

/** Not found, in the vocabulary's words. */
const missing = (vocabulary: Vocabulary, key: string) =>
  ApiFailure.make(
    404,
    vocabulary.type("column_not_found"),
    `${vocabulary.column} with the requested key '${key}' could not be found.`
  )

const taken = (vocabulary: Vocabulary, key: string) =>
  ApiFailure.make(
    409,
    vocabulary.type("column_already_exists"),
    `${vocabulary.column} with the requested key '${key}' already exists. ${vocabulary.column} keys must be unique, try again with a different key.`
  )
const isOwn = (collection: Collection, key: string) => collection.attributes.some((one) => sameKey(one.key, key))

/** An entry of something that is made now and settles later. */
export const fresh = ({ settle }: Context, now: number): Entry => ({
  createdAt: now,
  // Never the same instant: settling is an update of its own.
  updatedAt: now + Math.max(1, settle),
  settlesAt: now + settle
})

export const routes = (context: Context, vocabulary: Vocabulary): ReadonlyArray<Route> => {
  const { columns, tables } = vocabulary
  const base = `${vocabulary.base}/:databaseId/${tables}/:tableId/${columns}`
  const { metadata, quirks } = context
  const pathOf = (call: Call, key: string) => [call.path["databaseId"]!, call.path["tableId"]!, "columns", key] as const
  const attributesOf = (call: Call, collection: Collection) =>
    Settling.withPending(metadata, call.path["databaseId"]!, collection).attributes
  const attributeOf = (call: Call, collection: Collection, key: string): Attribute => {
    const found = attributesOf(call, collection).find((attribute) => sameKey(attribute.key, key))
    if (found === undefined) throw missing(vocabulary, key)
    return found
  }
  const shown = (call: Call, collection: Collection, attribute: Attribute, now: number) =>
    shownColumn(context, call.path["databaseId"]!, collection, attribute, now)

  /** Indexes follow a column that is renamed. */
  const touchIndexes = (call: Call, collection: Collection, key: string, now: number): void => {
    for (const index of collection.indexes.filter(({ attributes }) => attributes.includes(key))) {
      const path = [call.path["databaseId"]!, call.path["tableId"]!, "indexes", index.key] as const
      const known = metadata.get(...path)
      if (known !== undefined) metadata.put({ ...known, updatedAt: Math.max(now, known.updatedAt + 1) }, ...path)
    }
  }

  const create = (kind: Columns.WireKind): Route => ({
    method: "POST",
    path: `${base}/${kind}`,
    scope: scopes(vocabulary, "columns", "write"),
    handler: handler(
      vocabulary,
      Effect.fnUntraced(function* (call, now) {
        const databases = inDatabase(context, call)
        const attribute = Columns.fromCreation(vocabulary, kind, call.body)
        const tableId = call.path["tableId"]!
        const collection = yield* databases.getCollection(tableId)
        yield* databases
          .createAttribute(tableId, attribute)
          .pipe(
            Effect.catchReason("DatabasesError", "LimitExceeded", () =>
              Effect.fail(
                ApiFailure.make(
                  400,
                  vocabulary.type("column_limit_exceeded"),
                  `The maximum number or size of ${columns} for ${vocabulary.table.toLowerCase()} '${tableId}' has been reached.`
                )
              )
            )
          )
        if (attributesOf(call, collection).some(({ key }) => sameKey(key, attribute.key) && !isOwn(collection, key))) {
          throw taken(vocabulary, attribute.key)
        }
        // It was made to see whether it can be; where that takes time, the store gets it later.
        if (context.settle > 0) yield* databases.deleteAttribute(tableId, attribute.key)
        const entry = { ...fresh(context, now), ...(context.settle > 0 ? { pending: attribute } : {}) }
        const typed = attribute.kind === "datetime" && attribute.default !== null ? { default: attribute.default } : {}
        metadata.put({ ...entry, ...typed }, ...pathOf(call, attribute.key))
        const created = Columns.show(attribute, {
          $createdAt: collection.$createdAt,
          $updatedAt: collection.$updatedAt,
          status: "processing"
        })
        const { $createdAt } = shown(call, collection, attribute, now)
        return json({ ...created, $createdAt, $updatedAt: $createdAt }, 202)
      })
    )
  })

  const update = (kind: Columns.WireKind): Route => ({
    method: "PATCH",
    path: `${base}/${kind}/:key`,
    scope: scopes(vocabulary, "columns", "write"),
    handler: handler(
      vocabulary,
      Effect.fnUntraced(function* (call, now) {
        const databases = inDatabase(context, call)
        const tableId = call.path["tableId"]!
        const collection = yield* databases.getCollection(tableId)
        const current = attributeOf(call, collection, call.path["key"]!)
        // The server breaks where a string is to become an enum.
        if (kind === "enum" && current.kind !== "enum") throw ApiFailure.serverError
        const known = metadata.get(...pathOf(call, current.key))
        if (known !== undefined && now < known.settlesAt) {
          throw ApiFailure.make(
            400,
            vocabulary.type("column_not_available"),
            `The requested ${vocabulary.column.toLowerCase()} '%s' is not yet available.`
          )
        }
        const { attribute, newKey } = Columns.fromUpdate(vocabulary, kind, current, call.body, quirks)
        if (
          quirks &&
          newKey !== undefined &&
          metadata.fact("unrenamable", call.path["databaseId"]!, tableId) !== undefined
        ) {
          throw ApiFailure.make(
            400,
            vocabulary.type("column_index_invalid"),
            "Invalid index lengths. Count of lengths must be equal or less than the number of attributes."
          )
        }
        // Before the change, so that a refused name leaves it undone.
        const others = attributesOf(call, collection).filter(({ key }) => !sameKey(key, current.key))
        if (newKey !== undefined && others.some(({ key }) => sameKey(key, newKey))) throw taken(vocabulary, current.key)
        yield* databases.updateAttribute(tableId, attribute)
        if (newKey !== undefined) {
          yield* databases
            .renameAttribute(tableId, current.key, newKey)
            .pipe(
              Effect.catchReason("DatabasesError", "AlreadyExists", () => Effect.fail(taken(vocabulary, current.key)))
            )
        }
        const key = newKey ?? current.key
        // A name that is the same but for its case is no change.
        const same = newKey !== undefined && sameKey(newKey, current.key)
        if (newKey !== undefined && newKey !== current.key) touchIndexes(call, collection, current.key, now)
        const entry: Entry = {
          createdAt: known?.createdAt ?? now,
          updatedAt: same && known !== undefined ? known.updatedAt : Math.max(now, (known?.updatedAt ?? 0) + 1),
          settlesAt: Math.min(now, known?.settlesAt ?? now),
          inline: known?.inline,
          ...(call.body["default"] === null && attribute.default !== null ? { default: null } : {}),
          ...(attribute.kind === "datetime" && typeof call.body["default"] === "string"
            ? { default: call.body["default"] }
            : {})
        }
        const before = known === undefined ? collection.$updatedAt : shown(call, collection, current, now).$updatedAt
        if (newKey !== undefined) metadata.remove(...pathOf(call, current.key))
        metadata.put(entry, ...pathOf(call, key))
        const answer = shown(call, collection, { ...attribute, key }, entry.updatedAt)
        return json(asAnswered(kind, current, { ...answer, ...(newKey === undefined ? {} : { $updatedAt: before }) }))
      })
    )
  })

  /** An answer to a change shows no `encrypt`; through another kind's route it shows that kind's members, empty. */
  const asAnswered = (kind: Columns.WireKind, current: Attribute, answer: ReturnType<typeof shownColumn>): object => {
    const bare = "encrypt" in answer ? { ...answer, encrypt: null } : answer
    if (kind === current.kind) return bare
    const {
      encrypt: _encrypt,
      max: _max,
      min: _min,
      size: _size,
      elements: _elements,
      ...rest
    } = bare as Record<string, unknown>
    const members = kind === "integer" || kind === "float" || kind === "bigint" ? { min: null, max: null } : {}
    return { ...rest, ...members }
  }

  return [
    ...Object.values(Columns.kinds).flatMap((kind) => [create(kind), update(kind)]),
    {
      method: "GET",
      path: base,
      scope: scopes(vocabulary, "columns", "read"),
      handler: handler(
        vocabulary,
        Effect.fnUntraced(function* (call, now) {
          const collection = yield* inDatabase(context, call).getCollection(call.path["tableId"]!)
          const all = attributesOf(call, collection).map((attribute) => shown(call, collection, attribute, now))
          const fields = ["key", "type", "status", "required", "array", "size", "$createdAt", "$updatedAt", "error"]
          const { items, total } = Listing.page(call, all, vocabulary.column, fields)
          return json({ total, [columns]: items })
        })
      )
    },
    {
      method: "GET",
      path: `${base}/:key`,
      scope: scopes(vocabulary, "columns", "read"),
      handler: handler(
        vocabulary,
        Effect.fnUntraced(function* (call, now) {
          const collection = yield* inDatabase(context, call).getCollection(call.path["tableId"]!)
          return json(shown(call, collection, attributeOf(call, collection, call.path["key"]!), now))
        })
      )
    },
    {
      method: "DELETE",
      path: `${base}/:key`,
      scope: scopes(vocabulary, "columns", "write"),
      handler: handler(
        vocabulary,
        Effect.fnUntraced(function* (call, now) {
          const databases = inDatabase(context, call)
          const tableId = call.path["tableId"]!
          const collection = yield* databases.getCollection(tableId)
          const { key } = attributeOf(call, collection, call.path["key"]!)
          const touched = Settling.narrowedBy(collection, key)
          if (quirks && touched.some(({ kind }) => kind === "unique")) {
            // The worker gives up: data and index stay, and the column is stuck.
            const known = metadata.get(...pathOf(call, key)) ?? fresh(context, now)
            metadata.put(
              { ...known, status: "stuck", updatedAt: Math.max(now, known.updatedAt + 1) },
              ...pathOf(call, key)
            )
            return noContent
          }
          if (context.settle > 0) {
            const known = metadata.get(...pathOf(call, key)) ?? fresh(context, now)
            const wasProcessing = now < known.settlesAt
            metadata.put(
              { ...known, until: "deleting", wasProcessing, settlesAt: now + context.settle },
              ...pathOf(call, key)
            )
            return noContent
          }
          yield* databases.deleteAttribute(tableId, key)
          metadata.remove(...pathOf(call, key))
          Settling.narrowed({ metadata, databaseId: call.path["databaseId"]!, tableId }, touched, now)
          return noContent
        })
      )
    }
  ]
}
