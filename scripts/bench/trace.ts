/**
 * The viewer looks for one trace in a log of 1 GB (HOLDFAST_BENCH_BYTES), beside a bare loop of Node that reads the same
 * bytes and looks for the id in them, and in the same log packed by gzip, beside `zgrep -F`. Each is a process of its
 * own, taken in turn; what it takes on a log of nothing is subtracted. The least of all rounds counts: what else the
 * machine does only adds.
 *
 * Then the peak of resident memory on a tenth of the log and on all of it: for a search, for one in gzip, and for the
 * overview of all requests.
 *
 * Bounds: 1.5 × the time of the bare loop and of zgrep, 1.25 × the memory of the small log.
 */
import { spawnSync } from "node:child_process"
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { LogEvent } from "../../src/LogEvent.ts"
import * as Logs from "../../test/support/Logs.ts"

const size = Number(process.env["HOLDFAST_BENCH_BYTES"] ?? 1e9)
const rounds = 7
const bounds = { time: 1.5, memory: 1.25 }
const program = new URL("../../src/programs/trace.ts", import.meta.url).pathname
const bare = new URL("_bareScan.ts", import.meta.url).pathname

/** A request of eight lines with ids of its own. */
const request = (number: number): ReadonlyArray<LogEvent> => {
  const spread = (Math.imul(number, 2654435761) >>> 0).toString(16).padStart(8, "0")
  const owner: Logs.Owner = {
    traceId: `${spread}4bf92f35a3ce929d${Logs.hex(number, 8)}`,
    spanId: `${spread}${Logs.hex(number, 8)}`,
    function: "create-recognition",
    requestId: `req-${number}`,
    executionId: `65a1${spread}${Logs.hex(number, 8)}`
  }
  const own = (index: number) => `${Logs.hex(number, 14)}${Logs.hex(index, 2)}`
  const spans = [1, 2, 3, 4].map(own)
  const [first, second, third, fourth] = spans as [string, string, string, string]
  return [
    Logs.incoming(owner, number),
    Logs.database(owner, { spanId: first, start: number + 1, duration: 3 + (number % 97), operation: "LIST" }),
    Logs.log(owner, number + 5, "two people are named in this recognition"),
    Logs.database(owner, { spanId: second, start: number + 6, duration: 4.25 + (number % 31) }),
    Logs.call(owner, {
      spanId: third,
      start: number + 12,
      duration: 20.5 + (number % 1009),
      path: `/v1/send/${number}`
    }),
    Logs.log(owner, number + 40, "the mail is on its way"),
    Logs.database(owner, { spanId: fourth, start: number + 41, duration: 2, collection: "mails" }),
    Logs.complete(owner, { start: number, duration: 50 + (number % 1500), coldStart: number % 1000 === 0 })
  ]
}

/** The one that is looked for stands at the beginning, in the middle and at the end. */
const wanted = "0af7651916cd43dd8448eb211c80319c"
const wantedLines = (part: number) => {
  const owner: Logs.Owner = { traceId: wanted, spanId: Logs.span(1) }
  const events = [
    Logs.incoming(owner, 0),
    Logs.database(owner, { spanId: Logs.span(2), start: 3, duration: 9 }),
    Logs.complete(owner, { start: 0, duration: 20 })
  ]
  return Logs.lines([events[part]!])
}

const makeLog = (file: string, bytes: number): void => {
  const handle = openSync(file, "w")
  let written = writeSync(handle, wantedLines(0))
  let isHalf = false
  for (let number = 0; written < bytes; number += 200) {
    const events = Array.from({ length: 200 }, (_, index) => request(number + index)).flat()
    written += writeSync(handle, Logs.lines(events))
    if (!isHalf && written > bytes / 2) {
      isHalf = true
      written += writeSync(handle, wantedLines(1))
    }
  }
  writeSync(handle, wantedLines(2))
  closeSync(handle)
}

/** Says the peak of resident memory, in KB, on the fourth channel. */
const telling = `data:text/javascript,${encodeURIComponent(
  'import { writeSync } from "node:fs"; process.on("exit", () => writeSync(3, String(process.resourceUsage().maxRSS)))'
)}`

interface Ran {
  /** Milliseconds. */
  readonly time: number
  /** MB. */
  readonly peak: number
}
const run = (command: string, parameters: ReadonlyArray<string>): Ran => {
  const start = performance.now()
  const child = spawnSync(command, parameters, { stdio: ["ignore", "pipe", "pipe", "pipe"], maxBuffer: 1e9 })
  const time = performance.now() - start
  // grep ends with 1 where it found nothing, and so does the viewer.
  if (child.status !== 0 && child.status !== 1) throw new Error(`${command} ${parameters.join(" ")}: ${child.stderr}`)
  return { time, peak: Number(child.output[3]?.toString() ?? 0) / 1024 }
}
const node = (...parameters: ReadonlyArray<string>) =>
  run(process.execPath, ["--conditions=source", "--import", telling, ...parameters])

interface Subject {
  readonly name: string
  readonly run: (file: string) => Ran
}
const viewer: Subject = { name: "trace ID", run: (file) => node(program, wanted, file) }
const scan: Subject = { name: "bare scan", run: (file) => node(bare, wanted, file) }
const zgrep: Subject = { name: "zgrep -F", run: (file) => run("zgrep", ["-F", wanted, file]) }

const missed: Array<string> = []

/** The least time of each beyond what it takes on nothing. */
const compare = (ours: Subject, other: Subject, file: string, empty: string): void => {
  const times = new Map([ours, other].map((subject) => [subject, { work: Infinity, nothing: Infinity }]))
  for (let round = 0; round < rounds; round++)
    for (const [subject, least] of times) {
      least.nothing = Math.min(least.nothing, subject.run(empty).time)
      least.work = Math.min(least.work, subject.run(file).time)
    }
  const [own, floor] = [ours, other].map((subject) => {
    const { nothing, work } = times.get(subject)!
    return work - nothing
  }) as [number, number]
  const ratio = own / floor
  const started = Math.round(times.get(ours)!.nothing)
  console.log(
    `${ours.name} ${Math.round(own)} ms (and ${started} to start), ${other.name} ${Math.round(floor)} ms: ${ratio.toFixed(2)} × (at most ${bounds.time})`
  )
  if (!(ratio <= bounds.time)) missed.push(`${ours.name} takes ${ratio.toFixed(2)} × ${other.name}`)
}

const folder = mkdtempSync(join(tmpdir(), "holdfast-bench-"))
try {
  const [small, large, empty] = ["small.log", "large.log", "empty.log"].map((name) => join(folder, name)) as [
    string,
    string,
    string
  ]
  writeFileSync(empty, "")
  makeLog(small, size / 10)
  makeLog(large, size)
  for (const file of [small, large, empty]) spawnSync("gzip", ["-k", file])
  const packed = (file: string) => `${file}.gz`
  const megabytes = (file: string) => `${Math.round(statSync(file).size / 1e6).toLocaleString("en")} MB`
  console.log(`a log of ${megabytes(large)}, ${megabytes(packed(large))} packed; the least of ${rounds} rounds`)
  compare(viewer, scan, large, empty)
  compare({ ...viewer, name: "trace ID, gzip" }, zgrep, packed(large), packed(empty))

  for (const [name, measure] of [
    ["trace ID", viewer.run],
    ["trace ID, gzip", (file: string) => viewer.run(packed(file))],
    ["overview", (file: string) => node(program, file)]
  ] as const) {
    const [little, much] = [small, large].map((file) =>
      Array.from({ length: 3 }, () => measure(file)).reduce((least, ran) => (ran.peak < least.peak ? ran : least))
    ) as [Ran, Ran]
    const growth = much.peak / little.peak
    const rate = Math.round(statSync(large).size / 1000 / much.time)
    console.log(
      `${name.padEnd(14)} peak ${Math.round(little.peak)} MB for ${megabytes(small)}, ${Math.round(much.peak)} MB for ${megabytes(large)}: ${growth.toFixed(2)} × (at most ${bounds.memory}); ${rate.toLocaleString("en")} MB/s with the start`
    )
    if (!(growth <= bounds.memory)) missed.push(`memory of ${name} grows ${growth.toFixed(2)} ×`)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
if (missed.length > 0) {
  console.error(missed.join("\n"))
  process.exit(1)
}
