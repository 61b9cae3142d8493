/**
 * Each defect that released packages have, by name: ours does not have it, a small store that has it alone is caught,
 * and the same store without it is not. `npm run bench -- idempotency` plays them on the packages themselves.
 */
import { assert, describe, it } from "vitest"
import * as NodeIdempotency from "./support/defects/NodeIdempotency.ts"
import * as Others from "./support/defects/Others.ts"
import * as Ours from "./support/defects/Ours.ts"
import * as Powertools from "./support/defects/Powertools.ts"
import { played, scenarios } from "./support/defects/scenarios.ts"
import { Sound } from "./support/defects/Sound.ts"

const defective = { ...Powertools.defects, ...NodeIdempotency.defects, ...Others.defects }

describe("defects that released packages have", () => {
  for (const scenario of scenarios) {
    it(`${scenario.seen}: ${scenario.title}; here, ${scenario.instead}`, async () => {
      const make = defective[scenario.title]
      assert.isDefined(make)
      assert.strictEqual(await played(scenario, Ours.make()), "has it not")
      assert.strictEqual(await played(scenario, make()), "has it")
      // What is seen is that defect, and nothing else in the small store.
      assert.strictEqual(await played(scenario, new Sound()), "has it not")
    })
  }

  it("are all played", () => {
    assert.deepStrictEqual(
      scenarios.map(({ title }) => title),
      Object.keys(defective)
    )
  })
})
