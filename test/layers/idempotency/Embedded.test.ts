/** Keys in an embedded database: in memory, and in a file that several have open. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { join } from "node:path"
import * as Attribute from "../../../src/Attribute.ts"
import * as Caller from "../../../src/Caller.ts"
import { Databases } from "../../../src/Databases.ts"
import * as Embedded from "../../../src/layers/databases/Embedded.ts"
import * as Database from "../../../src/layers/idempotency/Database.ts"
import * as Collection from "../../../src/layers/idempotency/database/Collection.ts"
import { about, Site, strangeRow, type Traits } from "../../contract/idempotency/support.ts"
import { contract } from "../../contract/IdempotencyStore.ts"
import * as Child from "../../support/Child.ts"
import * as HandClock from "../../support/HandClock.ts"
import { temporaryFolder } from "../../support/Migrating.ts"

const secret = "a secret of thirty-two bytes, or more"

const open = (filename: string) =>
  Effect.orDie(Effect.map(Layer.build(Layer.fresh(Embedded.layer({ filename }))), Context.get(Databases)))

const traits: Traits = { keeps: "rows", clock: "own", removal: "clean-up", creation: "collection", conflict: "tells" }

const inMemory = Effect.gen(function* () {
  const databases = yield* open(":memory:")
  const connect = Effect.sync(() => Database.makeSlots(databases, secret, "memory:"))
  return { clock: yield* HandClock.make, connect, databases }
})
contract("embedded, memory", Layer.succeed(Site, { fresh: inMemory }), traits)

/** Each process opens the file by itself. */
const inFile = Effect.gen(function* () {
  const filename = join(yield* temporaryFolder, "keys.db")
  const connect = Effect.map(open(filename), (databases) => Database.makeSlots(databases, secret, `sqlite:${filename}`))
  return { clock: yield* HandClock.make, connect, databases: yield* open(filename) }
})
contract("embedded, file", Layer.succeed(Site, { fresh: inFile }), traits)

describe("keys in a file", () => {
  it.live("four processes that find none make the collection at once: each has its own key, one has that of all", () =>
    Effect.gen(function* () {
      const filename = join(yield* temporaryFolder, "keys.db")
      const names = ["a", "b", "c", "d"]
      const children = yield* Effect.forEach(names, (name) => Child.start("claiming.ts", filename, name))
      const outcomes = yield* Effect.forEach(children, (child) => Effect.as(child.ended, child.lines()))
      assert.deepStrictEqual(
        outcomes.map(([, own]) => own),
        names.map((name) => `${name} first ${name}`)
      )
      const shared = outcomes.map(([line = ""]) => line)
      const first = shared.filter((line) => line.startsWith("shared first"))
      assert.lengthOf(first, 1)
      const answer = first[0]?.split(" ")[2]
      for (const line of shared)
        assert.include(["shared refused InProgress", `shared first ${answer}`, `shared replayed ${answer}`], line)
    })
  )

  it.live("a collection of this name and another shape is refused, and the column is named", () =>
    Effect.gen(function* () {
      const whole = yield* Effect.gen(function* () {
        const databases = yield* open(":memory:")
        yield* Database.makeSlots(databases, secret, "").list("k")
        return yield* databases.getCollection(Collection.id)
      })
      assert.deepStrictEqual([whole.$permissions, whole.documentSecurity], [[], false])
      const without = (key: string) => whole.attributes.filter((one) => one.key !== key)
      const shapes: { readonly [column: string]: ReadonlyArray<Attribute.Attribute> } = {
        purgeAt: without("purgeAt"),
        generation: [...without("generation"), Attribute.string("generation", { size: 20 })],
        kind: [...without("kind"), Attribute.boolean("kind")],
        expiresAt: [...without("expiresAt"), Attribute.integer("expiresAt")],
        // It would take every row.
        leaseExpiresAt: [...without("leaseExpiresAt"), Attribute.string("leaseExpiresAt", { size: 64 })],
        amount: [...whole.attributes, Attribute.integer("amount", { required: true })]
      }
      for (const [column, attributes] of Object.entries(shapes)) {
        const databases = yield* open(":memory:")
        yield* databases.createCollection(Collection.id, { attributes })
        const slots = Database.makeSlots(databases, secret, "memory:")
        const row = strangeRow({ slot: 0, expiresAt: Date.now() + 1e6 })
        const failed = yield* Effect.flip(
          Effect.andThen(slots.create("k", row, about, true), slots.removePurged(Date.now(), 1, false))
        )
        assert.strictEqual(failed._tag, "StoreShapeMismatch", `${column}: ${failed.message}`)
        if (failed._tag === "StoreShapeMismatch") assert.strictEqual(failed.column, column)
        assert.include(failed.message, "Rename or delete")
      }
    })
  )

  it.live("callers without the key see no keys, whoever they are", () =>
    Effect.gen(function* () {
      const databases = yield* open(":memory:")
      const slots = Database.makeSlots(databases, secret, "memory:")
      const row = strangeRow({ slot: 0, expiresAt: Date.now() + 1e6 })
      // As a user calls: the store works under the key all the same.
      const asUser = Effect.provideService(Caller.Caller, { _tag: "Roles", roles: ["any", "users", "user:ada"] })
      yield* asUser(slots.create("k", row, about, true))
      const { documents } = yield* databases.listDocuments(Collection.id)
      assert.lengthOf(documents, 1)
      assert.notInclude(JSON.stringify(documents), `"${about.key}"`)
      const seen = yield* Effect.result(asUser(databases.listDocuments(Collection.id)))
      assert.isTrue(seen._tag === "Failure" || seen.success.documents.length === 0)
    })
  )
})
