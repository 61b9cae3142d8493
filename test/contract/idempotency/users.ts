import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as HttpMessage from "../../../src/HttpMessage.ts"
import * as Idempotency from "../../../src/Idempotency.ts"
import type { Process, Promised } from "./support.ts"

const handlerOf = ({ layer, live }: Process, options: Partial<Idempotency.MiddlewareOptions> = {}) => {
  let runs = 0
  const service = Idempotency.layer({ localCache: 0 }).pipe(Layer.provide(layer))
  const handle = Idempotency.middleware({ operation: "pay", ...options })((request: HttpMessage.Request) =>
    Effect.sync((): HttpMessage.Response => ({
      status: 201,
      headers: {},
      body: `${request.headers["x-appwrite-user-id"] ?? "nobody"} ${++runs}`
    }))
  )
  return (user: string | undefined, headers: Record<string, string> = {}, body = "{}") =>
    live(
      Effect.provide(
        handle({
          method: "POST",
          path: "/pay",
          headers: {
            "idempotency-key": "order-17",
            ...(user === undefined ? {} : { "x-appwrite-user-id": user }),
            ...headers
          },
          body
        }),
        service
      )
    )
}

export const users = (promise: Promised): void => {
  promise(
    "an equal key of another user is another key: no answer of one is given to the other",
    Effect.fnUntraced(function* ({ process }) {
      const send = handlerOf(yield* process())
      assert.strictEqual((yield* send("ada")).body, "ada 1")
      assert.strictEqual((yield* send("bob")).body, "bob 2")
      // Nor is another body of his a mismatch with hers.
      assert.strictEqual((yield* send("eve", {}, "other")).body, "eve 3")
      assert.strictEqual((yield* send("ada")).body, "ada 1")
      assert.strictEqual((yield* send("bob")).body, "bob 2")
      assert.strictEqual((yield* send("eve", {}, "other")).body, "eve 3")
      assert.strictEqual((yield* send("ada", {}, "other")).status, 422)
      // Ids are told apart by case.
      assert.strictEqual((yield* send("Ada")).body, "Ada 4")
    })
  )

  promise(
    "an anonymous caller has keys of its own, and gets no user's answer",
    Effect.fnUntraced(function* ({ process }) {
      const send = handlerOf(yield* process())
      assert.strictEqual((yield* send("ada")).body, "ada 1")
      assert.strictEqual((yield* send(undefined)).body, "nobody 2")
      assert.strictEqual((yield* send("")).headers["idempotency-replayed"], "true")
      assert.strictEqual((yield* send(undefined)).headers["idempotency-replayed"], "true")
      assert.strictEqual((yield* send("ada")).body, "ada 1")
    })
  )

  promise(
    "a joined user id header, or one that is no id, is refused with 400 before the store is asked",
    Effect.fnUntraced(function* ({ process }) {
      const one = yield* process()
      const send = handlerOf(one)
      for (const user of ["evil, real", "evil,real", "a b", "-a", "a".repeat(37), "ädä", "a\u0000", "a/b"]) {
        const { body, status } = yield* send(user)
        assert.strictEqual(status, 400, user)
        assert.include(String(body), "user-invalid")
      }
      assert.isEmpty(one.faults.take())
      assert.strictEqual((yield* send("a".repeat(36))).status, 201)
    })
  )

  promise(
    "a key that is missing, malformed, too long or given several times is refused before the store is asked",
    Effect.fnUntraced(function* ({ process }) {
      const one = yield* process()
      const send = handlerOf(one)
      for (const key of ['"a', "a b", "ä", `"${"k".repeat(256)}"`, "a, b", '"a", "b"', "", '""', "a\u0000"]) {
        const { status } = yield* send("ada", { "idempotency-key": key })
        assert.strictEqual(status, 400, key)
      }
      assert.isEmpty(one.faults.take())
    })
  )

  promise(
    "operations, tenants and namespaces have keys of their own",
    Effect.fnUntraced(function* ({ process }) {
      const one = yield* process()
      const each = [{}, { operation: "refund" }, { tenant: "t" }, { namespace: "n" }, { tenant: "n" }].map((options) =>
        handlerOf(one, options)
      )
      for (const send of each) assert.strictEqual((yield* send("ada")).body, "ada 1")
      for (const send of each) assert.strictEqual((yield* send("ada")).headers["idempotency-replayed"], "true")
    })
  )
}
