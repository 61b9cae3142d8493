/**
 * `npm run race -- --store sqlite|redis|appwrite [--processes 8] [--rounds 200] [--seed 1] [--break fencing]`: separate
 * processes ask for the same keys through the public API, on one store, and nothing may happen twice.
 *
 * A round is one key, asked for by every process. In each one an owner is stopped (SIGSTOP) before, in or after its
 * handler for 0.5 to 3 leases and continued, and with it all other rounds of its process. Until all stops of a wave of
 * rounds are over, one answer of the store in ten is lost after its command was applied, and one in twenty is late.
 * Clocks differ by up to the margin. What is checked, and from what, is in race/check.ts; the seed decides who is
 * stopped where and for how long, how long handlers take and which clock is wrong; the rest the machine decides.
 *
 * `--break fencing`: completions overwrite what they find, and the run must fail.
 *
 * Exits with 1 where a promise is broken, or the run was too mild to break one; with 2 where it is called wrongly.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import * as RedisServer from "../test/support/RedisServer.ts"
import type * as StorePlaces from "../test/support/StorePlaces.ts"
import * as Emulator from "./_emulator.ts"
import { check, hasTakeover, hasZombie, type Known, type Problem, promises } from "./race/check.ts"
import { type Answer, monotonic, type Part, points, read, type Told } from "./race/ledger.ts"
import { draw, type Round, type Store, times } from "./race/plan.ts"
import type { Settings } from "./race/process.ts"
import * as Orders from "./race/orders.ts"
import * as Processes from "./race/processes.ts"

const usage = (problem: string): never => {
  console.error(problem)
  console.error("race --store sqlite|redis|appwrite [--processes 8] [--rounds 200] [--seed 1] [--break fencing]")
  process.exit(2)
}
const options = {
  store: { type: "string" },
  processes: { type: "string", default: "8" },
  rounds: { type: "string", default: "200" },
  seed: { type: "string", default: "1" },
  break: { type: "string" }
} as const
const parse = () => {
  try {
    return parseArgs({ options }).values
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error))
  }
}
const values = parse()
const stores: ReadonlyArray<string> = ["sqlite", "redis", "appwrite"] satisfies ReadonlyArray<Store>
if (values.store === undefined || !stores.includes(values.store)) usage("--store is sqlite, redis or appwrite")
const store = values.store as Store
const [processes, rounds, seed] = [values.processes, values.rounds, values.seed].map(Number) as [number, number, number]
if (!Number.isInteger(processes) || processes < 2 || !Number.isInteger(rounds) || rounds < 1 || !Number.isInteger(seed))
  usage("--processes, --rounds and --seed are whole numbers, two processes at least")
if (values.break !== undefined && values.break !== "fencing") usage("--break knows fencing alone")
if (store === "redis" && !RedisServer.isInstalled) usage(`redis-server is missing: ${RedisServer.install}`)

/** Rounds that run at a time: each stops a process for 1.75 leases on average. */
const most = 3 * processes
/** Share of the rounds that must see each kind of trouble. */
const share = 0.3
/** Longest time that a wave of rounds may take to stop all its owners, and after that to decide all its keys. */
const patience = { stops: 60_000, decisions: 6 * times.lease } as const

const folder = mkdtempSync(join(tmpdir(), "holdfast-race-"))
const scope = Effect.runSync(Scope.make())
const open = async (): Promise<StorePlaces.Place> => {
  const filename = join(folder, "race.db")
  switch (store) {
    case "sqlite":
      return { _tag: "sqlite", filename }
    case "redis": {
      const server = await Effect.runPromise(Scope.provide(RedisServer.start(), scope))
      process.on("uncaughtExceptionMonitor", () => process.kill(server.pid(), "SIGKILL"))
      return { _tag: "redis", url: server.url }
    }
    case "appwrite": {
      const emulator = await Emulator.start(["--database", `sqlite:${filename}`])
      await Effect.runPromise(
        Scope.addFinalizer(
          scope,
          Effect.promise(() => emulator.stop("SIGKILL"))
        )
      )
      const { "x-appwrite-key": key = "", "x-appwrite-project": project = "" } = emulator.headers
      return { _tag: "appwrite", endpoint: emulator.endpoint, project, key }
    }
  }
}

const begun = monotonic()
const place = await open()
if (place._tag !== "redis") await Effect.runPromise(Orders.prepare(place))

const plan = draw({ store, processes, rounds, seed })
const answers: Array<Answer> = []
const seen = { lost: new Set<number>(), delayed: new Set<number>(), garbage: new Set<number>() }
const stops = new Map<number, Part>()
const freeAt = new Map<number, number>()
const troubles: Array<string> = []
const partOf = (point: string): Part =>
  (Object.keys(points) as ReadonlyArray<Part>).find((part) => (points[part] as ReadonlyArray<string>).includes(point))!
const hear = (told: Told, { index }: Settings) => {
  switch (told.mark) {
    case "answer":
      answers.push(told)
      return
    case "stopping":
      stops.set(told.round, partOf(told.point))
      return
    case "broken":
      troubles.push(`process ${index}: ${told.detail}`)
      return
    case "ready":
      return
    default:
      seen[told.mark].add(told.round)
  }
}
const all = await Processes.start(
  Array.from({ length: processes }, (_, index) => ({
    index,
    place,
    folder,
    seed,
    // Two of them differ by the whole margin, and the store's own lies between.
    offset: Math.round(times.margin * (index / (processes - 1) - 0.5)),
    overwrites: values.break === "fencing"
  })),
  hear
)

const run = async (wave: ReadonlyArray<Round>) => {
  const ids = wave.map(({ id }) => id)
  const isAnswered = (id: number) =>
    new Set(answers.flatMap((one) => (one.round === id && one.isFinal ? [one.process] : []))).size === processes
  const isOver = () => ids.every((id) => stops.has(id) || isAnswered(id)) && !all.isStopped()
  all.order({ enter: wave })
  await all.until(() => troubles.length > 0 || isOver(), patience.stops)
  for (const id of ids) freeAt.set(id, monotonic())
  all.order({ free: ids })
  await all.until(() => troubles.length > 0 || ids.every(isAnswered), patience.decisions)
}
for (let from = 0; from < rounds && troubles.length === 0; from += most) await run(plan.slice(from, from + most))
await all.end()

const entries = read(join(folder, "ledger"))
const orders = place._tag === "redis" ? [] : await Effect.runPromise(Orders.written(place))
await Effect.runPromise(Scope.close(scope, Exit.void))
rmSync(folder, { recursive: true })

const byRound = <A extends { readonly round: number }>(list: ReadonlyArray<A>) => {
  const groups = Map.groupBy(list, ({ round }) => round)
  return (id: number): ReadonlyArray<A> => groups.get(id) ?? []
}
const [entriesOf, answersOf, ordersOf] = [byRound(entries), byRound(answers), byRound(orders)]
const known = plan.flatMap((round): ReadonlyArray<Known> => {
  const free = freeAt.get(round.id)
  const rest = { entries: entriesOf(round.id), answers: answersOf(round.id), orders: ordersOf(round.id), processes }
  return free === undefined ? [] : [{ round, freeAt: free, ...rest }]
})
const problems: ReadonlyArray<Problem> = known.flatMap(check)

const count = (has: (one: Known) => boolean) => known.filter(has).length
const inRound = (ids: ReadonlySet<number>) => count(({ round }) => ids.has(round.id))
const stoppedIn = (part: Part) => [...stops.values()].filter((one) => one === part).length
const tally = {
  "a takeover": count(hasTakeover),
  "a zombie rejected": count(hasZombie),
  "a lost answer": inRound(seen.lost)
}
const starts = entries.filter(({ mark }) => mark === "start").length
const finals = answers.filter(({ tag }) => tag === "value")
const unrecorded = finals.filter(({ status }) => status === "unrecorded").length
const seconds = Math.round((monotonic() - begun) / 1000)
console.log(`${store}: ${known.length} rounds, ${processes} processes, seed ${seed}, ${seconds} s`)
console.log(
  `owners stopped before their handler: ${stoppedIn("before")}, in it: ${stoppedIn("in")}, after it: ${stoppedIn("after")}`
)
console.log(
  `handlers started: ${starts}; values answered: ${finals.length}, of which unrecorded ${unrecorded}; documents: ${orders.length}`
)
const rates = Object.entries({
  ...tally,
  "a late answer": inRound(seen.delayed),
  "garbage removed": inRound(seen.garbage)
})
console.log(`rounds with ${rates.map(([what, n]) => `${what}: ${n}`).join(", with ")}`)

for (const trouble of troubles.slice(0, 5)) console.error(trouble)
for (const [promise, found] of Map.groupBy(problems, (problem) => problem.promise)) {
  console.error(`BROKEN: ${promises[promise]} (${found.length} times)`)
  for (const { detail, round } of found.slice(0, 5)) console.error(`  round ${round}: ${detail}`)
}
const unstopped = known.length - stops.size
const percent = share * 100
const mild = Object.entries(tally).flatMap(([what, n]) =>
  n < share * known.length ? [`rounds with ${what}: ${n} of ${known.length}, and it takes ${percent} %`] : []
)
if (unstopped > 0) mild.push(`rounds in which no owner was stopped: ${unstopped}`)
for (const what of mild) console.error(`TOO MILD: ${what}`)
if (problems.length === 0) console.log("every promise was kept")
process.exit(problems.length + mild.length + troubles.length === 0 ? 0 : 1)
