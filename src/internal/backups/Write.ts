/** Writes the documents of a backup that are due, as they are in it. */
import * as Effect from "effect/Effect"
import type { Collection } from "../../Collection.ts"
import * as DatabaseHash from "../../DatabaseHash.ts"
import type { Document } from "../../Document.ts"
import type { RunJournal } from "../../MigrationJournal.ts"
import { batchLimit, type Restore } from "../../Operation.ts"
import * as Query from "../../Query.ts"
import * as ExactJson from "../ExactJson.ts"
import * as Progress from "../Progress.ts"
import { release } from "./Chunk.ts"
import { type Due, type Failure, nothingDue, type Request } from "./Compare.ts"
import type * as Difference from "./Difference.ts"
import * as Files from "./Files.ts"
import * as Format from "./Format.ts"

/** What a document has of which a line says nothing; no line says its `$sequence`, which is a new one in any case. */
const blank = ({ attributes }: Collection): object => ({
  $sequence: "0",
  $permissions: [],
  ...Object.fromEntries(attributes.map(({ array, key }) => [key, array ? [] : null]))
})
const toDocument = (line: string, unwritten: object): Document => ({
  ...unwritten,
  ...(ExactJson.parse(line) as Document)
})

/** The lines of a chunk that are due: their numbers, where each begins, and where each ends. */
interface Lines {
  readonly numbers: Uint32Array
  readonly starts: Uint32Array
  readonly ends: Uint32Array
}
const dueLines = (raw: Buffer, due: Difference.Lines): Lines => {
  const [numbers, starts, ends] = [new Uint32Array(due.size), new Uint32Array(due.size), new Uint32Array(due.size)]
  for (let [start, number, found] = [0, 0, 0]; start < raw.length && found < due.size; number++) {
    const end = raw.indexOf(0x0a, start)
    if (due.has(number)) {
      numbers[found] = number
      starts[found] = start
      ends[found++] = end
    }
    start = end + 1
  }
  return { numbers, starts, ends }
}

/** Ids in the texts of documents, which are not parsed for them. */
const idsOf = (raw: Buffer, { starts }: Lines): ReadonlyArray<string> =>
  Array.from(starts, (start) => {
    const from = start + Format.idStart
    return raw.toString("latin1", from, raw.indexOf(0x22, from))
  })

type Mark = (position: number, lines: ReadonlyArray<Difference.Lines>) => void

/**
 * Documents of the lines that are due, in order of creation, a batch at a time: `onChunk` hears of all their ids
 * before. One chunk is in memory.
 */
const forEachDue = Effect.fnUntraced(function* <E1, E2>(
  { part: { manifest, place }, schema }: Request,
  due: ReadonlyArray<Difference.Lines>,
  onChunk: (ids: ReadonlyArray<string>) => Effect.Effect<void, E1>,
  onBatch: (documents: ReadonlyArray<Document>, mark: Mark) => Effect.Effect<void, E2>
): Effect.fn.Return<void, Failure | E1 | E2> {
  const unwritten = blank(schema)
  const chosen = [...manifest.chunks.entries()].filter(([position]) => due[position]!.size > 0)
  for (const [position, chunk] of chosen) {
    const raw = yield* Files.readChunk(place, chunk)
    const lines = dueLines(raw, due[position]!)
    yield* onChunk(idsOf(raw, lines))
    const { ends, numbers, starts } = lines
    for (let from = 0; from < numbers.length; from += batchLimit) {
      const documents: Array<Document> = []
      for (let line = from; line < Math.min(from + batchLimit, numbers.length); line++) {
        documents.push(toDocument(raw.toString("utf8", starts[line], ends[line]), unwritten))
      }
      yield* onBatch(documents, (at, sets) => sets[position]!.add(numbers[from + at]!))
    }
    release(raw)
  }
})

const sizeOf = (due: ReadonlyArray<Difference.Lines>): number => due.reduce((total, { size }) => total + size, 0)

/** Writes the difference. Ids of documents that could not be written. */
export const write = Effect.fnUntraced(function* (
  options: Request,
  journal: RunJournal,
  due: Due
): Effect.fn.Return<ReadonlyArray<string>, Failure> {
  const { databases, part, schema } = options
  const collection = schema.$id
  const fresh = () => nothingDue(part.manifest.chunks).changed
  const progress = yield* Progress.start(`restoring ${collection}`, sizeOf(due.changed) + sizeOf(due.missing))

  /** Found as they are now, so that what was written already is not written again. */
  const standing = Effect.fnUntraced(function* (batch: ReadonlyArray<Document>) {
    const ids = batch.map(({ $id }) => $id)
    const { documents } = yield* databases.listDocuments(
      collection,
      [Query.equal("$id", ids), Query.limit(ids.length)],
      { total: false }
    )
    return new Map(documents.map((document) => [Format.sortableId(document.$id), DatabaseHash.document(document)]))
  })

  const tell = (action: "update" | "create") => (ids: ReadonlyArray<string>) =>
    Effect.asVoid(journal.append({ _tag: "Restored", action, what: ids }))
  /** Puts a batch as it is in the backup; answers the positions of those that unique values stand against. */
  const put = Effect.fnUntraced(function* (
    action: "update" | "create",
    batch: ReadonlyArray<Document>,
    toRestore: (document: Document, found: string | null) => Restore
  ): Effect.fn.Return<ReadonlyArray<number>, Failure> {
    const found = action === "create" ? new Map<string, string>() : yield* standing(batch)
    const restores = batch.map((document) => toRestore(document, found.get(Format.sortableId(document.$id)) ?? null))
    const { conflicts } = yield* databases.restoreDocuments(collection, restores)
    yield* progress.advance(batch.length)
    yield* Effect.yieldNow
    if (conflicts.length === 0) return []
    const stuck = new Set(conflicts)
    return [...batch.entries()].flatMap(([index, { $id }]) => (stuck.has($id) ? [index] : []))
  })
  const wanted = (document: Document, expected: string | null): Restore => ({ id: document.$id, expected, document })

  /** Those that stay behind are due again. */
  const pass = Effect.fnUntraced(function* (action: "update" | "create", lines: ReadonlyArray<Difference.Lines>) {
    const left = fresh()
    yield* forEachDue(options, lines, tell(action), (documents, mark) =>
      Effect.map(put(action, documents, wanted), (stuck) => {
        for (const index of stuck) mark(index, left)
      })
    )
    return left
  })

  let changing = yield* pass("update", due.changed)
  // Each pass frees values that others wait for.
  for (let before = sizeOf(due.changed); sizeOf(changing) > 0 && sizeOf(changing) < before;) {
    before = sizeOf(changing)
    changing = yield* pass("update", changing)
  }
  // What is left swaps its values in a circle: those documents go, and come again with those that are missing. Of single
  // documents the others of the circle stay, so these can't be written.
  const circle = options.only === undefined ? changing : fresh()
  yield* forEachDue(options, circle, tell("update"), (documents, mark) =>
    Effect.gen(function* () {
      yield* put("update", documents, ({ $id }, expected) => ({ id: $id, expected, document: null }))
      for (const index of documents.keys()) mark(index, due.missing)
    })
  )
  let missing = yield* pass("create", due.missing)
  // Created by somebody else meanwhile: as the backup has it all the same.
  if (sizeOf(missing) > 0) missing = yield* pass("update", missing)
  const ids: Array<string> = []
  for (const left of options.only === undefined ? [missing] : [changing, missing]) {
    yield* forEachDue(
      options,
      left,
      (some) => Effect.sync(() => void ids.push(...some)),
      () => Effect.void
    )
  }
  yield* progress.finish
  return ids
})
