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

/**
 * Parked attributes in groups that can be seen together: in one, no two of them had the same key. A key that was
 * deleted twice in a run is in two groups.
 */
export const groups = <A extends Parked>(parked: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> => {
  const all: Array<Array<A>> = []
  for (const one of parked) {
    const free = all.find((group) => !group.some(({ original }) => sameKey(original.key, one.original.key)))
    if (free === undefined) all.push([one])
    else free.push(one)
  }
  return all.length === 0 ? [[]] : all
}

/**
 * Shows `shown` as they were called before, in place of attributes that have taken their keys since, and hides the
 * other parked ones. `enabled`: of a collection that is parked itself, how it was.
 */
export const view = (
  live: Methods,
  shown: ReadonlyArray<Parked>,
  hidden: ReadonlyArray<Parked>,
  enabled: boolean | undefined
): Methods => {
  const names = new Map(shown.map(({ key, original }) => [key, original]))
  const isHidden = (key: string): boolean =>
    !names.has(key) &&
    (hidden.some((one) => one.key === key) || shown.some(({ original }) => sameKey(original.key, key)))
  const asBefore = (collection: Collection): Collection => ({
    ...collection,
    enabled: enabled ?? collection.enabled,
    attributes: collection.attributes.flatMap((attribute) =>
      isHidden(attribute.key) ? [] : [names.get(attribute.key) ?? attribute]
    ),
    // One on an attribute that is hidden here would be one on another now.
    indexes: collection.indexes.filter(({ attributes }) => !attributes.some(isHidden))
  })
  const documentAsBefore = (document: Document): Document =>
    Object.fromEntries(
      Object.entries(document).flatMap(([key, value]) => (isHidden(key) ? [] : [[names.get(key)?.key ?? key, value]]))
    ) as Document

  const perform = Effect.fnUntraced(function* (operation: Operation) {
    const result: unknown = yield* live.execute(operation)
    if (operation._tag === "GetCollection") return asBefore(result as Collection)
    if (operation._tag !== "ListDocuments" || (names.size === 0 && hidden.length === 0)) return result
    const list = result as ResultOf<"ListDocuments">
    return { ...list, documents: list.documents.map(documentAsBefore) }
  })
  const execute: Execute = <T extends Tag>(operation: Of<T>) =>
    Effect.map(perform(operation), (result) => result as ResultOf<T>)
  return make({ execute, databaseId: live.databaseId })
}
