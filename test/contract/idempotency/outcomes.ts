import { assert } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as HttpMessage from "../../../src/HttpMessage.ts"
import * as Idempotency from "../../../src/Idempotency.ts"
import type * as IdempotencyOptions from "../../../src/IdempotencyOptions.ts"
import { lease, margin, type Process, type Promised, storeCall } from "./support.ts"

class Final extends Schema.TaggedError<Final>()("Final", { why: Schema.String }) {
  readonly retryable = false
}
class Retryable extends Schema.TaggedError<Retryable>()("Retryable", {}) {
  readonly retryable = true
}
class Plain extends Schema.TaggedError<Plain>()("Plain", {}) {}

/** The public interface over a process's store. */
const publicly = ({ layer, live }: Process, options: IdempotencyOptions.Options = {}) => {
  const service = Idempotency.layer({ localCache: 0, ...options }).pipe(Layer.provide(layer))
  return <A, E>(effect: Effect.Effect<A, E, Idempotency.Idempotency>) => live(Effect.provide(effect, service))
}

const post = (key: string, body = "{}"): HttpMessage.Request => ({
  method: "POST",
  path: "/pay",
  headers: { "idempotency-key": `"${key}"`, "content-type": "application/json", "x-appwrite-user-id": "ada" },
  body
})

/** What the next request meets. */
type Row = "stored" | "released" | "kept"

const statuses: { readonly [row in Row]: ReadonlyArray<number> } = {
  stored: [200, 201, 202, 204, 301, 302, 304, 400, 402, 404, 405, 406, 410, 411, 412, 413, 415, 422, 428, 451],
  released: [401, 403, 407, 408, 409, 421, 423, 424, 425, 429, 503],
  kept: [500, 501, 502, 504, 505, 507, 599]
}

export const outcomes = (promise: Promised): void => {
  for (const [row, all] of Object.entries(statuses))
    promise(
      `responses that are ${row}: ${all.join(", ")}`,
      Effect.fnUntraced(function* ({ advance, process }) {
        const one = yield* process()
        const as = publicly(one)
        for (const status of all) {
          let runs = 0
          const handle = Idempotency.middleware({ operation: "pay" })((_request: HttpMessage.Request) =>
            Effect.sync((): HttpMessage.Response => ({
              status,
              headers: { "x-run": String(++runs) },
              body: `run ${runs}`
            }))
          )
          const send = as(handle(post(`status ${status}`)))
          const first = yield* send
          assert.deepInclude(first, { status, body: "run 1" })
          assert.notProperty(first.headers, "idempotency-replayed")
          const second = yield* send
          if (row === "stored") {
            assert.deepInclude(second, { status, body: "run 1" })
            assert.deepInclude(second.headers, { "x-run": "1", "idempotency-replayed": "true" })
          } else if (row === "released") assert.deepInclude(second, { status, body: "run 2" })
          else {
            assert.strictEqual(second.status, 409)
            assert.include(String(second.body), "in-progress")
            // Whole seconds, and up to one of jitter.
            assert.include(["66", "67"], second.headers["retry-after"])
            yield* advance(lease + margin + 1)
            assert.deepInclude(yield* send, { status, body: "run 2" })
          }
        }
      })
    )

  promise(
    "a response marked final is stored, whatever its status",
    Effect.fnUntraced(function* ({ process }) {
      const as = publicly(yield* process())
      for (const status of [500, 503, 429]) {
        let runs = 0
        const handle = Idempotency.middleware({ operation: "pay" })((_request: HttpMessage.Request) =>
          Effect.sync((): HttpMessage.Response => ({ status, headers: {}, body: `run ${++runs}`, final: true }))
        )
        const send = as(handle(post(`final ${status}`)))
        yield* send
        assert.deepInclude(yield* send, { status, body: "run 1" })
      }
    })
  )

  promise(
    "an empty 204 is replayed as 204, and its handler does not run again",
    Effect.fnUntraced(function* ({ process }) {
      const as = publicly(yield* process())
      let runs = 0
      const handle = Idempotency.middleware({ operation: "pay" })((_request: HttpMessage.Request) =>
        Effect.sync((): HttpMessage.Response => ({ status: 204, headers: {}, body: ++runs > 0 ? "" : "never" }))
      )
      const send = as(handle(post("empty")))
      yield* send
      assert.deepInclude(yield* send, { status: 204, body: "" })
      assert.strictEqual(runs, 1)
    })
  )

  /** An effect's end, and what the next attempt meets: the same end, a run of its own, or a claim that is kept. */
  const ends: {
    readonly [name: string]: {
      readonly end: Effect.Effect<string, Final | Retryable | Plain>
      readonly next: Row
      readonly options?: IdempotencyOptions.Options
      readonly isKeptBare?: boolean
    }
  } = {
    "a success": { end: Effect.succeed("done"), next: "stored" },
    "a typed failure marked final": { end: Effect.fail(new Final({ why: "broke" })), next: "stored" },
    "a typed failure marked final, without a schema to keep it by": {
      end: Effect.fail(new Final({ why: "broke" })),
      next: "kept",
      isKeptBare: true
    },
    "a typed failure marked retryable": { end: Effect.fail(new Retryable()), next: "released" },
    "a typed failure that says nothing": { end: Effect.fail(new Plain()), next: "released" },
    "a typed failure that says nothing, under atMostOnce": {
      end: Effect.fail(new Plain()),
      next: "kept",
      options: { mode: "atMostOnce" }
    },
    "a defect": { end: Effect.die(new Error("broke")), next: "kept" },
    "an interruption of the handler by itself": { end: Effect.interrupt, next: "kept" }
  }
  for (const [name, { end, isKeptBare, next, options = {} }] of Object.entries(ends))
    promise(
      `${name} is ${next}`,
      Effect.fnUntraced(function* ({ advance, process }) {
        const as = publicly(yield* process(), options)
        let runs = 0
        const handler = Effect.suspend(() => {
          runs++
          return end
        })
        const Failure = Schema.Union([Final, Retryable, Plain])
        const attempt = as(
          Effect.exit(
            Idempotency.attempt(handler, {
              operation: "pay",
              key: "key",
              success: Schema.String,
              error: isKeptBare === true ? undefined : Failure
            })
          )
        )
        const first = yield* attempt
        const second = yield* attempt
        if (next === "stored") {
          assert.strictEqual(runs, 1)
          if (Exit.isSuccess(second)) assert.deepStrictEqual(second.value, { value: "done", status: "replayed" })
          else assert.deepStrictEqual(second, first)
        } else if (next === "released") {
          assert.strictEqual(runs, 2)
          assert.deepStrictEqual(second, first)
        } else {
          assert.strictEqual(runs, 1)
          assert.include(String(second), "InProgress")
          yield* advance(lease + margin + 1)
          const third = yield* attempt
          if (options.mode === "atMostOnce") assert.include(String(third), "Indeterminate")
          assert.strictEqual(runs, options.mode === "atMostOnce" ? 1 : 2)
        }
      })
    )

  promise(
    "interrupted while it runs, the claim is kept; interrupted before it ran, the key is given back",
    Effect.fnUntraced(function* ({ advance, process }) {
      const one = yield* process()
      const as = publicly(one)
      const begun = yield* Deferred.make<void>()
      let runs = 0
      const attempt = (key: string, handler: Effect.Effect<string>) =>
        as(Idempotency.run(handler, { operation: "pay", key, success: Schema.String }))
      const running = Effect.andThen(
        Effect.sync(() => void runs++),
        Effect.andThen(Deferred.succeed(begun, undefined), Effect.never)
      )
      const fiber = yield* Effect.forkChild(attempt("running", running))
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual((yield* Effect.flip(attempt("running", Effect.succeed("again"))))._tag, "InProgress")
      yield* advance(lease + margin + 1)
      assert.strictEqual(yield* attempt("running", Effect.succeed("again")), "again")

      // A store in this process answers before anybody can interrupt.
      if (one.slots.local) return
      const [landed, answers] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      one.faults.when("after", "create", Effect.andThen(Deferred.succeed(landed, undefined), Deferred.await(answers)))
      const early = yield* Effect.forkChild(attempt("early", running))
      yield* Deferred.await(landed)
      yield* Fiber.interrupt(early)
      yield* Deferred.succeed(answers, undefined)
      const again = Effect.retry(attempt("early", Effect.succeed("again")), { times: 100 })
      assert.strictEqual(yield* again, "again")
      assert.strictEqual(runs, 1)
    })
  )

  promise(
    "a value that its schema can't write is kept without its body: it has happened",
    Effect.fnUntraced(function* ({ process }) {
      const as = publicly(yield* process())
      let runs = 0
      const broken = Effect.sync(() => (++runs > 0 ? Symbol("no JSON") : "never") as string)
      const attempt = as(
        Effect.result(Idempotency.run(broken, { operation: "pay", key: "key", success: Schema.String }))
      )
      assert.strictEqual((yield* attempt)._tag, "Success")
      const second = yield* attempt
      assert.strictEqual(second._tag === "Failure" ? second.failure._tag : "Success", "ResponseNotKept")
      assert.strictEqual(runs, 1)
    })
  )

  promise(
    "the option outcome goes before the table",
    Effect.fnUntraced(function* ({ process }) {
      const as = publicly(yield* process())
      let runs = 0
      const handle = Idempotency.middleware({ operation: "pay", outcome: () => "release" })(
        (_request: HttpMessage.Request) =>
          Effect.sync((): HttpMessage.Response => ({ status: 200, headers: {}, body: `run ${++runs}` }))
      )
      yield* as(handle(post("key")))
      assert.deepInclude(yield* as(handle(post("key"))), { status: 200, body: "run 2" })
    })
  )

  promise(
    "a store that fails at the completion: the answer goes out as unrecorded while the lease is live",
    Effect.fnUntraced(function* ({ process }) {
      const one = yield* process()
      const as = publicly(one)
      const handle = Idempotency.middleware({ operation: "pay" })((_request: HttpMessage.Request) =>
        Effect.sync((): HttpMessage.Response => {
          one.faults.fail("create", "refused", { times: 100, takes: storeCall })
          one.faults.fail("list", "refused", { times: 100, takes: storeCall })
          return { status: 201, headers: {}, body: "done" }
        })
      )
      const answer = yield* as(handle(post("key")))
      assert.deepInclude(answer, { status: 201, body: "done" })
      assert.strictEqual(answer.headers["idempotency-status"], "unrecorded")
    })
  )

  promise(
    "a store that fails at the claim: 503, and no handler starts; with proceed it runs, and says that it is unprotected",
    Effect.fnUntraced(function* ({ process }) {
      const one = yield* process()
      let runs = 0
      const handle = Idempotency.middleware({ operation: "pay" })((_request: HttpMessage.Request) =>
        Effect.sync((): HttpMessage.Response => ({ status: 201, headers: {}, body: `run ${++runs}` }))
      )
      one.faults.fail("create", "refused", { times: 100 })
      one.faults.fail("list", "refused", { times: 100 })
      const refused = yield* publicly(one)(handle(post("key")))
      assert.strictEqual(refused.status, 503)
      assert.isDefined(refused.headers["retry-after"])
      assert.strictEqual(runs, 0)
      const answered = yield* publicly(one, { onStoreFailure: "proceed" })(handle(post("key")))
      assert.deepInclude(answered, { status: 201, body: "run 1" })
      assert.strictEqual(answered.headers["idempotency-status"], "unprotected")
    })
  )
}
