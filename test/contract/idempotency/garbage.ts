import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Row } from "../../../src/IdempotencyStore.ts"
import {
  about,
  completes,
  hour,
  known,
  lease,
  margin,
  own,
  type Process,
  type Promised,
  replays,
  rowsOf,
  strangeRow,
  tagged,
  text,
  type Traits
} from "./support.ts"

/** Rows of a dead generation behind a living one. */
export const garbage = (promise: Promised, { keeps }: Traits): void => {
  if (keeps === "top") {
    promise(
      "can't arise: one string holds one generation, and nothing of another goes behind it",
      Effect.fnUntraced(function* ({ clock, process }) {
        const one = yield* process()
        const ownership = yield* own(one)
        const before = yield* known(one)
        for (const slot of [1, 2, 63]) {
          const row = strangeRow({ slot, expiresAt: clock.now() - hour })
          assert.strictEqual((yield* one.live(one.slots.create(rowsOf(), row, about, false)))._tag, "Taken")
        }
        assert.isUndefined((yield* one.live(one.slots.list(rowsOf())))?.garbage)
        assert.deepStrictEqual(yield* known(one), before)
        // Nor behind nothing.
        const row = strangeRow({ slot: 1, expiresAt: clock.now() - hour })
        assert.strictEqual((yield* one.live(one.slots.create(rowsOf("unused"), row, about, false)))._tag, "Taken")
        assert.isUndefined(yield* one.live(one.slots.list(rowsOf("unused"))))
        yield* completes(one, ownership, "done")
      })
    )
    return
  }

  const put = ({ live, slots }: Process, row: Row) =>
    Effect.map(live(slots.create(rowsOf(), row, about, false)), ({ _tag }) => assert.strictEqual(_tag, "Created"))
  const calls = (one: Process) => one.faults.take().filter((call) => call !== "time")

  promise(
    "it is removed where a takeover needs its slot, and only there",
    Effect.fnUntraced(function* ({ advance, clock, process }) {
      const [one, other] = [yield* process(), yield* process()]
      yield* own(one)
      // Three of them: the next is in the way, the others are not.
      for (const slot of [1, 2, 5]) yield* put(one, strangeRow({ slot, expiresAt: clock.now() - hour }))
      assert.deepInclude(yield* known(one), { slots: 1 })
      yield* advance(lease + margin + 1)
      const ownership = yield* own(other)
      assert.deepStrictEqual(
        calls(other).filter((call) => call.startsWith("delete")),
        ["deleteRow"]
      )
      assert.deepInclude(yield* known(one), { slots: 2 })
      assert.strictEqual((yield* one.live(one.slots.list(rowsOf())))?.garbage?.slot, 2)
      yield* completes(other, ownership, "done")
      yield* replays(one, "done")
      assert.deepInclude(yield* known(one), { slots: 3 })
    })
  )

  for (const write of ["completion", "release", "renewal", "step"] as const)
    promise(
      `it is removed where a ${write} needs its slot`,
      Effect.fnUntraced(function* ({ clock, process }) {
        const one = yield* process()
        const ownership = yield* own(one)
        for (const kind of ["claim", "done"] as const)
          yield* put(one, strangeRow({ slot: kind === "claim" ? 1 : 2, kind, expiresAt: clock.now() - 1 }))
        if (write === "completion") yield* completes(one, ownership, "done")
        if (write === "release") yield* tagged(one.store.release(ownership), "Released")
        if (write === "renewal") yield* tagged(one.store.renew(ownership), "Written")
        if (write === "step") yield* tagged(one.store.step(ownership, "a", text("A")), "Written")
        assert.deepInclude(yield* known(one), { slots: 2, generation: ownership.generation })
        assert.deepStrictEqual(
          calls(one).filter((call) => call.startsWith("delete")),
          ["deleteRow"]
        )
      })
    )

  promise(
    "a row of a generation that may still live shows two moments at once: nothing is removed, the list is asked for again",
    Effect.fnUntraced(function* ({ advance, clock, process }) {
      const one = yield* process()
      const first = yield* own(one, { key: "key" })
      const strange = strangeRow({ slot: 1, expiresAt: clock.now() + lease + margin + hour })
      yield* put(one, strange)
      yield* advance(lease + margin + 1)
      one.faults.take()
      assert.strictEqual((yield* Effect.flip(own(one)))._tag, "StoreUnavailable")
      assert.isEmpty(calls(one).filter((call) => call.startsWith("delete")))
      const error = yield* Effect.flip(one.store.complete(first, text("late")))
      assert.strictEqual(error._tag, "StoreUnavailable")
      assert.deepStrictEqual((yield* one.live(one.slots.list(rowsOf())))?.garbage, strange)
      // When its own end has come, it is garbage as any other.
      yield* advance(hour + 1)
      yield* completes(one, yield* own(one), "done")
    })
  )

  promise(
    "a row is removed under its own generation alone, whatever stands in its slot by then",
    Effect.fnUntraced(function* ({ clock, process }) {
      const [one, other] = [yield* process(), yield* process()]
      const ownership = yield* own(one)
      yield* put(one, strangeRow({ slot: 1, expiresAt: clock.now() - 1 }))
      // Between list and removal somebody else removes it, and the owner's own row takes its place.
      one.faults.when(
        "before",
        "deleteRow",
        Effect.orDie(
          Effect.gen(function* () {
            yield* other.live(other.slots.deleteRow(rowsOf(), 1, "f".repeat(32)))
            const chain = yield* other.live(other.slots.list(rowsOf()))
            const row = { ...chain!.rows[0]!, slot: 1, kind: "released" as const }
            yield* put(other, row)
          })
        )
      )
      yield* completes(one, ownership, "done")
      assert.deepStrictEqual(
        (yield* one.live(one.slots.list(rowsOf())))?.rows.map(({ kind }) => kind),
        ["claim", "released", "done"]
      )
    })
  )

  promise(
    "rows of two dead generations are removed one after the other, each when it is in the way",
    Effect.fnUntraced(function* ({ advance, clock, process }) {
      const one = yield* process()
      yield* own(one)
      const expiresAt = clock.now() - 1
      yield* put(one, strangeRow({ slot: 1, expiresAt }))
      yield* put(one, strangeRow({ slot: 2, expiresAt, generation: "e".repeat(32) }))
      yield* advance(lease + margin + 1)
      const ownership = yield* own(one)
      yield* completes(one, ownership, "done")
      assert.deepInclude(yield* known(one), { slots: 3, state: "done" })
    })
  )
}
