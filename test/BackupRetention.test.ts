/** The retention of backups: what is kept, why, and that the rules never do what nobody wants. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as BackupRetention from "../src/BackupRetention.ts"

const candidate = (day: number, collection = "c", hour = 1): BackupRetention.Candidate => {
  const backup = `202601${String(day).padStart(2, "0")}T${String(hour).padStart(2, "0")}0000000Z-aaaaaa`
  return { name: `${backup}/${collection}`, backup, collection }
}
const keptOf = (decisions: ReadonlyArray<BackupRetention.Decision>) =>
  decisions.flatMap(({ backup, keep }) => (keep === undefined ? [] : [backup.name]))

describe("BackupRetention", () => {
  it("keeps the last N and one a day, of each collection, newest first, with every reason", () => {
    const all = [
      ...[1, 2, 3, 4, 5].map((day) => candidate(day)),
      candidate(5, "c", 9),
      candidate(1, "d"),
      candidate(2, "d")
    ]
    const decisions = BackupRetention.decide(all, { keepLast: 2, keepDaily: 3 })
    assert.deepStrictEqual(
      decisions.map(({ backup, keep }) => [backup.name.slice(6, 11), backup.collection, keep]),
      [
        ["05T09", "c", "the newest, one of the last 2, the last of 2026-01-05"],
        ["05T01", "c", "one of the last 2"],
        ["04T01", "c", "the last of 2026-01-04"],
        ["03T01", "c", "the last of 2026-01-03"],
        ["02T01", "c", undefined],
        ["02T01", "d", "the newest, one of the last 2, the last of 2026-01-02"],
        ["01T01", "c", undefined],
        ["01T01", "d", "one of the last 2, the last of 2026-01-01"]
      ]
    )
  })

  it("keeps what is needed, and the newest even by a rule that keeps nothing", () => {
    const all = [1, 2, 3].map((day) => candidate(day))
    const needed = new Map([[all[0]!.name, "a run names it"]])
    const decisions = BackupRetention.decide(all, {}, needed)
    assert.deepStrictEqual(
      decisions.map(({ keep }) => keep),
      ["the newest", undefined, "a run names it"]
    )
  })

  it.effect(
    "each is decided on once; a stricter rule keeps no more; deciding again on what is left removes nothing",
    () =>
      Effect.gen(function* () {
        const day = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 28 }))
        const hour = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 23 }))
        const count = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 6 }))
        const result = yield* Arbitrary.checkEffect(
          Arbitrary.all({
            all: Arbitrary.array(
              Arbitrary.all([
                Arbitrary.schema(day),
                Arbitrary.schema(hour),
                Arbitrary.schema(Schema.Literals(["c", "d"]))
              ]),
              { maxLength: 30 }
            ),
            keepLast: Arbitrary.schema(count),
            keepDaily: Arbitrary.schema(count)
          }),
          ({ all, keepDaily, keepLast }) =>
            Effect.sync(() => {
              const distinct = new Map(
                all.map(([one, at, collection]) => {
                  const made = candidate(one, collection, at)
                  return [made.name, made] as const
                })
              )
              const candidates = [...distinct.values()]
              const decisions = BackupRetention.decide(candidates, { keepLast, keepDaily })
              assert.sameMembers(
                decisions.map(({ backup }) => backup.name),
                candidates.map(({ name }) => name)
              )
              const kept = keptOf(decisions)
              const more = keptOf(
                BackupRetention.decide(candidates, { keepLast: keepLast + 1, keepDaily: keepDaily + 1 })
              )
              assert.includeMembers(more, kept)
              const left = candidates.filter(({ name }) => kept.includes(name))
              assert.sameMembers(keptOf(BackupRetention.decide(left, { keepLast, keepDaily })), kept)
              return true
            }),
          { runs: 200 }
        )
        const failure = Arbitrary.formatCheckFailure(result)
        if (failure !== undefined) assert.fail(failure)
      })
  )
})
