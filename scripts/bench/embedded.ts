/**
 * The embedded engine beside the same SQLite statements by hand, on the same kind of file (WAL, synchronous FULL):
 * documents written in batches of 100, and read by pages of 1000. Ours must reach half of the rate by hand.
 */
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Attribute from "holdfast/Attribute"
import { Databases } from "holdfast/Databases"
import * as Embedded from "holdfast/layers/databases/Embedded"
import * as Query from "holdfast/Query"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { interleaved, ratio } from "./_measure.ts"

const documents = 20_000
const batch = 100
const page = 1000
const rounds = 7
/** Least share of the rate by hand. */
const bound = 0.5

const folder = mkdtempSync(join(tmpdir(), "holdfast-bench-"))
const text = "The quick brown fox jumps over the lazy dog. ".repeat(4).trimEnd()
const data = (index: number) => ({
  title: `title ${index}`,
  text,
  number: index,
  score: index / 7,
  done: index % 2 === 0
})

// By hand: the same columns, the same index (ids are equal without case), the same durability.
const byHand = new DatabaseSync(join(folder, "by-hand.db"))
byHand.exec("pragma journal_mode = WAL; pragma synchronous = FULL")
const table = (name: string) =>
  byHand.exec(
    `create table "${name}" (sequence integer primary key autoincrement, id text not null, created text not null, updated text not null, permissions text not null, title text, text text, number integer, score real, done integer); create unique index "${name}-id" on "${name}" (upper(id))`
  )
let written = 0
const writeByHand = (): number => {
  const name = `w${written++}`
  table(name)
  const insert = byHand.prepare(
    `insert into "${name}" (id, created, updated, permissions, title, text, number, score, done) values (?, ?, ?, ?, ?, ?, ?, ?, ?)`
  )
  for (let from = 0; from < documents; from += batch) {
    byHand.exec("begin immediate")
    for (let index = from; index < from + batch; index++) {
      const { done, number, score, text: words, title } = data(index)
      const now = new Date().toISOString()
      insert.run(`d${index}`, now, now, "[]", title, words, number, score, done ? 1 : 0)
    }
    byHand.exec("commit")
  }
  byHand.exec(`drop table "${name}"`)
  return documents
}
table("read")
const fill = byHand.prepare(
  `insert into "read" (id, created, updated, permissions, title, text, number, score, done) values (?, ?, ?, ?, ?, ?, ?, ?, ?)`
)
byHand.exec("begin")
for (let index = 0; index < documents; index++) {
  const { done, number, score, text: words, title } = data(index)
  fill.run(
    `d${index}`,
    "2026-01-01T00:00:00.000+00:00",
    "2026-01-01T00:00:00.000+00:00",
    "[]",
    title,
    words,
    number,
    score,
    done ? 1 : 0
  )
}
byHand.exec("commit")
const readPage = byHand.prepare(`select * from "read" where sequence > ? order by sequence limit ${page}`)
const readByHand = (): number => {
  let count = 0
  for (let last = 0; ;) {
    const rows = readPage.all(last)
    count += rows.length
    if (rows.length < page) return count
    last = Number(rows.at(-1)!["sequence"])
  }
}

const runtime = ManagedRuntime.make(Embedded.layer({ filename: join(folder, "holdfast.db") }))
const attributes = [
  Attribute.string("title", { size: 100 }),
  Attribute.string("text", { size: 1000 }),
  Attribute.integer("number"),
  Attribute.float("score"),
  Attribute.boolean("done")
]
const write = Effect.fnUntraced(function* (collection: string) {
  const databases = yield* Databases
  yield* databases.createCollection(collection, { attributes })
  for (let from = 0; from < documents; from += batch) {
    const some = Array.from({ length: batch }, (_, offset) => ({ $id: `d${from + offset}`, ...data(from + offset) }))
    yield* databases.createDocuments(collection, some)
  }
  return documents
})
const read = Effect.gen(function* () {
  const databases = yield* Databases
  let count = 0
  for (let last = "0"; ;) {
    const list = yield* databases.listDocuments(
      "read",
      [Query.greaterThan("$sequence", last), Query.orderAsc("$sequence"), Query.limit(page)],
      { total: false }
    )
    count += list.documents.length
    if (list.documents.length < page) return count
    last = list.documents.at(-1)!.$sequence
  }
})
await runtime.runPromise(write("read"))

const writing = await interleaved(
  [
    { name: "by hand", run: writeByHand },
    {
      name: "holdfast",
      run: () =>
        runtime.runPromise(
          Effect.gen(function* () {
            const count = yield* write("written")
            yield* (yield* Databases).deleteCollection("written")
            return count
          })
        )
    }
  ],
  rounds
)
const reading = await interleaved(
  [
    { name: "by hand", run: readByHand },
    { name: "holdfast", run: () => runtime.runPromise(read) }
  ],
  rounds
)

await runtime.dispose()
byHand.close()
rmSync(folder, { recursive: true })

const perSecond = (rate: number) => Math.round(rate).toLocaleString("en").padStart(10)
let missed = 0
for (const [what, rates] of [
  [`written in batches of ${batch}`, writing],
  [`read by pages of ${page}`, reading]
] as const) {
  const { floorRate, rate, ratio: share } = ratio(rates, "holdfast", "by hand")
  if (share < bound) missed++
  console.log(
    `documents/s ${what.padEnd(24)} holdfast ${perSecond(rate)}   by hand ${perSecond(floorRate)}   ratio ${share.toFixed(2)} (at least ${bound})`
  )
}
if (missed > 0) {
  console.error(`${missed} of 2 below ${bound} of the rate by hand`)
  process.exit(1)
}
