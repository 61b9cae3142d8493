/**
 * Backup and restore of 10,000, 100,000 and 1,000,000 documents of 1 KB on a file, beside a plain loop over the same
 * engine that writes the same bytes with gzip, or reads them and creates the documents; each in a process of its own,
 * whose resident memory is looked at all the while. Each process handles as many documents in all, the smaller
 * collections so many times: memory may depend on nothing but the size of the collection.
 *
 * Then 1 % changed out of 100,000: the restore may cost 3.5 read passes and writing that 1 % alone. A read pass is what
 * the first of its three is, a backup that reads every document once; beside it, what reading and both hashes take alone.
 *
 * Our own three times, the one of middle memory shown. Beyond the process's base, the largest may take 1.3 times the memory of the smallest, and all in all 250 MB.
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const program = new URL("_backup.ts", import.meta.url).pathname
const sizes = (process.env["HOLDFAST_BENCH_SIZES"] ?? "10000,100000,1000000").split(",").map(Number)
const bounds = { memory: 250, growth: 1.3, restore: 3.5 }

interface Measured {
  /** Milliseconds. */
  readonly time: number
  /** MB at the most, and before the work. */
  readonly peak: number
  readonly base: number
  readonly [more: string]: number
}
/** One piece of work in a process of its own. */
const measure = (what: string, folder: string, count: number, times = 1): Measured => {
  const child = spawnSync(
    process.execPath,
    ["--conditions=source", "--expose-gc", program, what, folder, String(count), String(times)],
    { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }
  )
  if (child.status !== 0) throw new Error(`${what} of ${count} ended with ${child.status}`)
  return JSON.parse(child.stdout) as Measured
}

/** What a collector leaves lying about differs by a third from run to run: the one of middle memory counts. */
const runs = 3
const middle = (all: ReadonlyArray<Measured>): Measured =>
  all.toSorted((a, b) => a.peak - a.base - (b.peak - b.base))[Math.floor(all.length / 2)]!

const most = Math.max(...sizes)
const rate = (count: number, { time }: Measured) =>
  `${Math.round((1000 * count) / time)
    .toLocaleString("en")
    .padStart(8)}/s`
const memory = ({ base, peak }: Measured) => `${Math.round(peak)} MB (${Math.round(peak - base)} above its base)`
const missed: Array<string> = []
const grown = new Map<string, Array<number>>()

for (const count of sizes) {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-bench-"))
  try {
    measure("fill", folder, count)
    for (const [ours, plain] of [
      ["backup", "plain-backup"],
      ["restore", "plain-restore"]
    ] as const) {
      const times = Math.max(1, Math.round(most / count))
      const own = middle(Array.from({ length: runs }, () => measure(ours, folder, count, times)))
      const other = measure(plain, folder, count, times)
      console.log(
        `${ours.padEnd(8)} ${count.toLocaleString("en").padStart(9)}   ${rate(count * times, own)}   plain loop ${rate(count * times, other)}   ${(own.time / other.time).toFixed(2)} × as long, ${memory(own)}`
      )
      if (own.peak > bounds.memory)
        missed.push(`${ours} of ${count} took ${Math.round(own.peak)} MB, more than ${bounds.memory}`)
      grown.set(ours, [...(grown.get(ours) ?? []), own.peak - own.base])
    }
    if (count === 100_000) {
      const { hashing, pass, restore, writing } = measure("changed", folder, count) as Measured & {
        readonly hashing: number
        readonly pass: number
        readonly restore: number
        readonly writing: number
      }
      const share = (restore - writing) / pass
      console.log(
        `1 % changed of ${count.toLocaleString("en")}: a read pass ${Math.round(pass)} ms (its hashing alone ${Math.round(hashing)} ms), writing alone ${Math.round(writing)} ms, the restore ${Math.round(restore)} ms: ${share.toFixed(2)} passes and the writing (at most ${bounds.restore})`
      )
      if (share > bounds.restore)
        missed.push(`the restore of 1 % takes ${share.toFixed(2)} passes, more than ${bounds.restore}`)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
for (const [what, all] of grown) {
  const growth = Math.max(...all) / Math.min(...all)
  console.log(
    `memory of ${what} above the base: the most is ${growth.toFixed(2)} × the least (at most ${bounds.growth})`
  )
  if (growth > bounds.growth) missed.push(`memory of ${what} grows ${growth.toFixed(2)} ×`)
}
if (missed.length > 0) {
  console.error(missed.join("\n"))
  process.exit(1)
}
