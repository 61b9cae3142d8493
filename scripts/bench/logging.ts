/**
 * Lines of a request beside pino, Powertools and what one writes by hand: twelve fields of which five are the request's,
 * four secrets at paths that pino and ours are told. Ours looks for the forms of secrets in every text besides, and once
 * more without, to show what that costs.
 *
 * Each subject is a process of its own, whose standard output goes where its lines go. They have their turns in random
 * order, and figures are compared within a round. A chunk is 1000 lines of one request, which lets others run after
 * every 50; its time ends when its lines are out.
 *
 * Bound: with patterns, ours takes less time than pino without, wherever both do the same. It is of the processor's
 * time, which others on the machine disturb less than the clock's.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { median, quantile } from "./_idempotency/rounds.ts"
import type { Judged } from "./_logging/judge.ts"
import { lost } from "./_logging/killed.ts"
import { ask, begin, end, measure, ratio, type Table } from "./_logging/rounds.ts"
import type { Name } from "./_logging/subjects.ts"

const measuring = { rounds: 9, turns: 3, chunks: 4, lines: 1000 }
const trials = 5

const groups: ReadonlyArray<{
  readonly title: string
  readonly floor: Name
  readonly bound: ReadonlyArray<Name>
  readonly others: ReadonlyArray<Name>
}> = [
  {
    title: "each line by itself",
    floor: "pino, paths only",
    bound: ["Effect.logInfo", "service"],
    others: [
      "Effect.logInfo, no patterns",
      "service, no patterns",
      "log.info of async handlers",
      "Powertools",
      "console.log"
    ]
  },
  {
    title: "batches of 4096 characters",
    floor: "pino, paths only, batched",
    bound: ["Effect.logInfo, batched", "service, batched"],
    others: [
      "Effect.logInfo, no patterns, batched",
      "service, no patterns, batched",
      "log.info of async handlers, batched"
    ]
  }
]
const costs: ReadonlyArray<Name> = [
  "withRequest, lines dropped",
  "withRequest",
  "withDatabaseOperation, lines dropped",
  "withDatabaseOperation"
]
const silent: ReadonlyArray<Name> = ["pino.debug", "service, debug", "Effect.logDebug"]
const killed: ReadonlyArray<Name> = [
  "Effect.logInfo",
  "Effect.logInfo, batched",
  "pino, paths only",
  "pino, paths only, batched",
  "Powertools",
  "console.log"
]
const judged: ReadonlyArray<Name> = ["Effect.logInfo", "pino, paths only", "Powertools", "console.log"]

const folder = mkdtempSync(join(tmpdir(), "holdfast-logging-"))
process.on("exit", () => rmSync(folder, { recursive: true, force: true }))
const fileOf = (name: Name) => join(folder, name.replaceAll(/\W/g, "-"))
const missed: Array<string> = []

const us = (value: number) => value.toFixed(value < 1 ? 3 : 1).padStart(8)
const row = (table: Table, name: Name, floor?: Name): string => {
  const { all, cpu, rounds } = table.get(name)!
  const share = (of: "rounds" | "cpu") =>
    floor === undefined ? "" : ratio(table, name, floor, of).toFixed(2).padStart(7)
  const clock = `${us(median(rounds))}${us(quantile(all, 0.9))}${share("rounds")}`
  return `  ${name.padEnd(38)}${clock}  |${us(median(cpu))}${share("cpu")}`
}
/** `other`: the floor's name, where there is one. */
const heads = (other = "") =>
  `  ${"".padEnd(38)}  median     p90${other === "" ? "  |     CPU" : "  ratio  |     CPU  ratio"}`

const printLines = (place: string, table: Table) => {
  for (const { bound, floor, others, title } of groups) {
    console.log(`\n${place}, ${title}: µs a line, ratio to ${floor}`)
    console.log(heads(floor))
    for (const name of [floor, ...bound, ...others]) console.log(row(table, name, floor))
    for (const name of bound) {
      const value = ratio(table, name, floor, "cpu")
      if (value >= 1)
        missed.push(`${name}, ${place}: ${value.toFixed(2)} of the processor's time of ${floor}, and must be below 1.`)
    }
  }
}

const every = groups.flatMap(({ bound, floor, others }) => [floor, ...bound, ...others])
printLines("to a file", await measure(every, fileOf, measuring))
printLines("to /dev/null", await measure(every, () => "/dev/null", measuring))
console.log("\n  Powertools and console.log hide nothing. CPU: of all threads; pino writes its batches in another.")

const pieces = await measure([...costs, ...silent], () => "/dev/null", measuring)
console.log(`\nPieces, with their lines to /dev/null or dropped: µs each\n${heads()}`)
for (const name of costs) console.log(row(pieces, name))
console.log(`\nCalls below the level: µs each, ratio to pino.debug\n${heads("pino.debug")}`)
for (const name of silent) console.log(row(pieces, name, "pino.debug"))

console.log(`\nLines lost of those handed over, in ${trials} processes killed at a random moment`)
console.log(`  ${"".padEnd(38)}SIGKILL                  SIGTERM`)
for (const name of killed) {
  const counts = await Promise.all(
    (["SIGKILL", "SIGTERM"] as const).map((signal) => lost(name, signal, folder, trials))
  )
  console.log(
    `  ${name.padEnd(38)}${counts
      .map((one) => one.join(" ").padEnd(25))
      .join("")
      .trimEnd()}`
  )
}

const outcomes = new Map<string, Array<string>>()
for (const name of judged) {
  const child = begin(name, fileOf(name))
  for (const { outcome, title } of await ask<ReadonlyArray<Judged>>(child, { kind: "judge" }))
    outcomes.set(title, [...(outcomes.get(title) ?? []), outcome])
  await end(child)
}
console.log(`\nWhat each does\n  ${"".padEnd(50)}${judged.map((name) => name.split(",")[0]!.padEnd(16)).join("")}`)
for (const [title, own] of outcomes)
  console.log(
    `  ${title.padEnd(50)}${own
      .map((outcome) => outcome.padEnd(16))
      .join("")
      .trimEnd()}`
  )

if (missed.length > 0) {
  console.error(`\nnot met:\n${missed.map((what) => `  ${what}`).join("\n")}`)
  process.exit(1)
}
console.log("\nmet: with patterns, ours takes less time than pino without, wherever both do the same")
