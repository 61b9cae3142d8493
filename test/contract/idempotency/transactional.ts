import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Attribute from "../../../src/Attribute.ts"
import type { Methods } from "../../../src/Databases.ts"
import { type ClaimRequest, type Ownership } from "../../../src/IdempotencyStore.ts"
import * as IdempotencyOptions from "../../../src/IdempotencyOptions.ts"
import type { NewDocument, Staged } from "../../../src/Operation.ts"
import * as Query from "../../../src/Query.ts"
import {
  known,
  lease,
  margin,
  type Process,
  type Promised,
  replays,
  request,
  storeCall,
  tagged,
  text
} from "./support.ts"

const business = "business"

const transactional = (key = "key"): ClaimRequest => {
  const resolved = IdempotencyOptions.resolve({}, { reconcile: false, transactional: true })
  return resolved._tag === "Failure"
    ? assert.fail(resolved.failure.message)
    : { ...request({ key }), parameters: resolved.success.parameters }
}

/** Claims, and stages a document of this id. */
const staging = Effect.fnUntraced(function* ({ store }: Process, { databaseId }: Methods, id: string, key?: string) {
  const { ownership } = yield* tagged(store.claim(transactional(key)), "Owner")
  const document: Extract<Staged, { _tag: "CreateDocument" }> = {
    _tag: "CreateDocument",
    database: databaseId,
    collection: business,
    document: { $id: id, n: 1 }
  }
  assert.isDefined(ownership.transaction)
  ownership.transaction.staged.push(document)
  return ownership
})

const complete = ({ store }: Process, ownership: Ownership) => store.complete(ownership, text("done"))

/** Documents that the handlers have written. */
const written = (databases: Methods) =>
  Effect.map(databases.listDocuments(business, [Query.orderAsc("$id"), Query.limit(100)]), ({ documents }) =>
    documents.map(({ $id }) => $id)
  )

export const transactionalCompletion = (promise: Promised): void => {
  /** With a collection for what handlers write; where there are no transactions, that is what is asserted. */
  const within = (
    title: string,
    body: (
      databases: Methods,
      one: Process,
      other: Process,
      pass: (ms: number) => Effect.Effect<void>
    ) => Effect.Effect<void, unknown>
  ) =>
    promise(
      title,
      Effect.fnUntraced(function* ({ advance, databases, process }) {
        const [one, other] = [yield* process(), yield* process()]
        if (databases === undefined) {
          // Nothing has happened: the key is given back at once.
          assert.strictEqual((yield* Effect.flip(one.store.claim(transactional())))._tag, "StoreUnavailable")
          assert.deepInclude(yield* known(other), { state: "released" })
          return
        }
        yield* databases.createCollection(business, { attributes: [Attribute.integer("n", { bits: 32 })] })
        yield* body(databases, one, other, advance)
      })
    )

  within(
    "what is staged is written with the completion, and replayed as any answer",
    Effect.fnUntraced(function* (databases, one, other) {
      const ownership = yield* staging(one, databases, "a")
      assert.deepStrictEqual(yield* written(databases), [])
      yield* tagged(complete(one, ownership), "Recorded")
      assert.deepStrictEqual(yield* written(databases), ["a"])
      yield* replays(other, "done")
    })
  )

  within(
    "a zombie's commit is rolled back: its writes are not there, the new owner's are",
    Effect.fnUntraced(function* (databases, one, other, pass) {
      const zombie = yield* staging(one, databases, "zombie")
      yield* pass(lease + margin + 1)
      const owner = yield* staging(other, databases, "owner")
      yield* tagged(complete(one, zombie), "InProgress")
      yield* tagged(complete(other, owner), "Recorded")
      assert.deepStrictEqual(yield* written(databases), ["owner"])
    })
  )

  within(
    "a commit whose answer is lost has happened, and is found",
    Effect.fnUntraced(function* (databases, one, other) {
      const ownership = yield* staging(one, databases, "a")
      one.faults.fail("commit", "lost", { takes: 100 })
      yield* tagged(complete(one, ownership), "Recorded")
      assert.deepStrictEqual(yield* written(databases), ["a"])
      yield* replays(other, "done")
    })
  )

  within(
    "a commit that never arrived is made impossible, then told as not applied; the key is free",
    Effect.fnUntraced(function* (databases, one, other) {
      const ownership = yield* staging(one, databases, "a")
      one.faults.fail("commit", "refused", { takes: 100 })
      const { invalid } = yield* tagged(complete(one, ownership), "Aborted")
      assert.isFalse(invalid)
      assert.deepStrictEqual(yield* written(databases), [])
      assert.deepInclude(yield* known(other), { state: "released" })
      yield* tagged(complete(other, yield* staging(other, databases, "b")), "Recorded")
      assert.deepStrictEqual(yield* written(databases), ["b"])
    })
  )

  within(
    "a commit that was given up, and told as not applied, can't land any more",
    Effect.fnUntraced(function* (databases, one, other) {
      const ownership = yield* staging(one, databases, "a")
      one.faults.fail("commit", "held", { takes: 100 })
      yield* tagged(complete(one, ownership), "Aborted")
      assert.strictEqual(yield* one.faults.land, 1)
      assert.deepStrictEqual(yield* written(databases), [])
      yield* tagged(complete(other, yield* staging(other, databases, "b")), "Recorded")
      assert.deepStrictEqual(yield* written(databases), ["b"])
      yield* replays(one, "done")
    })
  )

  within(
    "what others have written meanwhile is told as a conflict, what is refused for good as invalid; nothing is applied",
    Effect.fnUntraced(function* (databases, one, other) {
      const stageBadly = Effect.fnUntraced(function* (key: string, bad: NewDocument) {
        const ownership = yield* staging(one, databases, `fresh-${key}`, key)
        const at = { database: databases.databaseId, collection: business }
        ownership.transaction!.staged.push({ _tag: "CreateDocument", ...at, document: bad })
        const told = yield* tagged(complete(one, ownership), "Aborted")
        assert.isNotEmpty(told.detail)
        assert.deepInclude(yield* known(other, key), { state: "released" })
        return told.invalid
      })
      yield* databases.createDocument(business, { $id: "taken", n: 1 })
      assert.isFalse(yield* stageBadly("conflict", { $id: "taken", n: 2 }))
      assert.isTrue(yield* stageBadly("invalid", { $id: "x", nothing: 1 }))
      assert.deepStrictEqual(yield* written(databases), ["taken"])
    })
  )

  within(
    "a store that is silent until the lease ends: nobody says that it was applied or not, and the claim stays",
    Effect.fnUntraced(function* (databases, one, other, pass) {
      const ownership = yield* staging(one, databases, "a")
      one.faults.fail("commit", "held", { times: 100, takes: storeCall })
      for (const call of ["create", "list"] as const) one.faults.fail(call, "refused", { times: 100, takes: storeCall })
      assert.strictEqual((yield* Effect.flip(complete(one, ownership)))._tag, "StoreUnavailable")
      assert.include(["claimed", "lapsed"], (yield* known(other)).state)
      // It lands after all, before anybody has taken over: then it is done, once.
      one.faults.mend()
      yield* one.faults.land
      assert.deepStrictEqual(yield* written(databases), ["a"])
      yield* pass(lease + margin + 1)
      yield* replays(other, "done")
    })
  )
}
