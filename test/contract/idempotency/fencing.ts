import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import {
  completes,
  known,
  lease,
  margin,
  own,
  type Promised,
  replays,
  request,
  short,
  tagged,
  tally,
  text,
  together,
  waits
} from "./support.ts"

export const fencing = (promise: Promised): void => {
  promise(
    "a zombie's answer is not recorded: while the new owner runs it is told to wait, afterwards it gets that one's",
    Effect.fnUntraced(function* ({ advance, clock, process }) {
      const [one, other] = [yield* process(), yield* process()]
      const zombie = yield* own(one)
      const second = yield* own(one, { key: "second" })
      yield* advance(lease + margin + 1)
      const owner = yield* own(other)
      const told = yield* tagged(one.store.complete(zombie, text("zombie")), "InProgress")
      assert.deepStrictEqual(told, { _tag: "InProgress", until: clock.now() + lease + margin, why: "lost" })
      yield* completes(other, owner, "owner")
      yield* replays(one, "owner")
      // The other key's owner has ended before its zombie does.
      yield* completes(other, yield* own(other, { key: "second" }), "owner")
      const { content } = yield* tagged(one.store.complete(second, text("zombie")), "Replay")
      assert.deepStrictEqual(content, text("owner"))
      yield* replays(other, "owner", { key: "second" })
    })
  )

  promise(
    "a zombie's release frees nothing, neither while the new owner runs nor when it has ended",
    Effect.fnUntraced(function* ({ advance, process }) {
      const [one, other] = [yield* process(), yield* process()]
      const zombies = [yield* own(one), yield* own(one, { key: "second" })]
      yield* advance(lease + margin + 1)
      const owner = yield* own(other)
      yield* tagged(one.store.release(zombies[0]!), "InProgress")
      yield* waits(one)
      yield* completes(other, owner, "owner")
      yield* completes(other, yield* own(other, { key: "second" }), "owner")
      yield* tagged(one.store.release(zombies[1]!), "Replay")
      yield* replays(one, "owner")
      yield* replays(one, "owner", { key: "second" })
    })
  )

  promise(
    "a zombie's renewal and step are refused, and tell it who has the key",
    Effect.fnUntraced(function* ({ advance, process }) {
      const [one, other] = [yield* process(), yield* process()]
      const [renews, steps] = [yield* own(one, { key: "a" }), yield* own(one, { key: "b" })]
      yield* advance(lease + margin + 1)
      yield* own(other, { key: "a" })
      yield* completes(other, yield* own(other, { key: "b" }), "owner")
      yield* tagged(one.store.renew(renews), "InProgress")
      yield* tagged(one.store.step(steps, "late", text("")), "Replay")
      assert.deepInclude(yield* known(one, "a"), { slots: 2 })
      assert.deepInclude(yield* known(one, "b"), { slots: 3, steps: [] })
    })
  )

  promise(
    "of a zombie and the owner who end at once one is recorded, and that one is replayed",
    Effect.fnUntraced(function* ({ advance, process }) {
      const [one, other] = [yield* process(), yield* process()]
      for (let round = 0; round < 10; round++) {
        const key = `key ${round}`
        const zombie = yield* own(one, { key })
        yield* advance(lease + margin + 1)
        const takingOver = Effect.gen(function* () {
          const claimed = yield* other.store.claim(request({ key }))
          return claimed._tag === "Owner" ? yield* other.store.complete(claimed.ownership, text("owner")) : claimed
        })
        const outcomes = yield* together([one.store.complete(zombie, text("zombie")), takingOver])
        assert.strictEqual(tally(outcomes)["Recorded"], 1, JSON.stringify(outcomes))
        yield* replays(one, outcomes[0]?._tag === "Recorded" ? "zombie" : "owner", { key })
      }
    })
  )

  promise(
    "an answer after the lease counts while nobody has taken over, up to expiresAt",
    Effect.fnUntraced(function* ({ advance, process }) {
      const [one, other] = [yield* process(), yield* process()]
      const late = yield* own(one, short)
      const latest = yield* own(one, { ...short, key: "latest" })
      yield* advance(lease + margin + 1)
      yield* completes(one, late, "late")
      yield* replays(other, "late", short)
      yield* advance(short.ttl - lease - margin - 1)
      yield* completes(one, latest, "latest")
      yield* replays(other, "latest", { ...short, key: "latest" })
    })
  )

  promise(
    "an answer that is acknowledged after expiresAt is lost, and nobody replays it",
    Effect.fnUntraced(function* ({ advance, clock, process }) {
      const [one, other] = [yield* process(), yield* process()]
      const begun = clock.now()
      const ownership = yield* own(one, short)
      yield* advance(short.ttl)
      one.faults.when("after", "create", advance(1))
      const told = yield* tagged(one.store.complete(ownership, text("late")), "InProgress")
      assert.deepStrictEqual(told, { _tag: "InProgress", until: begun + short.ttl + margin, why: "lost" })
      assert.strictEqual((yield* waits(other, short)).until, begun + short.ttl + margin)
    })
  )

  promise(
    "a release frees at once, whoever asks, and the next owner has a whole lease",
    Effect.fnUntraced(function* ({ advance, clock, process }) {
      const [one, other] = [yield* process(), yield* process()]
      yield* advance(1)
      yield* tagged(one.store.release(yield* own(one)), "Released")
      assert.deepInclude(yield* known(other), { state: "released" })
      yield* advance(1000)
      yield* own(other)
      assert.strictEqual((yield* waits(one)).until, clock.now() + lease + margin)
    })
  )
}
