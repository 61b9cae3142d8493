import { assert } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import {
  completes,
  known,
  lease,
  margin,
  own,
  type Promised,
  replays,
  request,
  rowsOf,
  strangeRow,
  tagged,
  tally,
  type Traits,
  together,
  waits,
  about
} from "./support.ts"

export const atomicClaim = (promise: Promised, { keeps }: Traits): void => {
  promise(
    "of eight claims at once, of four processes, one wins; the others wait until lease + margin",
    Effect.fnUntraced(function* ({ clock, process }) {
      const processes = [yield* process(), yield* process(), yield* process(), yield* process()]
      const outcomes = yield* together([...processes, ...processes].map(({ store }) => store.claim(request())))
      assert.deepStrictEqual(tally(outcomes), { Owner: 1, InProgress: 7 })
      const until = clock.now() + lease + margin
      for (const outcome of outcomes)
        if (outcome._tag === "InProgress")
          assert.deepStrictEqual(outcome, { _tag: "InProgress", until, why: "running" })
      assert.deepInclude(yield* known(processes[0]!), { state: "claimed", slots: 1 })
    })
  )

  promise(
    "thirty keys claimed by two processes at once have one owner each",
    Effect.fnUntraced(function* ({ process }) {
      const both = [yield* process(), yield* process()]
      const keys = Array.from({ length: 30 }, (_, index) => `key ${index}`)
      const outcomes = yield* together(
        keys.flatMap((key) =>
          both.map(({ store }) => Effect.map(store.claim(request({ key })), (outcome) => ({ key, outcome })))
        )
      )
      const owned = outcomes.flatMap(({ key, outcome }) => (outcome._tag === "Owner" ? [key] : []))
      assert.deepStrictEqual(owned.toSorted(), keys.toSorted())
    })
  )

  promise(
    "a slot is written once: of several rows at once one is created, and it is the one that is listed",
    Effect.fnUntraced(function* ({ clock, process }) {
      const processes = [yield* process(), yield* process(), yield* process()]
      const expiresAt = clock.now() + 1_000_000
      const rows = Array.from({ length: 9 }, (_, index) =>
        strangeRow({ slot: 0, expiresAt, owner: String(index).repeat(32), generation: String(index).repeat(32) })
      )
      const placed = yield* together(
        rows.map((row, index) => {
          const { live, slots } = processes[index % 3]!
          return live(slots.create(rowsOf(), row, about, index % 2 === 0))
        })
      )
      assert.deepStrictEqual(tally(placed), { Created: 1, Taken: 8 })
      const first = rows[placed.findIndex(({ _tag }) => _tag === "Created")]!
      for (const { live, slots } of processes)
        assert.deepStrictEqual((yield* live(slots.list(rowsOf())))?.rows, [first])
      // Nor is the slot behind it.
      const next = Array.from({ length: 6 }, (_, index) => ({
        ...first,
        slot: 1,
        kind: "step" as const,
        step: `step ${index}`,
        owner: String(index).repeat(32)
      }))
      const behind = yield* together(
        next.map((row, index) => {
          const { live, slots } = processes[index % 3]!
          return live(slots.create(rowsOf(), row, about, false))
        })
      )
      assert.deepStrictEqual(tally(behind), { Created: 1, Taken: 5 })
      const second = next[behind.findIndex(({ _tag }) => _tag === "Created")]!
      for (const { live, slots } of processes) {
        const chain = yield* live(slots.list(rowsOf()))
        assert.deepStrictEqual(chain?.rows.at(-1), second)
        assert.deepStrictEqual(chain?.steps, [second])
      }
    })
  )

  promise(
    "another fingerprint is a mismatch: while the first runs, when it is done, after a release, and of a later attempt",
    Effect.fnUntraced(function* ({ advance, process }) {
      const one = yield* process()
      const other = yield* process()
      const differs = (fingerprint = "other") => tagged(other.store.claim(request({ fingerprint })), "Mismatch")
      const first = yield* own(one)
      yield* differs()
      yield* tagged(one.store.release(first), "Released")
      yield* differs()
      // The first claim's fingerprint binds, and the released key runs again by it alone.
      yield* own(one)
      yield* differs()
      yield* advance(lease + margin + 1)
      yield* differs()
      const third = yield* own(one)
      yield* completes(one, third, "done")
      yield* differs()
      yield* replays(other, "done")
    })
  )

  promise(
    "an answer is replayed as it was recorded, to every process",
    Effect.fnUntraced(function* ({ advance, process }) {
      const one = yield* process()
      const other = yield* process()
      yield* completes(one, yield* own(one), "first")
      yield* replays(one, "first")
      yield* replays(other, "first")
      yield* advance(3_600_000)
      yield* replays(other, "first")
      assert.deepInclude(yield* known(other), { state: "done", status: 201, slots: 2 })
    })
  )

  promise(
    "a claim that is interrupted on its way gives the key back",
    Effect.fnUntraced(function* ({ process }) {
      const [one, other] = [yield* process(), yield* process()]
      const [landed, answers] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      // What ends at once, in this process, can't be interrupted half-way.
      if (!one.slots.local)
        one.faults.when("after", "create", Effect.andThen(Deferred.succeed(landed, undefined), Deferred.await(answers)))
      const fiber = yield* Effect.forkChild(one.store.claim(request()), { startImmediately: true })
      if (one.slots.local) return assert.isDefined(fiber.pollUnsafe())
      yield* Deferred.await(landed)
      yield* Fiber.interrupt(fiber)
      yield* waits(other)
      yield* Deferred.succeed(answers, undefined)
      yield* Effect.repeat(other.store.inspect(rowsOf()), { until: (found) => found?.state === "released" })
      yield* own(other)
    })
  )

  promise(
    "a key is told about without its response, unless that is asked for; one that is not there is undefined",
    Effect.fnUntraced(function* ({ clock, process }) {
      const one = yield* process()
      assert.isUndefined(yield* one.store.inspect(rowsOf()))
      const begun = clock.now()
      const ownership = yield* own(one)
      assert.deepStrictEqual(yield* known(one), {
        state: "claimed",
        generation: ownership.generation,
        claims: 1,
        slots: 1,
        steps: [],
        leaseExpiresAt: new Date(begun + lease).toISOString(),
        expiresAt: new Date(begun + 86_400_000).toISOString(),
        status: null
      })
      yield* completes(one, ownership, "secret")
      // The last row alone does not tell how many claims were before it.
      assert.deepInclude(yield* known(one), { state: "done", claims: keeps === "rows" ? 1 : null, slots: 2 })
      assert.notProperty(yield* known(one), "response")
      const { response } = (yield* one.store.inspect(rowsOf(), { response: true }))!
      assert.strictEqual(response?.body, "secret")
    })
  )
}
