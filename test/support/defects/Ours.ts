/** Ours as a subject: the middleware, on the memory store, by a clock that the scenarios move. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as TestClock from "effect/testing/TestClock"
import * as Idempotency from "../../../src/Idempotency.ts"
import { StoreUnavailable } from "../../../src/IdempotencyError.ts"
import { IdempotencyStore, make as makeStore, type Slots } from "../../../src/IdempotencyStore.ts"
import { makeSlots } from "../../../src/layers/idempotency/Memory.ts"
import * as Problem from "../../../src/Problem.ts"
import { type Answer, held, type Response, type Subject, times } from "./Subject.ts"

const problemOf = ({ body, headers }: Response): string | undefined =>
  headers["content-type"] === Problem.contentType ? Problem.kindOf(JSON.parse(body)) : undefined

const asText = (body: string | Uint8Array): string => (typeof body === "string" ? body : new TextDecoder().decode(body))

export const make = (): Subject => {
  const memory = makeSlots()
  let takeover: ReturnType<typeof held> | undefined
  let loses = false
  const slots: Slots = {
    ...memory,
    create: (key, row, about, list) =>
      Effect.suspend(() => {
        const created = memory.create(key, row, about, list)
        if (row.kind === "claim" && row.slot > 0 && takeover !== undefined) {
          const { pass } = takeover
          takeover = undefined
          return Effect.andThen(
            Effect.promise(() => pass()),
            created
          )
        }
        if (row.kind === "claim" && loses) {
          loses = false
          return Effect.andThen(
            created,
            Effect.fail(new StoreUnavailable({ operation: "create", detail: "the answer is lost" }))
          )
        }
        return created
      })
  }
  const store = Layer.succeed(IdempotencyStore, makeStore(slots))
  const runtime = ManagedRuntime.make(
    // Owners that stand still renew nothing; the local cache would answer what the store should.
    Idempotency.layer({ ...times, renew: false, localCache: 0 }).pipe(
      Layer.provideMerge(Layer.merge(store, TestClock.layer()))
    )
  )
  return {
    call: (request, handler) => {
      const protect = Idempotency.middleware({ operation: request.operation })
      const seen = {
        method: "POST",
        path: "/payments",
        headers: {
          "content-type": "application/json",
          ...(request.key === undefined ? {} : { "idempotency-key": request.key }),
          ...(request.userId === undefined ? {} : { "x-appwrite-user-id": request.userId })
        },
        // What a handler does to its request is done to what was protected.
        get body() {
          return request.body
        }
      }
      return runtime.runPromise(
        Effect.map(protect(() => Effect.promise(() => handler(request)))(seen), (answer): Answer => {
          const plain = { ...answer, body: asText(answer.body) }
          return { ...plain, problem: problemOf(plain) }
        })
      )
    },
    advance: (milliseconds) => runtime.runPromise(TestClock.adjust(milliseconds)),
    holdTakeover: () => (takeover = held()),
    loseAnswer: () => {
      loses = true
    },
    cleanUp: () => runtime.runPromise(Effect.asVoid(Idempotency.removeExpired())),
    rows: () => Effect.runPromise(Effect.orDie(memory.removePurged(Infinity, Infinity, true))),
    close: () => runtime.dispose()
  }
}
