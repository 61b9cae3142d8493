/** What users of `Idempotency` compose: runs, steps, tokens, transactions, batches, and the options. */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as Attribute from "../src/Attribute.ts"
import { Databases } from "../src/Databases.ts"
import * as Idempotency from "../src/Idempotency.ts"
import { StoreUnavailable } from "../src/IdempotencyError.ts"
import type { Options } from "../src/IdempotencyOptions.ts"
import { IdempotencyStore, make as makeStore } from "../src/IdempotencyStore.ts"
import * as Embedded from "../src/layers/databases/Embedded.ts"
import * as Database from "../src/layers/idempotency/Database.ts"
import * as Memory from "../src/layers/idempotency/Memory.ts"

const onMemory = (options: Options = {}) => Idempotency.layer(options).pipe(Layer.provideMerge(Memory.layer()))
const secret = Redacted.make("s".repeat(32))
const onDatabase = Idempotency.layer().pipe(
  Layer.provideMerge(Database.layer({ secret })),
  Layer.provideMerge(Embedded.memory)
)

const Receipt = Schema.Struct({ number: Schema.Int })
const charge = { operation: "charge", key: "k1", payload: { amount: 5 }, success: Receipt }

/** A handler that counts its starts. */
const counting = Effect.map(Ref.make(0), (starts) => ({
  starts,
  handler: Effect.map(
    Ref.updateAndGet(starts, (n) => n + 1),
    (number) => ({ number })
  )
}))

describe("Idempotency.run", () => {
  it.effect("runs once for a key, and says how each answer came about", () =>
    Effect.gen(function* () {
      const { handler, starts } = yield* counting
      assert.deepStrictEqual(yield* Idempotency.attempt(handler, charge), { value: { number: 1 }, status: "first" })
      assert.deepStrictEqual(yield* Idempotency.attempt(handler, charge), { value: { number: 1 }, status: "replayed" })
      assert.deepStrictEqual(yield* Idempotency.run(handler, { ...charge, key: "k2" }), { number: 2 })
      assert.strictEqual(yield* Ref.get(starts), 2)
    }).pipe(Effect.provide(onMemory()))
  )

  it.effect("a key belongs to its operation, user, tenant and namespace", () =>
    Effect.gen(function* () {
      const { handler } = yield* counting
      const numbers = yield* Effect.forEach(
        [
          {},
          { operation: "refund" },
          { userId: "u1" },
          { userId: "u2" },
          { tenant: "t1" },
          { namespace: "other" },
          { identityKey: Redacted.make("i") }
        ],
        (other) => Effect.map(Idempotency.run(handler, { ...charge, ...other }), ({ number }) => number)
      )
      assert.deepStrictEqual(numbers, [1, 2, 3, 4, 5, 6, 7])
    }).pipe(Effect.provide(onMemory()))
  )

  it.effect("refuses a key, a user and a missing key by name", () =>
    Effect.gen(function* () {
      const { handler, starts } = yield* counting
      const tagOf = (other: object) =>
        Effect.map(Effect.flip(Idempotency.run(handler, { ...charge, ...other })), ({ _tag }) => _tag)
      assert.strictEqual(yield* tagOf({ key: "" }), "KeyInvalid")
      assert.strictEqual(yield* tagOf({ key: "ü" }), "KeyInvalid")
      assert.strictEqual(yield* tagOf({ key: "x".repeat(256) }), "KeyInvalid")
      assert.strictEqual(yield* tagOf({ key: undefined }), "KeyMissing")
      assert.strictEqual(yield* tagOf({ userId: "evil, real" }), "UserInvalid")
      assert.strictEqual(yield* Ref.get(starts), 0)
    }).pipe(Effect.provide(onMemory()))
  )

  it.effect("without a key: unprotected where that is allowed, or by what it asks for", () =>
    Effect.gen(function* () {
      const { handler } = yield* counting
      const loose = { operation: "o", success: Receipt, payload: { a: 1 } }
      const optional = { ...loose, keyPolicy: "optional" } as const
      assert.deepStrictEqual(yield* Idempotency.attempt(handler, optional), {
        value: { number: 1 },
        status: "unprotected"
      })
      assert.deepStrictEqual(yield* Idempotency.run(handler, optional), { number: 2 })
      const byPayload = { ...loose, keyPolicy: "payload" } as const
      assert.deepStrictEqual(yield* Idempotency.run(handler, byPayload), { number: 3 })
      assert.deepStrictEqual(yield* Idempotency.run(handler, byPayload), { number: 3 })
      assert.deepStrictEqual(yield* Idempotency.run(handler, { ...byPayload, payload: { a: 2 } }), { number: 4 })
    }).pipe(Effect.provide(onMemory()))
  )

  it.effect("waits for the first one where that is asked for", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const handler = Effect.as(Deferred.await(gate), { number: 7 })
      const first = yield* Effect.forkChild(Idempotency.attempt(handler, charge), { startImmediately: true })
      const conflict = yield* Effect.flip(Idempotency.attempt(handler, charge))
      assert.strictEqual(conflict._tag, "InProgress")
      const waiting = yield* Effect.forkChild(
        Idempotency.attempt(handler, { ...charge, whenInProgress: "wait", waitFor: "10 seconds" }),
        { startImmediately: true }
      )
      yield* TestClock.adjust("2 seconds")
      yield* Deferred.succeed(gate, undefined)
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(yield* Fiber.join(waiting), { value: { number: 7 }, status: "replayed" })
      assert.deepStrictEqual(yield* Fiber.join(first), { value: { number: 7 }, status: "first" })
    }).pipe(Effect.provide(onMemory()))
  )

  it.effect("gives up waiting after its time", () =>
    Effect.gen(function* () {
      const first = yield* Effect.forkChild(Idempotency.attempt(Effect.never, charge), { startImmediately: true })
      const waiting = yield* Effect.forkChild(
        Effect.flip(Idempotency.attempt(Effect.never, { ...charge, whenInProgress: "wait", waitFor: "3 seconds" })),
        { startImmediately: true }
      )
      for (let second = 0; second < 4; second++) yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(waiting))._tag, "InProgress")
      yield* Fiber.interrupt(first)
    }).pipe(Effect.provide(onMemory()))
  )

  it.effect("keeps its lease while a long handler runs", () =>
    Effect.gen(function* () {
      const handler = Effect.as(Effect.sleep("10 minutes"), { number: 1 })
      const first = yield* Effect.forkChild(Idempotency.attempt(handler, charge), { startImmediately: true })
      for (let minute = 0; minute < 9; minute++) {
        yield* TestClock.adjust("1 minute")
        assert.strictEqual((yield* Effect.flip(Idempotency.attempt(handler, charge)))._tag, "InProgress")
      }
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual((yield* Fiber.join(first)).status, "first")
    }).pipe(Effect.provide(onMemory()))
  )

  it.effect("without renewals the lease runs out, one other takes over, and the first one's result is never sent", () =>
    Effect.gen(function* () {
      const options = { ...charge, renew: false }
      const slow = Effect.as(Effect.sleep("10 minutes"), { number: 1 })
      const first = yield* Effect.forkChild(Idempotency.attempt(slow, options), { startImmediately: true })
      yield* TestClock.adjust("66 seconds")
      assert.deepStrictEqual(yield* Idempotency.attempt(Effect.succeed({ number: 2 }), options), {
        value: { number: 2 },
        status: "first"
      })
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(yield* Fiber.join(first), { value: { number: 2 }, status: "replayed" })
    }).pipe(Effect.provide(onMemory()))
  )

  it.effect("an interruption leaves the claim: it may have happened", () =>
    Effect.gen(function* () {
      const first = yield* Effect.forkChild(Idempotency.attempt(Effect.never, charge), { startImmediately: true })
      yield* Fiber.interrupt(first)
      assert.strictEqual((yield* Effect.flip(Idempotency.attempt(Effect.never, charge)))._tag, "InProgress")
    }).pipe(Effect.provide(onMemory()))
  )

  it.effect("where the store can't be reached: refuses, or proceeds and says so", () =>
    Effect.gen(function* () {
      const { handler, starts } = yield* counting
      assert.strictEqual((yield* Effect.flip(Idempotency.attempt(handler, charge)))._tag, "StoreUnavailable")
      assert.strictEqual(yield* Ref.get(starts), 0)
      assert.deepStrictEqual(yield* Idempotency.attempt(handler, { ...charge, onStoreFailure: "proceed" }), {
        value: { number: 1 },
        status: "unprotected"
      })
    }).pipe(
      Effect.provide(
        Idempotency.layer().pipe(
          Layer.provide(
            Layer.succeed(
              IdempotencyStore,
              IdempotencyStore.of({
                ...makeStore(Memory.makeSlots()),
                claim: () => Effect.fail(new StoreUnavailable({ operation: "claim", detail: "gone" }))
              })
            )
          )
        )
      )
    )
  )

  it.effect("a typed failure is given back, kept or stored, as it says itself", () =>
    Effect.gen(function* () {
      class Declined extends Schema.TaggedError<Declined>()("Declined", { retryable: Schema.Boolean }) {}
      const runs = yield* Ref.make(0)
      const failing = (retryable: boolean) =>
        Effect.andThen(
          Ref.update(runs, (n) => n + 1),
          new Declined({ retryable })
        )
      const options = { ...charge, error: Declined }
      assert.isTrue((yield* Effect.flip(Idempotency.run(failing(true), options))) instanceof Declined)
      assert.isTrue((yield* Effect.flip(Idempotency.run(failing(false), options))) instanceof Declined)
      const again = yield* Effect.flip(Idempotency.run(failing(true), options))
      assert.isTrue(again instanceof Declined && !again.retryable)
      assert.strictEqual(yield* Ref.get(runs), 2)
    }).pipe(Effect.provide(onMemory()))
  )
})

describe("payloads and values", () => {
  it.effect("dates, maps and sets that differ are different requests", () =>
    Effect.gen(function* () {
      const pairs: ReadonlyArray<readonly [unknown, unknown]> = [
        [new Date(0), new Date(1)],
        [{ at: new Date(0) }, { at: new Date(1) }],
        [new Map([["a", 1]]), new Map([["a", 2]])],
        [new Set([1]), new Set([2])],
        [1n, 2n],
        [new Uint8Array([1]), new Uint8Array([2])]
      ]
      for (const [index, [one, other]] of pairs.entries()) {
        const of = (payload: unknown) =>
          Idempotency.run(Effect.succeed({ number: 1 }), { ...charge, key: `k${index}`, payload })
        yield* of(one)
        yield* of(one)
        assert.strictEqual((yield* Effect.flip(of(other)))._tag, "FingerprintMismatch", String(index))
      }
    }).pipe(Effect.provide(onMemory()))
  )

  it.effect("what the fingerprint can't tell apart is refused", () =>
    Effect.gen(function* () {
      const payloads = [
        new URLSearchParams("a=1"),
        new ArrayBuffer(1),
        /a/,
        NaN,
        { at: Infinity },
        () => 1,
        Symbol("a")
      ]
      for (const payload of payloads) {
        const error = yield* Effect.flip(Idempotency.run(Effect.succeed({ number: 1 }), { ...charge, payload }))
        assert.strictEqual(error._tag, "OptionsInvalid")
      }
    }).pipe(Effect.provide(onMemory()))
  )

  it.effect("an operation without a local cache asks the store", () =>
    Effect.gen(function* () {
      const { handler } = yield* counting
      const own = { ...charge, localCache: 0 }
      yield* Idempotency.run(handler, own)
      // A clean-up that comes a year later: only the store forgets.
      const store = yield* IdempotencyStore
      yield* TestClock.adjust("26 hours")
      yield* store.removeExpired()
      assert.strictEqual((yield* Idempotency.attempt(handler, own)).status, "first")
    }).pipe(Effect.provide(onMemory()))
  )

  it.effect("a payload without an end is refused by a typed error", () =>
    Effect.gen(function* () {
      const circle: { self?: unknown } = {}
      circle.self = circle
      const error = yield* Effect.flip(Idempotency.run(Effect.succeed({ number: 1 }), { ...charge, payload: circle }))
      assert.strictEqual(error._tag, "OptionsInvalid")
      assert.include(error.message, "payload")
    }).pipe(Effect.provide(onMemory()))
  )

  it.effect("nothing, undefined and optional values are values", () =>
    Effect.gen(function* () {
      let runs = 0
      const twice = <A>(key: string, value: A, success: Schema.Codec<A, unknown>) =>
        Effect.gen(function* () {
          const effect = Effect.sync(() => {
            runs++
            return value
          })
          const first = yield* Idempotency.run(effect, { operation: "o", key, success })
          assert.deepStrictEqual(yield* Idempotency.run(effect, { operation: "o", key, success }), first)
        })
      yield* twice("void", undefined, Schema.Void)
      yield* twice("undefined", undefined, Schema.Undefined)
      yield* twice("null", null, Schema.Null)
      yield* twice("date", new Date(5), Schema.Date)
      yield* twice("big", 2n ** 80n, Schema.BigInt)
      assert.strictEqual(runs, 5)
    }).pipe(Effect.provide(onMemory({ localCache: 0 })))
  )

  it.effect("support finds a key by what it was sent with", () =>
    Effect.gen(function* () {
      const asked = { operation: "charge", key: "k1", userId: "u1" }
      assert.isUndefined(yield* Idempotency.inspect(asked))
      yield* Idempotency.run(Effect.succeed({ number: 1 }), { ...charge, userId: "u1" })
      const known = yield* Idempotency.inspect({ ...asked, response: true })
      assert.strictEqual(known?.state, "done")
      assert.strictEqual(known?.response?.body, `{"number":1}`)
      assert.isUndefined((yield* Idempotency.inspect(asked))?.response)
    }).pipe(Effect.provide(onMemory()))
  )
})

describe("atMostOnce", () => {
  const options = { ...charge, mode: "atMostOnce", renew: false } as const
  const abandoned = Effect.gen(function* () {
    const first = yield* Effect.forkChild(Idempotency.attempt(Effect.never, options), { startImmediately: true })
    yield* Fiber.interrupt(first)
    yield* TestClock.adjust("66 seconds")
  })

  it.effect("after a lease ran out nobody knows, and nothing is tried again", () =>
    Effect.gen(function* () {
      yield* abandoned
      const { handler, starts } = yield* counting
      assert.strictEqual((yield* Effect.flip(Idempotency.attempt(handler, options)))._tag, "Indeterminate")
      assert.strictEqual(yield* Ref.get(starts), 0)
    }).pipe(Effect.provide(onMemory()))
  )

  it.effect("reconcile says what became of it, by the very token that the first attempt had", () =>
    Effect.gen(function* () {
      const token = yield* Deferred.make<string>()
      const first = yield* Effect.forkChild(
        Idempotency.attempt(
          Effect.flatMap(Idempotency.token(), (known) => Effect.andThen(Deferred.succeed(token, known), Effect.never)),
          options
        ),
        { startImmediately: true }
      )
      const expected = yield* Deferred.await(token)
      yield* Fiber.interrupt(first)
      yield* TestClock.adjust("66 seconds")
      const { handler, starts } = yield* counting
      const unknown = Idempotency.attempt(handler, {
        ...options,
        reconcile: () => Effect.succeed({ _tag: "Unknown" })
      })
      assert.strictEqual((yield* Effect.flip(unknown))._tag, "Indeterminate")
      yield* TestClock.adjust("66 seconds")
      const asked: Array<string> = []
      const happened = Idempotency.attempt(handler, {
        ...options,
        reconcile: (known) => {
          asked.push(known)
          return Effect.succeed({ _tag: "Happened", value: { number: 40 } })
        }
      })
      assert.deepStrictEqual(yield* happened, { value: { number: 40 }, status: "first" })
      assert.deepStrictEqual(asked, [expected])
      assert.strictEqual(yield* Ref.get(starts), 0)
    }).pipe(Effect.provide(onMemory()))
  )

  it.effect("a reconciliation that fails leaves the claim, however it fails: nothing runs twice", () =>
    Effect.gen(function* () {
      for (const retryable of [true, false, undefined]) {
        const key = `k${retryable}`
        const first = yield* Effect.forkChild(Idempotency.attempt(Effect.never, { ...options, key }), {
          startImmediately: true
        })
        yield* Fiber.interrupt(first)
        yield* TestClock.adjust("66 seconds")
        const { handler, starts } = yield* counting
        const Failure = Schema.Struct({ retryable: Schema.UndefinedOr(Schema.Boolean) })
        const failing = Idempotency.attempt<{ readonly number: number }, typeof Failure.Type, never>(handler, {
          ...options,
          key,
          error: Failure,
          reconcile: () => Effect.fail({ retryable })
        })
        assert.deepStrictEqual(yield* Effect.flip(failing), { retryable })
        assert.strictEqual((yield* Effect.flip(Idempotency.attempt(handler, { ...options, key })))._tag, "InProgress")
        assert.strictEqual(yield* Ref.get(starts), 0)
      }
    }).pipe(Effect.provide(onMemory()))
  )

  it.effect("reconcile says that it did not happen: the handler runs", () =>
    Effect.gen(function* () {
      yield* abandoned
      const { handler } = yield* counting
      const answer = yield* Idempotency.attempt(handler, {
        ...options,
        reconcile: () => Effect.succeed({ _tag: "DidNotHappen" })
      })
      assert.deepStrictEqual(answer, { value: { number: 1 }, status: "first" })
    }).pipe(Effect.provide(onMemory()))
  )
})

describe("steps and tokens", () => {
  it.effect("a retry after a crash resumes behind the last recorded step, with the same tokens", () =>
    Effect.gen(function* () {
      const done: Array<string> = []
      const tokens: Array<string> = []
      const named = (name: string) =>
        Idempotency.step(
          name,
          Effect.flatMap(Idempotency.token(), (token) =>
            Effect.sync(() => {
              done.push(name)
              tokens.push(token)
              return name.length
            })
          )
        )
      const handler = (crashes: boolean) =>
        Effect.gen(function* () {
          const reserved = yield* named("reserve")
          const charged = yield* named("charged")
          if (crashes) return yield* Effect.die("power cut")
          yield* named("mail")
          return { number: reserved + charged }
        })
      const options = { ...charge, renew: false }
      yield* Effect.exit(Idempotency.run(handler(true), options))
      yield* TestClock.adjust("66 seconds")
      assert.deepStrictEqual(yield* Idempotency.run(handler(false), options), { number: 14 })
      assert.deepStrictEqual(done, ["reserve", "charged", "mail"])
      assert.strictEqual(new Set(tokens).size, 3)
    }).pipe(Effect.provide(onMemory()))
  )

  it.effect("outside a protected handler a step just runs, and tokens are random", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* Idempotency.step("a", Effect.succeed(1)), 1)
      assert.notStrictEqual(yield* Idempotency.token(), yield* Idempotency.token())
    })
  )

  it.effect("a step without a slot is refused, and what was done is kept", () =>
    Effect.gen(function* () {
      const handler = Effect.gen(function* () {
        for (let n = 1; n <= 70; n++) yield* Idempotency.step(`s${n}`, Effect.succeed(n))
        return { number: 0 }
      })
      const error = yield* Effect.flip(Idempotency.run(handler, charge))
      assert.strictEqual(error._tag, "ChainFull")
      assert.include(error.message, "s63")
      // Its claim stays: 62 steps have happened.
      assert.strictEqual((yield* Effect.flip(Idempotency.run(handler, charge)))._tag, "InProgress")
    }).pipe(Effect.provide(onMemory()))
  )

  it.effect("a step's name is refused before its effect, where no row takes it", () =>
    Effect.gen(function* () {
      for (const name of ["", "x".repeat(256), "\ud800"]) {
        const error = yield* Effect.flip(Idempotency.step(name, Effect.die("it ran")))
        assert.strictEqual(error._tag, "OptionsInvalid")
        const operation = yield* Effect.flip(Idempotency.run(Effect.die("it ran"), { ...charge, operation: name }))
        assert.strictEqual(operation._tag, "OptionsInvalid")
      }
    }).pipe(Effect.provide(onMemory()))
  )

  it.effect("a step of any schema comes back as it was", () =>
    Effect.gen(function* () {
      const at = new Date(0)
      const seen: Array<Date> = []
      const handler = (crashes: boolean) =>
        Effect.gen(function* () {
          seen.push(
            yield* Idempotency.step(
              "at",
              Effect.sync(() => new Date(at)),
              Schema.Date
            )
          )
          if (crashes) return yield* Effect.die("power cut")
          return { number: 1 }
        })
      yield* Effect.exit(Idempotency.run(handler(true), charge))
      yield* TestClock.adjust("66 seconds")
      yield* Idempotency.run(handler(false), charge)
      assert.deepStrictEqual(seen, [at, at])
    }).pipe(Effect.provide(onMemory()))
  )
})

describe("Idempotency.transactional", () => {
  const order = (id: string) => ({
    _tag: "CreateDocument" as const,
    database: "main",
    collection: "orders",
    document: { $id: id, number: 1 }
  })
  const setUp = Effect.flatMap(Databases, (db) =>
    db.createCollection("orders", { attributes: [Attribute.integer("number")] })
  )
  const ids = Effect.flatMap(Databases, (db) =>
    Effect.map(db.listDocuments("orders"), ({ documents }) => documents.map(({ $id }) => $id))
  )
  const ordering = (id: string) =>
    Effect.gen(function* () {
      const { stage } = yield* Idempotency.Transaction
      yield* stage([order(id)])
      return { number: 1 }
    })

  it.live("writes what was staged with the completion, once", () =>
    Effect.gen(function* () {
      yield* setUp
      assert.deepStrictEqual(yield* Idempotency.transactional(ordering("o1"), charge), { number: 1 })
      assert.deepStrictEqual(yield* Idempotency.transactional(ordering("o1"), charge), { number: 1 })
      assert.deepStrictEqual(yield* ids, ["o1"])
    }).pipe(Effect.provide(onDatabase))
  )

  it.live("a conflict leaves nothing, is typed, and frees the key", () =>
    Effect.gen(function* () {
      yield* setUp
      const db = yield* Databases
      yield* db.createDocument("orders", { $id: "o1", number: 0 })
      const error = yield* Effect.flip(Idempotency.transactional(ordering("o1"), charge))
      assert.strictEqual(error._tag, "TransactionConflict")
      yield* db.deleteDocument("orders", "o1")
      assert.deepStrictEqual(yield* Idempotency.transactional(ordering("o1"), charge), { number: 1 })
    }).pipe(Effect.provide(onDatabase))
  )

  it.live("what the database will never take is told apart", () =>
    Effect.gen(function* () {
      yield* setUp
      const bad = Effect.gen(function* () {
        const { stage } = yield* Idempotency.Transaction
        yield* stage([{ ...order("o1"), document: { $id: "o1", number: "x" } }])
        return { number: 1 }
      })
      const error = yield* Effect.flip(Idempotency.transactional(bad, charge))
      assert.strictEqual(error._tag, "TransactionInvalid")
      const many = Effect.gen(function* () {
        const { stage } = yield* Idempotency.Transaction
        yield* stage(Array.from({ length: 100 }, (_, n) => order(`o${n}`)))
        return { number: 1 }
      })
      const tooMany = yield* Effect.flip(Idempotency.transactional(many, { ...charge, key: "k2" }))
      assert.strictEqual(tooMany._tag, "TransactionInvalid")
      assert.include(tooMany.message, "100")
      assert.deepStrictEqual(yield* ids, [])
    }).pipe(Effect.provide(onDatabase))
  )

  it.live("a failure that is kept commits nothing of what was staged before it", () =>
    Effect.gen(function* () {
      yield* setUp
      const Declined = Schema.Struct({ retryable: Schema.Boolean })
      const failing = Effect.andThen(ordering("o1"), Effect.fail({ retryable: false }))
      for (let n = 0; n < 2; n++) {
        const error = yield* Effect.flip(Idempotency.transactional(failing, { ...charge, error: Declined }))
        assert.deepStrictEqual(error, { retryable: false })
      }
      assert.deepStrictEqual(yield* ids, [])
    }).pipe(Effect.provide(onDatabase))
  )

  it.live("a failure of the handler rolls it back", () =>
    Effect.gen(function* () {
      yield* setUp
      const failing = Effect.andThen(ordering("o1"), Effect.fail("no" as const))
      assert.strictEqual(yield* Effect.flip(Idempotency.transactional(failing, charge)), "no")
      assert.deepStrictEqual(yield* ids, [])
      const db = yield* Databases
      assert.deepStrictEqual(
        (yield* db.listTransactions).map(({ status }) => status).filter((status) => status === "pending"),
        []
      )
    }).pipe(Effect.provide(onDatabase))
  )

  it.effect("is refused on a store without transactions before anything is claimed", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Idempotency.transactional(ordering("o1"), charge))
      assert.strictEqual(error._tag, "OptionsInvalid")
      assert.include(error.message, "memory has no transactions")
      assert.strictEqual((yield* Idempotency.attempt(Effect.succeed({ number: 3 }), charge)).status, "first")
    }).pipe(Effect.provide(onMemory()))
  )
})

describe("Idempotency.runEach", () => {
  it.effect("tells what became of each message", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const handle = (message: { readonly id: string }) =>
        Effect.suspend(() => {
          seen.push(message.id)
          return message.id === "m2" ? Effect.fail("down" as const) : Effect.succeed({ number: seen.length })
        })
      const options = { operation: "consume", success: Receipt, key: ({ id }: { readonly id: string }) => id }
      const messages = [{ id: "m1" }, { id: "m2" }, { id: "m3" }, { id: "m1" }]
      const results = yield* Idempotency.runEach(messages, handle, options)
      assert.deepStrictEqual(
        results.map(({ item, result }) => [
          item.id,
          result._tag === "Success" ? result.value.status : Cause.squash(result.cause)
        ]),
        [
          ["m1", "first"],
          ["m2", "down"],
          ["m3", "first"],
          ["m1", "replayed"]
        ]
      )
      const poisoned = yield* Idempotency.runEach(
        [{ id: "p1" }, { id: "p2" }],
        ({ id }) => (id === "p1" ? Effect.die("poison") : Effect.succeed({ number: 0 })),
        options
      )
      assert.deepStrictEqual(
        poisoned.map(({ result }) => result._tag),
        ["Failure", "Success"]
      )
      assert.deepStrictEqual(seen, ["m1", "m2", "m3"])
    }).pipe(Effect.provide(onMemory()))
  )
})

describe("the options", () => {
  const refused = (options: Options) =>
    Effect.map(Effect.flip(Layer.build(onMemory(options)).pipe(Effect.scoped)), ({ option }) => option)

  it.effect("that can't work together refuse to build, and say what to change", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* refused({ ttl: "124 seconds" }), "ttl")
      assert.strictEqual(yield* refused({ lease: "0 seconds" }), "lease")
      assert.strictEqual(yield* refused({ lease: "1 minute", useful: "2 minutes" }), "useful")
      assert.strictEqual(yield* refused({ storeCall: "31 seconds" }), "storeCall")
      assert.strictEqual(yield* refused({ localCache: -1 }), "localCache")
      assert.strictEqual(yield* refused({ cleanUp: 2 }), "cleanUp")
      for (const option of ["lease", "margin", "ttl", "useful", "storeCall", "waitFor"] as const)
        for (const value of [Number.NaN, -1, Infinity, 1e16])
          assert.strictEqual(yield* refused({ [option]: value }), option)
      for (const option of ["mode", "whenInProgress", "keyPolicy", "overflow", "onStoreFailure"] as const)
        assert.strictEqual(yield* refused({ [option]: "zip" }), option)
      yield* Layer.build(onMemory({ ttl: "125 seconds" })).pipe(Effect.scoped)
      const own = yield* Effect.flip(
        Effect.provide(Idempotency.run(Effect.succeed({ number: 1 }), { ...charge, ttl: "1 second" }), onMemory())
      )
      assert.strictEqual(own._tag, "OptionsInvalid")
      assert.include(own.message, "2 × lease + margin")
    })
  )

  it.effect("come from the environment too", () =>
    Effect.gen(function* () {
      const env = ConfigProvider.layer(
        ConfigProvider.fromUnknown({ HOLDFAST_IDEMPOTENCY_TTL: "3 minutes", HOLDFAST_IDEMPOTENCY_LEASE: "10 seconds" })
      )
      const { defaults } = yield* Effect.provide(
        Idempotency.Idempotency,
        Idempotency.layerConfig({ localCache: 3 }).pipe(Layer.provide(Memory.layer()), Layer.provide(env))
      )
      assert.deepInclude(defaults, { localCache: 3 })
      const { handler } = yield* counting
      yield* Effect.gen(function* () {
        yield* Idempotency.run(handler, charge)
        yield* TestClock.adjust("4 minutes")
        assert.deepStrictEqual(yield* Idempotency.run(handler, charge), { number: 2 })
      }).pipe(Effect.provide(Idempotency.layerConfig().pipe(Layer.provide(Memory.layer()), Layer.provide(env))))
    })
  )
})
