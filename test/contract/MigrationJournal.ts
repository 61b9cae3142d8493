/** What every layer of `MigrationJournal` promises, as a function of the layer. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Attribute from "../../src/Attribute.ts"
import type { Document } from "../../src/Document.ts"
import * as Index from "../../src/Index.ts"
import { type Begin, type Entry, MigrationJournal } from "../../src/MigrationJournal.ts"

export const beginOf = (run: string, target = "t1"): Begin => ({
  _tag: "Begin",
  format: 1,
  run,
  migration: "m1",
  hash: null,
  target: { id: target, label: "a target" },
  holder: { host: "here", pid: 42, since: "2026-01-02T03:04:05.678Z" },
  at: "2026-01-02T03:04:05.678Z"
})
export const end = { _tag: "End", outcome: "committed", at: "2026-01-02T03:04:06.000Z" } as const

const document: Document = {
  $id: "d1",
  $sequence: "7",
  $createdAt: "2026-01-02T03:04:05.678+00:00",
  $updatedAt: "2026-01-02T03:04:05.678+00:00",
  $permissions: ['read("any")'],
  text: 'é\u0000😀\n\r\u2028 "quoted"',
  number: 1e308,
  nothing: null,
  list: [1, null, "x", false]
}
const collection = {
  $id: "c",
  $createdAt: "2026-01-02T03:04:05.678+00:00",
  $updatedAt: "2026-01-02T03:04:05.678+00:00",
  $permissions: [],
  name: "C",
  enabled: true,
  documentSecurity: false,
  attributes: [Attribute.float("number", { min: 0 }), Attribute.string("text", { size: 20, default: "x" })],
  indexes: [Index.unique("u", ["text", "number"], { orders: ["desc", "asc"] })]
}

/** An entry of each kind. */
export const entries: { readonly [T in Entry["_tag"]]: Extract<Entry, { readonly _tag: T }> } = {
  Begin: beginOf("other"),
  Intent: {
    _tag: "Intent",
    sequence: 1,
    operation: { _tag: "UpdateDocument", database: "main", collection: "c", id: "d1", changes: { text: "é\u0000😀" } },
    before: { collection, documents: [document] },
    captured: [{ offset: 12, length: 34 }]
  },
  StepIntent: { _tag: "StepIntent", sequence: 2, step: "send it" },
  Done: { _tag: "Done", sequence: 2, after: { d1: "abc", d2: null } },
  Refused: { _tag: "Refused", sequence: 3, error: "no" },
  Captured: { _tag: "Captured", collection: "main/c", documents: [document] },
  Undone: { _tag: "Undone", sequence: 1, conflicts: ["d2"] },
  Committing: { _tag: "Committing", purge: [{ _tag: "DeleteCollection", database: "main", collection: "c" }] },
  Purged: { _tag: "Purged", path: "main/c" },
  Restoring: { _tag: "Restoring", backup: "b/c/manifest.json", database: "main", collection: "c", safety: null },
  Restored: { _tag: "Restored", action: "update", what: ["d1", "d2"] },
  End: end
}

/** Each test builds the layer anew: there are no runs then. */
export const contract = <E>(name: string, implementation: Layer.Layer<MigrationJournal, E>): void => {
  describe(`MigrationJournal on ${name}`, () => {
    const promise = (title: string, body: Effect.Effect<void, unknown, MigrationJournal | Scope.Scope>) =>
      it.effect(title, () => Effect.provide(body, implementation))

    promise(
      "an entry of each kind is read back from its position as it was written, in any order",
      Effect.gen(function* () {
        const journal = yield* (yield* MigrationJournal).begin(beginOf("r1"))
        assert.isNotEmpty(journal.location)
        const { Begin: _begin, End: _end, ...others } = entries
        const written: Array<readonly [Entry, { readonly offset: number; readonly length: number }]> = []
        for (const entry of Object.values(others)) written.push([entry, yield* journal.append(entry)])
        for (const [entry, position] of written.toReversed()) {
          assert.deepStrictEqual(yield* journal.read(position), entry)
        }
        for (const [entry, position] of written) assert.deepStrictEqual(yield* journal.read(position), entry)
      })
    )

    promise(
      "entries appended at once, by several fibers, are each read back from their own position",
      Effect.gen(function* () {
        const journal = yield* (yield* MigrationJournal).begin(beginOf("r1"))
        const written = yield* Effect.forEach(
          Array.from({ length: 60 }, (_, sequence): Entry => ({
            _tag: "StepIntent",
            sequence,
            step: "x".repeat((sequence * 7919) % 3000)
          })),
          (entry) => Effect.map(journal.append(entry), (position) => [entry, position] as const),
          { concurrency: "unbounded" }
        )
        for (const [entry, position] of written) assert.deepStrictEqual(yield* journal.read(position), entry)
        assert.lengthOf(yield* (yield* MigrationJournal).open, 1)
      })
    )

    promise(
      "a position without an entry is a failure that names the journal",
      Effect.gen(function* () {
        const journal = yield* (yield* MigrationJournal).begin(beginOf("r1"))
        const error = yield* Effect.flip(journal.read({ offset: 1_000_000, length: 10 }))
        assert.strictEqual(error._tag, "JournalUnavailable")
        assert.strictEqual(error.location, journal.location)
      })
    )

    promise(
      "J2: a run is open from its beginning to its end, and tells what it was doing",
      Effect.gen(function* () {
        const { begin, open } = yield* MigrationJournal
        assert.deepStrictEqual(yield* open, [])
        const journal = yield* begin(beginOf("r1"))
        const { location } = journal
        const at = { begin: beginOf("r1"), location, committing: false }
        assert.deepStrictEqual(yield* open, [{ ...at, last: "nothing yet" }])
        yield* journal.append(entries.Intent)
        assert.deepStrictEqual(yield* open, [{ ...at, last: "UpdateDocument main/c/d1" }])
        yield* journal.append({ ...entries.Done, sequence: 1 })
        yield* journal.append(entries.StepIntent)
        yield* journal.append(entries.Refused)
        assert.deepStrictEqual(yield* open, [{ ...at, last: "step send it" }])
        yield* journal.append(entries.Committing)
        yield* journal.append(entries.Purged)
        assert.deepStrictEqual(yield* open, [{ ...at, last: "step send it", committing: true }])
        yield* journal.append(end)
        assert.deepStrictEqual(yield* open, [])
      })
    )

    promise(
      "a restore tells what it restores and what it was about to write; superseded, it is over",
      Effect.gen(function* () {
        const { begin, open, supersede } = yield* MigrationJournal
        const journal = yield* begin(beginOf("r1"))
        yield* journal.append(entries.Restoring)
        yield* journal.append(entries.Restored)
        const runs = yield* open
        const { _tag, ...restore } = entries.Restoring
        assert.deepInclude(runs[0], { restore, last: "update d1, d2" })
        yield* supersede(runs[0]!, "2026-01-02T03:04:06.000Z")
        assert.deepStrictEqual(yield* open, [])
      })
    )

    promise(
      "a run is open after its scope has ended without an End",
      Effect.gen(function* () {
        const { begin, open } = yield* MigrationJournal
        yield* Effect.scoped(begin(beginOf("r1")))
        assert.deepStrictEqual(
          (yield* open).map((run) => run.begin.run),
          ["r1"]
        )
      })
    )

    promise(
      "several runs are open at once, oldest first, whatever their targets; each ends for itself",
      Effect.gen(function* () {
        const { begin, open } = yield* MigrationJournal
        const first = yield* begin(beginOf("20260101T000000000Z-aaaaaa", "t1"))
        const second = yield* begin(beginOf("20260101T000000001Z-000000", "t2"))
        yield* begin(beginOf("20260101T000000002Z-000000", "t1"))
        const ids = Effect.map(open, (runs) => runs.map(({ begin }) => [begin.run.slice(17, 18), begin.target.id]))
        assert.deepStrictEqual(yield* ids, [
          ["0", "t1"],
          ["1", "t2"],
          ["2", "t1"]
        ])
        yield* second.append({ ...entries.End, outcome: "rolled back" })
        assert.deepStrictEqual(yield* ids, [
          ["0", "t1"],
          ["2", "t1"]
        ])
        yield* first.append(end)
        assert.deepStrictEqual(yield* ids, [["2", "t1"]])
      })
    )
  })
}
