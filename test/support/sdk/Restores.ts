/**
 * Documents put back by single writes. The wire has no call for it: each is read, its hash compared, and what differs
 * is written, by query, since only such a change stores null where there is a default and asks no rule of the rest.
 */
import * as Effect from "effect/Effect"
import * as DatabaseHash from "../../../src/DatabaseHash.ts"
import { InvalidArgument } from "../../../src/DatabasesError.ts"
import type { Document } from "../../../src/Document.ts"
import { batchLimit, type Of, type ResultOf } from "../../../src/Operation.ts"
import * as Query from "../../../src/Query.ts"
import type { Table } from "./Columns.ts"
import { texts } from "./Queries.ts"
import * as Refusals from "./Refusals.ts"
import { list, tableOf } from "./Rows.ts"
import { type Answer, refuse, type Session } from "./Session.ts"

type Given = { readonly [key: string]: unknown }

const sameValue = (left: unknown, right: unknown): boolean =>
  Array.isArray(left) && Array.isArray(right)
    ? left.length === right.length && left.every((one, position) => one === right[position])
    : left === right

/** What has to be written to make one of the other. Dates always: a write moves them. */
const difference = (found: Document, wanted: Document): Given => {
  const values = Object.entries(wanted).filter(([key, value]) => !key.startsWith("$") && !sameValue(found[key], value))
  const { $createdAt, $permissions, $updatedAt } = wanted
  return { ...Object.fromEntries(values), $permissions, $createdAt, $updatedAt }
}

export const restoreDocuments = Effect.fnUntraced(function* (
  session: Session,
  operation: Of<"RestoreDocuments">
): Effect.fn.Return<ResultOf<"RestoreDocuments">, Effect.Error<Answer<unknown>>> {
  const { restores } = operation
  const table: Table = tableOf(operation)
  yield* session.call((tables) => tables.getTable(table))
  if (restores.length === 0 || restores.length > batchLimit) {
    const detail = `a batch has 1 to ${batchLimit} documents`
    return yield* refuse(new InvalidArgument({ type: "general_argument_invalid", argument: "restores", detail }))
  }
  const { takenIndex } = Refusals.make(session)
  const ids = restores.map(({ id }) => id)
  const stored = yield* list(session, table, [Query.equal("$id", ids), Query.limit(ids.length)])
  const all = restores.map((restore) => {
    const found = stored.find(({ $id }) => $id.toLowerCase() === restore.id.toLowerCase())
    const hash = found === undefined ? null : DatabaseHash.document(found)
    const wanted = restore.document === null ? null : DatabaseHash.document(restore.document)
    return {
      ...restore,
      found,
      standing: hash === wanted ? "wanted" : hash === restore.expected ? "expected" : "foreign"
    }
  })

  const change = (id: string, data: Given) =>
    session.call((tables) => tables.updateRows({ ...table, data, queries: texts([Query.equal("$id", id)]) }))
  /** False where another document has the values: then the server fails as a whole, or says that there is one. */
  const unlessTaken = <A>(id: string, values: Given, write: Answer<A>): Answer<boolean> =>
    Effect.catch(Effect.as(write, true), (failure) =>
      Effect.flatMap(takenIndex(table.databaseId, table.tableId, id, values), (index) =>
        index === undefined ? Effect.fail(failure) : Effect.succeed(false)
      )
    )
  const create = Effect.fnUntraced(function* (wanted: Document) {
    const { $createdAt, $id, $permissions, $sequence: _sequence, $updatedAt, ...values } = wanted
    const data = { ...values, $createdAt, $updatedAt }
    const row = { ...table, rowId: $id, data, permissions: [...$permissions] }
    yield* session.call((tables) => tables.createRow(row))
    // Null became the default.
    const [made] = yield* list(session, table, [Query.equal("$id", $id)])
    if (made !== undefined) yield* change($id, difference(made, wanted))
  })

  const due = all.filter(({ standing }) => standing === "expected")
  for (const { document, id } of due) {
    if (document === null) yield* session.call((tables) => tables.deleteRow({ ...table, rowId: id }))
  }
  const putBack = (id: string, found: Document, wanted: Document) =>
    unlessTaken(id, wanted, change(id, difference(found, wanted)))
  const failed: Array<(typeof due)[number]> = []
  for (const one of due) {
    if (one.document === null || one.found === undefined) continue
    if (!(yield* putBack(one.id, one.found, one.document))) failed.push(one)
  }
  // Those that are left may have swapped values: they let go of them, and then each takes its own.
  const { indexes } = yield* session.call((tables) => tables.getTable(table))
  const uniques = indexes.filter(({ type }) => type === "unique").flatMap(({ columns }) => columns)
  const freed = Object.fromEntries(uniques.filter((key) => !key.startsWith("$")).map((key) => [key, null]))
  const conflicts = new Set(all.filter(({ standing }) => standing === "foreign"))
  const freeAll = (some: typeof failed) => Effect.forEach(some, ({ id }) => change(id, freed), { discard: true })
  // One that must keep its values may be in the way of others: so until the rest can be done together.
  for (let waiting = failed; waiting.length > 0;) {
    yield* freeAll(waiting)
    const stuck = yield* Effect.filter(waiting, (one) =>
      Effect.map(putBack(one.id, { ...one.found!, ...freed }, one.document!), (done) => !done)
    )
    if (stuck.length === 0) break
    yield* freeAll(waiting)
    for (const one of waiting) yield* change(one.id, difference({ ...one.document!, ...freed }, one.found!))
    for (const one of stuck) conflicts.add(one)
    waiting = waiting.filter((one) => !conflicts.has(one))
  }
  for (const one of due) {
    if (one.found !== undefined || one.document === null) continue
    if (!(yield* unlessTaken(one.id, one.document, create(one.document)))) conflicts.add(one)
  }
  return { conflicts: all.flatMap((one) => (conflicts.has(one) ? [one.id] : [])) }
})
