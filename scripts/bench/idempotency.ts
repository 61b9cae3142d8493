/**
 * Idempotency beside released packages and beside what one writes by hand: in memory, and on one Redis by the same
 * client library. A first request, its replay, and a conflict with one that runs; one at a time, and 32 in flight.
 *
 * Rounds are interleaved in random order, and figures are compared within a round. Bounds are on requests one at a
 * time: with 32 in flight a PING costs its bytes alone, and everything else the processor of this process.
 */
import * as Memory from "./_idempotency/memory.ts"
import * as OnRedis from "./_idempotency/redis.ts"
import { cell, kinds, median, quantile, ratio, type Table } from "./_idempotency/rounds.ts"

/** How far the median of a round's PINGs may lie from that of all, as a share. */
const steady = 0.2

type Run = Awaited<ReturnType<typeof Memory.run>> | Awaited<ReturnType<typeof OnRedis.run>>

const missed: Array<string> = []

const us = (value: number) => value.toFixed(value < 20 ? 1 : 0).padStart(6)

const shown = async (name: string, place: string): Promise<string> => {
  const known = (await defectsOf(`${name}, ${place}`)) ?? (await defectsOf(name))
  if (known === undefined) return "not played"
  const { found, unshown } = known
  const rest = unshown.length === 0 ? "" : ` (${unshown.join(" ")} can't be shown)`
  return `${found.length === 0 ? "none" : found.join(" ")}${rest}`
}

/** A line for each contestant; ratios are to the first of them. */
const print = async (place: string, { commands, floor, names, notes, table }: Run) => {
  for (const inFlight of [1, 32]) {
    const figures = inFlight === 1 ? "median" : "time of all by their number"
    console.log(
      `\n${place}, ${inFlight === 1 ? "one at a time" : "32 in flight"}: ${figures}, p99 (µs), ratio to ${floor}`
    )
    const heads = kinds.map((kind) => kind.padEnd(23)).join("")
    console.log(`  ${"".padEnd(26)}${heads}${commands.size > 0 ? "commands  " : ""}defects`)
    for (const name of names) {
      const columns = kinds.map((kind) => {
        const { all, rounds } = table.get(cell(name, kind, inFlight))!
        const share = ratio(table, cell(name, kind, inFlight), cell(floor, kind, inFlight))
        return `${us(median(rounds))}${us(quantile(all, 0.99))}${share.toFixed(2).padStart(7)}   `
      })
      const sent = commands.size > 0 ? (commands.get(name) ?? "").padEnd(10) : ""
      console.log(`  ${name.padEnd(26)}${columns.join(" ")}${sent}${await shown(name, place)}`)
    }
  }
  for (const note of notes) console.log(`  ${note}`)
}

const bound = (what: string, value: number, most: number) => {
  const met = value <= most
  if (!met) missed.push(what)
  console.log(`  ${met ? "met   " : "MISSED"} ${what.padEnd(60)} ${value.toFixed(2)} (at most ${most})`)
}
const better = (table: Table, kind: "first" | "replay", peers: ReadonlyArray<string>) =>
  Math.max(...peers.map((peer) => ratio(table, cell("holdfast", kind, 1), cell(peer, kind, 1))))

const memory = await Memory.run()
const redis = await OnRedis.run()
// Only now: what moves time for the scenarios (node:test) slows everything down that is measured behind it.
const { defectsOf, legend } = await import("./_idempotency/defects.ts")
await print("memory", memory)
await print("Redis", redis)

console.log("\nDefects, each played on the package itself (Powertools in memory as on Redis)")
for (const line of legend) console.log(`  ${line}`)

console.log("\nBounds, one at a time")
for (const kind of ["first", "replay"] as const)
  bound(
    `memory: ${kind} by the floor's`,
    ratio(memory.table, cell("holdfast", kind, 1), cell(memory.floor, kind, 1)),
    2
  )
bound("Redis: replay by PING", ratio(redis.table, cell("holdfast", "replay", 1), cell("PING", "replay", 1)), 1.5)
bound("Redis: commands of a replay", redis.counts.replay, 1)
bound("Redis: replay by the better peer's", better(redis.table, "replay", redis.peers), 0.7)
bound("Redis: commands of a first request", redis.counts.first, 2)
bound("Redis: first by the better peer's, which does not fence", better(redis.table, "first", redis.peers), 1.2)

const pings = redis.table.get(cell("PING", "replay", 1))!.rounds
const usual = median(pings)
const moved = Math.max(...pings.map((ping) => Math.abs(ping / usual - 1)))
console.log(`  PING's median moved by ${(100 * moved).toFixed(0)} % within the run (at most ${100 * steady})`)
if (moved > steady)
  missed.push(`PING's median moved by more than ${100 * steady} %: this machine is too busy to measure on`)
if (missed.length > 0) {
  console.error(`\nnot met:\n${missed.map((what) => `  ${what}`).join("\n")}`)
  process.exit(1)
}
process.exit(0)
