/**
 * The functions of `EpochLog`, explored: two processes, every feature in one configuration at least, all of them
 * exhausted; and each rule switched off, which has to be found. `npm run model` goes further.
 */
import { afterAll, assert, describe, it } from "vitest"
import { rules } from "../src/EpochLog.ts"
import { large, named, small } from "./support/model/Configurations.ts"
import { controls, implied } from "./support/model/Controls.ts"
import type { Encoding } from "./support/model/Encoding.ts"
import { encoding } from "./support/model/Encoding.ts"
import type { Explored } from "./support/model/Explore.ts"
import { explore } from "./support/model/Explore.ts"
import { moves } from "./support/model/Moves.ts"
import { summary } from "./support/model/Summary.ts"
import { trace } from "./support/model/Trace.ts"
import { workers } from "./support/model/Workers.ts"
import type { Configuration, Model, World } from "./support/model/World.ts"
import { beginnings, modelOf } from "./support/model/World.ts"

const pool = workers(2)
afterAll(pool.close)
const patience = 300_000
/** All are begun at once, and each test waits for its own. */
const begin = (configuration: Configuration, states?: number) => {
  const explored = pool.explore(configuration, states === undefined ? {} : { states })
  return { configuration, explored }
}
const begun = {
  small: small.map((configuration) => begin(configuration)),
  controls: controls.map(({ configuration, invariant, rule }) => ({ ...begin(configuration), invariant, rule })),
  implied: implied.map((configuration) => begin(configuration, 200_000))
}
const traceOf = (configuration: Configuration, { found }: Explored): string =>
  found === undefined ? "" : trace(configuration, found).join("\n")

describe("EpochLog, two processes explored", () => {
  for (const { configuration, explored } of begun.small) {
    it(
      `keeps I1 to I8 and L1 to L3: ${configuration.name}`,
      async () => {
        const result = await explored
        console.log(summary(configuration.name, result))
        assert.strictEqual(traceOf(configuration, result), "")
        assert.isTrue(result.exhausted, "not exhausted")
      },
      patience
    )
  }

  it(
    "comes to all commands, replies and results",
    async () => {
      const results = await Promise.all(begun.small.map(({ explored }) => explored))
      const reached = new Set(results.flatMap((result) => result.reached))
      assert.sameMembers([...reached], everything)
    },
    patience
  )

  it(
    "is more than a million states",
    async () => {
      const results = await Promise.all(begun.small.map(({ explored }) => explored))
      const states = results.reduce((sum, result) => sum + result.states, 0)
      const transitions = results.reduce((sum, result) => sum + result.transitions, 0)
      const seconds = results.reduce((sum, result) => sum + result.seconds, 0)
      console.log(`in all: ${states} states, ${transitions} transitions, ${seconds.toFixed(1)} s of one core`)
      assert.isAtLeast(states, 1_000_000)
    },
    patience
  )
})

/** All that `EpochLog` can command and tell, but a mismatch: the model's requests are equal. */
const everything = (
  "Create List DeleteGeneration DeleteRow Commit RunHandler Interrupt " +
  "Recorded Replay Released Kept Unrecorded Indeterminate Exhausted Aborted Unavailable " +
  "running expiring lost written full unneeded undecided"
).split(" ")

describe("EpochLog without a rule", () => {
  for (const { configuration, explored, invariant, rule } of begun.controls) {
    it(
      `misses ${rule}: ${invariant}`,
      async () => {
        const result = await explored
        console.log(`${summary(configuration.name, result)}\n${traceOf(configuration, result)}`)
        assert.strictEqual(result.found?.violation.invariant, invariant)
      },
      patience
    )
  }

  for (const { configuration, explored } of begun.implied) {
    it(
      `is as before where the others imply it: ${configuration.name}`,
      async () => assert.strictEqual(traceOf(configuration, await explored), ""),
      patience
    )
  }

  it("was tried for every rule and every invariant", () => {
    const tried = [...controls, ...implied].map(({ ...control }) =>
      "rule" in control ? control.rule : control.name.slice("without ".length)
    )
    assert.sameMembers([...new Set(tried)], Object.keys(rules))
    const invariants = "I1 I2 I3 I4 I5 I6 I7 I8 L1 L2 L3".split(" ")
    assert.sameMembers([...new Set(controls.map(({ invariant }) => invariant))], invariants)
  })
})

describe("the model", () => {
  const imageOf = (code: Encoding, world: World): string => {
    const length = code.encode(world)
    return Buffer.from(code.bytes.subarray(0, length)).toString("hex")
  }
  /** The images of all other worlds that are next. */
  const nextOf = (model: Model, code: Encoding, world: World): ReadonlyArray<string> => {
    const images = new Set<string>()
    moves(model, world, (next) => images.add(imageOf(code, next)))
    images.delete(imageOf(code, world))
    return [...images].toSorted()
  }

  for (const configuration of [...small, ...large]) {
    it(`forgets nothing that is read: ${configuration.name}`, () => {
      const model = modelOf(configuration)
      const code = encoding(configuration, false)
      let seed = 1
      const random = (below: number) => {
        seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
        return Math.floor((seed / 2 ** 32) * below)
      }
      for (let walk = 0; walk < 60; walk++) {
        // A world with its whole past beside its image, which the search goes on from.
        let world = beginnings(configuration)[walk % configuration.clocks.length]!
        for (let length = 0; length < 50; length++) {
          code.encode(world)
          const image = code.decode(code.bytes, 0)
          assert.deepStrictEqual(nextOf(model, code, world), nextOf(model, code, image))
          const next: Array<World> = []
          moves(model, world, (after) => next.push(after))
          // Time passes in one move of four, however many there are.
          world = next.length > 1 && random(4) > 0 ? next[1 + random(next.length - 1)]! : next[0]!
        }
      }
      assert.isUndefined(model.violation)
    })
  }

  it("finds nothing nearer than its traces, without hashes", () => {
    for (const rule of ["garbageRemoval", "oldListAgain", "marginAtTakeover"] as const) {
      const { configuration } = controls.find((control) => control.rule === rule)!
      const { found } = explore(configuration)
      assert.isDefined(found)
      const distance = found.choices.length
      assert.isUndefined(explore(configuration, { depth: distance - 1 }).found)
      // Every text of a world, level by level.
      const model = modelOf(configuration)
      const code = encoding(configuration, false)
      const seen = new Set(beginnings(configuration).map((world) => imageOf(code, world)))
      let level = [...seen]
      for (let depth = 1; depth < distance; depth++) {
        const next: Array<string> = []
        for (const text of level) {
          moves(model, code.decode(Buffer.from(text, "hex"), 0), (world) => {
            const image = imageOf(code, world)
            if (!seen.has(image)) next.push(image)
            seen.add(image)
          })
        }
        level = next
        assert.isUndefined(model.violation, `at ${depth} of ${distance}`)
      }
    }
  })

  it("prints a trace that ends with what was violated", () => {
    const { configuration } = controls.find(({ rule }) => rule === "occupy")!
    const { found } = explore(configuration)
    assert.isDefined(found)
    const lines = trace(configuration, found)
    assert.lengthOf(lines, found.choices.length + 1)
    assert.strictEqual(lines.at(-1), "I8: a transaction that was reported as not applied has landed")
    assert.match(lines[0]!, /^[AB] gets a request {2}\[nothing\]$/)
  })

  it("knows its configurations by name", () => {
    assert.throws(() => named("nothing"), /no configuration is named nothing/)
  })
})
