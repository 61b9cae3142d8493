/** The contestants in memory. */
import * as Store from "holdfast/layers/idempotency/Memory"
import type { Contested } from "./charging.ts"
import * as Floors from "./floors.ts"
import * as Ours from "./ours.ts"
import { nodeIdempotencyInMemory, powertoolsInMemory } from "./peers.ts"
import { byPromise, measure } from "./rounds.ts"

const claimed = "order-claimed"
export const floor = "floor: hashes and a Map"

const contestant = (name: string, contested: Contested) => {
  contested.claim(claimed)
  return byPromise(name, { call: contested.call, claimed })
}

export const run = async () => {
  const ours = await Ours.make("holdfast", Store.layer(), claimed)
  const contestants = [
    contestant(floor, Floors.inMemory()),
    ours,
    contestant("node-idempotency", nodeIdempotencyInMemory()),
    contestant("Powertools", powertoolsInMemory())
  ]
  const table = await measure(contestants, { rounds: 9, turns: 4, requests: 2000, inFlight: [1, 32] })
  await ours.close()
  return {
    table,
    floor,
    names: contestants.map(({ name }) => name),
    commands: new Map<string, string>(),
    notes: [
      "node-idempotency's fingerprint is of the body as it is written, and it knows no user; Powertools validates the payload."
    ]
  }
}
