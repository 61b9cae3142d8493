/**
 * Generated schemas, documents and sequences of operations: inside a migration that fails they leave the exact hash of
 * the server as it was; inside one that succeeds they leave what they leave without a migration.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as DatabaseHash from "../../src/DatabaseHash.ts"
import { Databases, type Methods } from "../../src/Databases.ts"
import * as Embedded from "../../src/layers/databases/Embedded.ts"
import { scoped } from "../../src/Migration.ts"
import * as Migrator from "../../src/Migrator.ts"
import { access } from "../../src/Operation.ts"
import { type Command, commands, type Step, steps } from "../support/Commands.ts"
import { begin, perform } from "../support/Performing.ts"
import {
  assertNothingOpen,
  type Body,
  broken,
  Broken,
  exactHash,
  file,
  memory,
  migration,
  prepare,
  putAside,
  runAndFail,
  type Target
} from "../support/Migrating.ts"

/** What became of the commands, by their tag: a property that never does anything proves nothing. */
interface Tally {
  readonly done: Map<string, number>
  readonly refused: Map<string, number>
  undoneSavepoints: number
}
const newTally = (): Tally => ({ done: new Map(), refused: new Map(), undoneSavepoints: 0 })
const count = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1)

/** Does a command; a refusal is what an author would catch and ignore. */
const attempt = (db: Methods, command: Command, tally: Tally) =>
  Effect.map(Effect.result(perform(db, command)), (result) => {
    count(result._tag === "Success" ? tally.done : tally.refused, command.tag)
  })

type Tree = Command | { readonly tag: "savepoint"; readonly fails: boolean; readonly body: ReadonlyArray<Tree> }

/** Steps as a tree of savepoints; one that is left open is kept. */
const treeOf = (steps: ReadonlyArray<Step>): ReadonlyArray<Tree> => {
  const frames: Array<Array<Tree>> = [[]]
  const close = (fails: boolean) => {
    const body = frames.pop()!
    frames.at(-1)!.push({ tag: "savepoint", fails, body })
  }
  for (const step of steps) {
    if (!("choices" in step)) {
      if (step.tag === "open") frames.push([])
      else if (frames.length > 1) close(step.tag === "fail")
    } else frames.at(-1)!.push(step)
  }
  while (frames.length > 1) close(false)
  return frames[0]!
}

/** Walks the tree inside a migration. `live` looks past the run: a failed savepoint leaves the live server exactly. */
const inside = (db: Methods, live: Methods, tree: ReadonlyArray<Tree>, tally: Tally): Body<void> =>
  Effect.forEach(
    tree,
    (one): Body<void> => {
      if (one.tag !== "savepoint") return attempt(db, one, tally)
      const body = inside(db, live, one.body, tally)
      if (!one.fails) return scoped(body)
      return Effect.gen(function* () {
        const before = yield* DatabaseHash.server(live)
        yield* Effect.catchIf(
          scoped(Effect.andThen(body, broken)),
          (error) => error instanceof Broken,
          () => Effect.void
        )
        assert.strictEqual(yield* DatabaseHash.server(live), before, "behind a savepoint that failed")
        tally.undoneSavepoints++
      })
    },
    { discard: true }
  )

/** The same without a migration, every savepoint kept. */
const directly = (db: Methods, steps: ReadonlyArray<Step>) =>
  Effect.forEach(steps, (step) => ("choices" in step ? Effect.result(perform(db, step)) : Effect.void), {
    discard: true
  })

const generated = Arbitrary.all({ setup: commands, steps })
type Generated = { readonly setup: ReadonlyArray<Command>; readonly steps: ReadonlyArray<Step> }

/** Checks a property that many times, each on a target of its own. */
const check = (
  target: Target,
  runs: number,
  property: (input: Generated) => Effect.Effect<void, unknown, Migrator.Services>
) =>
  Effect.map(
    Arbitrary.checkEffect(
      generated,
      (input) =>
        Effect.provide(property(input), target, { local: true }).pipe(
          // A failed assertion is a defect, which would end the search for the smallest input.
          Effect.catchDefect((defect) => Effect.fail(defect)),
          Effect.as(true)
        ),
      { runs, size: 30 }
    ),
    (result) => {
      const failure = Arbitrary.formatCheckFailure(result)
      if (failure !== undefined) assert.fail(failure)
    }
  )

const setUp = (db: Methods, setup: ReadonlyArray<Command>) =>
  Effect.andThen(
    begin(db),
    Effect.forEach(setup, (command) => Effect.result(perform(db, command)), { discard: true })
  )

const leavesNothing = (tally: Tally) =>
  Effect.fnUntraced(function* ({ setup, steps }: Generated) {
    yield* prepare((db) => setUp(db, setup))
    const live = yield* Databases
    const [before, aside] = [yield* exactHash, yield* putAside]
    const error = yield* runAndFail("generated", (db) => inside(db, live, treeOf(steps), tally))
    assert.include(error.message, new Broken().message, "it failed for another reason")
    assert.strictEqual(yield* exactHash, before)
    assert.deepStrictEqual(yield* putAside, aside)
    yield* assertNothingOpen
  })

const mutations = Object.entries(access).flatMap(([tag, kind]) => (kind === "read" || kind === "stage" ? [] : [tag]))

describe("generated migrations", () => {
  it.live(
    "one that fails leaves the exact hash of the server, in 400 runs in memory, and each failed savepoint too",
    () =>
      Effect.gen(function* () {
        const tally = newTally()
        yield* check(memory, 400, leavesNothing(tally))
        // Each kind of operation was done, and some were refused.
        assert.deepStrictEqual(
          mutations.filter((tag) => !tally.done.has(tag)),
          []
        )
        assert.isAbove(tally.refused.size, 8)
        assert.isAbove(tally.undoneSavepoints, 50)
      })
  )

  it.live("and in 30 runs on a file", () => check(file, 30, leavesNothing(newTally())))

  it.live("one that succeeds leaves the content that its operations leave without a migration, in 200 runs", () =>
    check(
      memory,
      200,
      Effect.fnUntraced(function* ({ setup, steps }: Generated) {
        yield* prepare((db) => setUp(db, setup))
        const live = yield* Databases
        // No savepoint fails here: an index that comes back comes last, which decides what later deletions leave of two.
        const kept = steps.map((step) => (step.tag === "fail" ? { tag: "keep" as const } : step))
        const result = yield* Migrator.execute(
          migration("generated", (db) => inside(db, live, treeOf(kept), newTally()))
        )
        assert.isTrue(result.success)
        const twin = yield* Effect.gen(function* () {
          const db = yield* Databases
          yield* setUp(db, setup)
          yield* directly(db, steps)
          return yield* DatabaseHash.server(db, "content")
        }).pipe(Effect.provide(Layer.fresh(Embedded.memory), { local: true }))
        assert.strictEqual(yield* DatabaseHash.server(live, "content"), twin)
      })
    )
  )
})
