/**
 * One piece of the bench of backups, in a process of its own: `_backup.ts WHAT FOLDER COUNT TIMES`, answers JSON.
 * With the heap as the programs have it.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { closeSync, createReadStream, createWriteStream, openSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { pipeline } from "node:stream/promises"
import { createGunzip, createGzip } from "node:zlib"
import * as Attribute from "holdfast/Attribute"
import * as Backup from "holdfast/Backup"
import * as DatabaseHash from "holdfast/DatabaseHash"
import { Databases, type DocumentInput } from "holdfast/Databases"
import * as Query from "holdfast/Query"
import * as BackupFolder from "holdfast/layers/backups/FileSystem"
import * as Embedded from "holdfast/layers/databases/Embedded"
import { keepHeapSmall } from "../../src/programs/memory.ts"
import * as FileJournal from "holdfast/layers/migrations/FileJournal"
import * as SqliteLock from "holdfast/layers/migrations/SqliteLock"

keepHeapSmall()
const [what = "", folder = "", size = "0", often = "1"] = process.argv.slice(2)
const [count, times] = [Number(size), Number(often)]
const backups = join(folder, "backups")
const plain = join(folder, "plain.ndjson.gz")

// Words that compress about as prose does.
const words =
  "the quick brown fox jumps over a lazy dog while seven wizards mix jugs of liquid quartz under pale moons".split(" ")
let seed = 1
const chance = () => (seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0)
const text = () => Array.from({ length: 120 }, () => words[(chance() >>> 8) % words.length]).join(" ")
const document = (n: number) => ({
  $id: `document-${n}`,
  title: `title ${n}`,
  text: text().slice(0, 640),
  number: n,
  score: n / 100
})

const definition = {
  attributes: [
    Attribute.string("title", { size: 100, required: true }),
    Attribute.string("text", { size: 1000 }),
    Attribute.integer("number"),
    Attribute.float("score")
  ],
  // None: SQLite maps the file of its sorter when it builds one, and that counts as resident too.
  indexes: []
}

const fill = Effect.gen(function* () {
  const db = yield* Databases
  yield* db.createCollection("c", definition)
  for (let from = 0; from < count; from += 100) {
    yield* db.createDocuments(
      "c",
      Array.from({ length: Math.min(100, count - from) }, (_, index) => document(from + index))
    )
  }
})

const backupFile = () => {
  const [id] = readdirSync(backups)
    .filter((name) => /^\d{8}T/.test(name))
    .toSorted()
  return join(backups, id!, "c", "manifest.json")
}

/** Reads pages and writes them out with gzip: what a backup can't do without. */
const plainBackup = Effect.gen(function* () {
  const db = yield* Databases
  const gzip = createGzip({ level: 1 })
  const done = pipeline(gzip, createWriteStream(plain))
  for (let last = "0"; ;) {
    const { documents } = yield* db.listDocuments(
      "c",
      [Query.greaterThan("$sequence", last), Query.orderAsc("$sequence"), Query.limit(1000)],
      { total: false }
    )
    if (documents.length === 0) break
    last = documents.at(-1)!.$sequence
    const lines = `${documents.map((one) => JSON.stringify(one)).join("\n")}\n`
    if (!gzip.write(lines)) yield* Effect.promise(() => new Promise((resolve) => gzip.once("drain", resolve)))
  }
  gzip.end()
  yield* Effect.promise(() => done)
})

const plainRestore = Effect.gen(function* () {
  const db = yield* Databases
  yield* db.createCollection("plain", definition)
  let batch: Array<DocumentInput> = []
  const lines = createInterface({ input: createReadStream(plain).pipe(createGunzip()), crlfDelay: Infinity })
  const next = lines[Symbol.asyncIterator]()
  for (;;) {
    const line = yield* Effect.promise(() => next.next())
    if (line.done !== true) {
      const { $sequence: _sequence, ...values } = JSON.parse(line.value) as DocumentInput & {
        readonly $sequence: string
      }
      batch.push(values)
    }
    if (batch.length === 100 || (line.done === true && batch.length > 0)) {
      yield* db.createDocuments("plain", batch)
      batch = []
    }
    if (line.done === true) break
  }
  yield* db.deleteCollection("plain")
})

const restore = Effect.gen(function* () {
  const db = yield* Databases
  const [done] = yield* Backup.restore(backupFile(), { to: "restored" })
  if (done!.missing !== count) throw new Error(`${done!.missing} of ${count} restored`)
  yield* db.deleteCollection("restored")
})

/** Milliseconds that an effect takes. */
const timed = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const start = performance.now()
    return Effect.map(effect, () => performance.now() - start)
  })

const changed = Effect.gen(function* () {
  const db = yield* Databases
  const change = (by: number) =>
    Effect.gen(function* () {
      for (let n = 0; n < count; n += 10_000) {
        yield* db.writeDocuments(
          "c",
          Array.from({ length: 100 }, (_, index) => ({
            _tag: "Update" as const,
            id: `document-${n + index * 100}`,
            changes: { number: -by }
          }))
        )
      }
    })
  const rounds: Array<{ restore: number; writing: number; pass: number; hashing: number }> = []
  for (let round = 1; round <= 3; round++) {
    const hashing = yield* timed(DatabaseHash.hashes(db, "c"))
    const pass = yield* timed(Backup.create(["c"], { consistency: "fuzzy" }))
    const writing = yield* timed(change(round))
    const restore = yield* timed(
      Effect.map(Backup.restore(backupFile()), ([done]) => {
        if (done!.changed !== count / 100) throw new Error(`${done!.changed} changed`)
      })
    )
    rounds.push({ pass, writing, restore, hashing })
  }
  const middle = rounds.toSorted(
    (left, right) => (left.restore - left.writing) / left.pass - (right.restore - right.writing) / right.pass
  )[1]!
  return middle
})

const layers = Layer.mergeAll(
  Embedded.layer({ filename: join(folder, "bench.db") }),
  BackupFolder.layer(backups),
  FileJournal.layer(backups),
  SqliteLock.layer(join(folder, "bench.db"))
).pipe(Layer.provide(NodeServices.layer))

const work: { readonly [name: string]: Effect.Effect<unknown, unknown, Layer.Success<typeof layers>> } = {
  fill,
  backup: Backup.create(["c"], { consistency: "fuzzy" }),
  "plain-backup": plainBackup,
  restore,
  "plain-restore": plainRestore,
  changed
}

/** Resident memory in MB, without asking a collector to run. */
const resident = () => {
  const status = readFileSync("/proc/self/statm", "utf8").split(" ")
  return (Number(status[1]) * 4096) / 1e6
}

const answer = await Effect.runPromise(
  Effect.gen(function* () {
    // What any work costs: the code is loaded, a page was read.
    yield* Effect.ignore(Effect.flatMap(Databases, (db) => db.listDocuments("c", [Query.limit(1)])))
    const base = resident()
    let peak = base
    const timer = setInterval(() => (peak = Math.max(peak, resident())), 20)
    const start = performance.now()
    let more: unknown
    for (let time = 0; time < times; time++) more = yield* work[what]!
    const time = performance.now() - start
    clearInterval(timer)
    peak = Math.max(peak, resident())
    return { time, peak, base, ...(what === "changed" ? (more as object) : {}) }
  }).pipe(Effect.provide(layers)) as Effect.Effect<object>
)
closeSync(openSync(join(folder, "done"), "w"))
console.log(JSON.stringify(answer))
