/** A database in which what is parked has its old names and definitions: for the backup before it is deleted for good. */
import * as Effect from "effect/Effect"
import type { Attribute } from "../../Attribute.ts"
import { type Collection, sameKey } from "../../Collection.ts"
import { type Execute, make, type Methods } from "../../Databases.ts"
import type { Document } from "../../Document.ts"
import type { Of, Operation, ResultOf, Tag } from "../../Operation.ts"

export interface Parked {
  /** Its name while it is parked. */
  readonly key: string
  readonly original: Attribute
}

/** `enabled`: of a collection that is parked itself, how it was. */
export const view = (live: Methods, parked: ReadonlyArray<Parked>, enabled: boolean | undefined): Methods => {
  /** A key that another attribute has taken since stays with that one. */
  const renamed = ({ attributes }: Collection): ReadonlyMap<string, Attribute> =>
    new Map(
      parked
        .filter(({ original }) => !attributes.some(({ key }) => sameKey(key, original.key)))
        .map(({ key, original }) => [key, original])
    )
  const asBefore = (collection: Collection): Collection => {
    const names = renamed(collection)
    return {
      ...collection,
      enabled: enabled ?? collection.enabled,
      attributes: collection.attributes.map((attribute) => names.get(attribute.key) ?? attribute)
    }
  }
  const documentAsBefore = (names: ReadonlyMap<string, Attribute>, document: Document): Document =>
    Object.fromEntries(Object.entries(document).map(([key, value]) => [names.get(key)?.key ?? key, value])) as Document

  const perform = Effect.fnUntraced(function* (operation: Operation) {
    const result: unknown = yield* live.execute(operation)
    if (operation._tag === "GetCollection") return asBefore(result as Collection)
    if (operation._tag !== "ListDocuments" || parked.length === 0) return result
    const list = result as ResultOf<"ListDocuments">
    const names = renamed(yield* live.in(operation.database).getCollection(operation.collection))
    return { ...list, documents: list.documents.map((document) => documentAsBefore(names, document)) }
  })
  const execute: Execute = <T extends Tag>(operation: Of<T>) =>
    Effect.map(perform(operation), (result) => result as ResultOf<T>)
  return make({ execute, databaseId: live.databaseId })
}
