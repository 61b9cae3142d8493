/**
 * `npm run model -- [--minutes 10] [--only NAME] [--small] [--controls] [--workers 2]`: explores the epoch log, the
 * functions of `src/EpochLog.ts` themselves, in every world that two or three processes can come to. Each configuration
 * is exhausted, or cut after so many minutes, and said to be; a violation is printed with a shortest way to it, and
 * makes the exit code 1. `--small`: the configurations of `npm test` instead; `--controls`: rules switched off one by
 * one, where a violation is what is wanted.
 *
 * `--only NAME`: configurations with NAME in theirs.
 */
import { parseArgs } from "node:util"
import { large, small } from "../test/support/model/Configurations.ts"
import { controls } from "../test/support/model/Controls.ts"
import { summary } from "../test/support/model/Summary.ts"
import { trace } from "../test/support/model/Trace.ts"
import { workers } from "../test/support/model/Workers.ts"

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    workers: { type: "string", default: "2" },
    only: { type: "string", default: "" },
    small: { type: "boolean", default: false },
    controls: { type: "boolean", default: false }
  }
})
const minutes = Number(values.minutes)
const threads = Number(values.workers)
const all = values.controls
  ? controls.map(({ configuration, invariant }) => ({ configuration, wanted: invariant }))
  : (values.small ? small : [...large, ...small]).map((configuration) => ({ configuration, wanted: undefined }))
const chosen = all.filter(({ configuration }) => configuration.name.includes(values.only))
if (!(minutes > 0) || !(threads >= 1) || chosen.length === 0) {
  console.error("--minutes and --workers are numbers above zero, --only is part of one of these names:")
  for (const { configuration } of all) console.error(`  ${configuration.name}`)
  process.exit(2)
}

const pool = workers(threads)
const totals = { states: 0, transitions: 0, exhausted: 0 }
let isBad = false
await Promise.all(
  chosen.map(async ({ configuration, wanted }) => {
    const explored = await pool.explore(configuration, {
      milliseconds: minutes * 60_000,
      onProgress: ({ depth, states, waiting }) =>
        process.stderr.write(`  ${configuration.name}: ${states} states, depth ${depth}, ${waiting} waiting\n`)
    })
    totals.states += explored.states
    totals.transitions += explored.transitions
    totals.exhausted += explored.exhausted ? 1 : 0
    console.log(summary(configuration.name, explored))
    if (explored.found !== undefined)
      for (const line of trace(configuration, explored.found)) console.log(`    ${line}`)
    if (explored.found?.violation.invariant !== wanted) isBad = true
  })
)
console.log(
  `${chosen.length} configurations, ${totals.exhausted} exhausted, ${totals.states} states, ${totals.transitions} transitions`
)
process.exit(isBad ? 1 : 0)
