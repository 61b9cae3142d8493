/** The contestants on one Redis, by one client library. */
import * as Store from "holdfast/layers/idempotency/Redis"
import * as Redacted from "effect/Redacted"
import type { Contested } from "./charging.ts"
import * as Floors from "./floors.ts"
import * as Ours from "./ours.ts"
import { nodeIdempotencyOnRedis, powertoolsOnRedis } from "./peers.ts"
import { type Client, commandStats, connect, start } from "./redisServer.ts"
import { byPromise, type Contestant, type Kind, kinds, measure } from "./rounds.ts"

const claimed = "order-claimed"
export const floor = "PING"
const peers = ["node-idempotency", "Powertools"]
const counted = 100

const contestant = (name: string, contested: Contested) => {
  contested.claim(claimed)
  return byPromise(name, { call: contested.call, claimed })
}

const ping = (client: Client): Contestant => ({
  name: "PING",
  run: (_kind, keys, inFlight) =>
    byPromise("PING", { call: () => client.ping(), claimed }).run("replay", keys, inFlight)
})

/** What a client sent for each request, by the server's count: what its script does inside is not sent. */
const count = async (client: Client, who: Contestant, kind: Kind, keys: ReadonlyArray<string>): Promise<number> => {
  const before = await commandStats(client)
  await who.run(kind, keys, 1)
  const after = await commandStats(client)
  const calls = new Map([...after].map(([name, total]) => [name, total - (before.get(name) ?? 0)]))
  calls.delete("info")
  let sent = 0
  for (const total of calls.values()) sent += total
  // Each of the scripts here gets and sets once.
  return (sent - 2 * (calls.get("evalsha") ?? 0)) / keys.length
}

export const run = async () => {
  const server = await start()
  const clients = await Promise.all(Array.from({ length: 4 }, () => connect(server.url)))
  const [pinging, byHand, ofPowertools, observing] = clients as [Client, Client, Client, Client]
  const ours = await Ours.make(
    "holdfast",
    Store.layerUrl(server.url, { secret: Redacted.make("a secret of this benchmark, long enough") }),
    claimed
  )
  const nodeIdempotency = await nodeIdempotencyOnRedis(server.url)
  const contestants = [
    ping(pinging),
    contestant("floor: SET NX GET, script", await Floors.onRedis((...command) => byHand.sendCommand([...command]))),
    ours,
    contestant("node-idempotency", nodeIdempotency),
    contestant("Powertools", powertoolsOnRedis(ofPowertools))
  ]
  // The claims that conflicts meet are on their way.
  await new Promise((resolve) => setTimeout(resolve, 200))
  const commands = new Map<string, string>()
  const counts: Record<Kind, number> = { first: 0, replay: 0, conflict: 0 }
  for (const who of contestants) {
    // Scripts are loaded once, and clocks compared once.
    await who.run("first", [`warm-${who.name}`], 1)
    const keys = Array.from({ length: counted }, (_, index) => `counted-${index}`)
    const sent: Array<number> = []
    for (const kind of kinds) {
      const each = await count(observing, who, kind, keys)
      sent.push(each)
      if (who === ours) counts[kind] = each
    }
    commands.set(who.name, sent.join(", "))
  }
  const table = await measure(contestants, { rounds: 9, turns: 4, requests: 150, inFlight: [1, 32] })
  await ours.close()
  await nodeIdempotency.close()
  for (const client of clients) await client.close()
  await server.stop()
  return {
    table,
    floor,
    peers,
    counts,
    names: contestants.map(({ name }) => name),
    commands,
    notes: [
      "Commands are of a first request, a replay, a conflict, as the server counts them.",
      "Neither peer fences: whoever completes last overwrites. Powertools does not compare payloads here: with that, a replay fails."
    ]
  }
}
