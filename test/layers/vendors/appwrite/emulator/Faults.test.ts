import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Faults from "holdfast/layers/vendors/appwrite/emulator/Faults"
import { asKey, send, start } from "../../../../support/Emulator.ts"

const decisions = (options: Faults.Options, count: number) =>
  Array.from({ length: count }, (_, index) => Faults.decide(options, index))

/** A call whose connection may break. */
const attempt = (url: string, method: string, body?: object) =>
  Effect.exit(
    Effect.tryPromise(async () => {
      const response = await fetch(url, {
        method,
        headers: { ...asKey, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) })
      })
      return { status: response.status, retryAfter: response.headers.get("retry-after"), text: await response.text() }
    })
  )

describe("Faults", () => {
  it("meets as many calls as were asked for, with every kind", () => {
    const faults = decisions({ rate: 0.3, seed: 5 }, 20_000).flatMap(({ fault }) => fault ?? [])
    assert.closeTo(faults.length / 20_000, 0.3, 0.02)
    for (const kind of Faults.kinds) {
      assert.closeTo(faults.filter((fault) => fault === kind).length / faults.length, 1 / 6, 0.03, kind)
    }
  })

  it("is the same for the same seed, and another for another", () => {
    const options = { rate: 0.5, latency: 10, seed: 1 }
    assert.deepStrictEqual(decisions(options, 100), decisions(options, 100))
    assert.notDeepEqual(decisions(options, 100), decisions({ ...options, seed: 2 }, 100))
  })

  it("does nothing unless it is told to", () => {
    assert.deepStrictEqual(
      decisions({}, 100).filter(({ fault, latency }) => fault !== undefined || latency !== 0),
      []
    )
    for (const { latency } of decisions({ latency: 10 }, 100)) assert.isTrue(latency >= 5 && latency <= 15)
  })

  it.live("is applied or not as its kind says, and counted", () =>
    Effect.gen(function* () {
      const options = { rate: 0.6, seed: 11 }
      const endpoint = yield* start({ faults: options })
      const met = new Set<string>()
      const made: Array<string> = []
      for (let index = 0; index < 60; index++) {
        const { fault } = Faults.decide(options, index)
        const $id = `b${index}`
        const exit = yield* attempt(`${endpoint}/storage/buckets`, "POST", { bucketId: $id, name: "b" })
        met.add(fault ?? "none")
        if (fault === undefined || fault === "cutAfter") made.push($id)
        const status = Exit.isSuccess(exit) ? exit.value.status : undefined
        const expected = { unavailable: 503, broken: 500, limited: 429, none: 201 } as Record<string, number>
        assert.strictEqual(status, expected[fault ?? "none"], fault)
        if (fault === "limited" && Exit.isSuccess(exit)) assert.strictEqual(exit.value.retryAfter, "1")
      }
      assert.strictEqual(met.size, Faults.kinds.length + 1)
      const counts = (yield* send(`${endpoint}/holdfast/faults`, "GET", { headers: {} })).json
      assert.strictEqual(counts.calls, 60)
      assert.strictEqual(counts.unexpected, 0)
      let listed: Exit.Exit<{ text: string; status: number }, unknown> = yield* attempt(`${endpoint}/health`, "GET")
      const query = encodeURIComponent(JSON.stringify({ method: "limit", values: [100] }))
      while (!Exit.isSuccess(listed) || !listed.value.text.startsWith(`{"total"`)) {
        listed = yield* attempt(`${endpoint}/storage/buckets?queries[0]=${query}`, "GET")
      }
      const found = JSON.parse(listed.value.text).buckets.map((bucket: { $id: string }) => bucket.$id)
      assert.deepStrictEqual(found, made)
    })
  )
})
