/**
 * A collection as a backup holds it, by difference: verify ─▶ safety backup ─▶ schema ─▶ compare by id and hash ─▶
 * delete what is extra, change what differs, create what is missing in order of creation ─▶ rest of the schema ─▶ the
 * exact hash must be the backup's.
 *
 * It can be repeated: what is as the backup has it is not written again. Memory: a bit for each document, and a chunk.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Cause from "effect/Cause"
import {
  type BackupReadError,
  DocumentsNotInBackup,
  RestoreIncomplete,
  RestoreSchemaDiffers
} from "../../BackupError.ts"
import type { Chunk } from "../../BackupManifest.ts"
import type { Collection } from "../../Collection.ts"
import type { Methods } from "../../Databases.ts"
import * as DatabaseHash from "../../DatabaseHash.ts"
import type { DatabasesError } from "../../DatabasesError.ts"
import type { Document } from "../../Document.ts"
import type { JournalUnavailable, OpenRun, RunJournal } from "../../MigrationJournal.ts"
import { batchLimit, type Mutation, path, type Restore } from "../../Operation.ts"
import * as Query from "../../Query.ts"
import * as ExactJson from "../ExactJson.ts"
import { sum } from "../Hash.ts"
import { messageOf } from "../migrations/CauseMessage.ts"
import * as Report from "../migrations/Report.ts"
import * as Paging from "../Paging.ts"
import * as Progress from "../Progress.ts"
import { release } from "./Chunk.ts"
import * as Difference from "./Difference.ts"
import * as Files from "./Files.ts"
import * as Format from "./Format.ts"
import * as Index from "./Index.ts"
import * as SchemaPlan from "./SchemaPlan.ts"
import type { Part } from "./Verify.ts"

export interface Options {
  readonly databases: Methods
  readonly part: Part
  /** The part's schema, under the id of the collection that is restored. */
  readonly schema: Collection
  /** What stands there now. */
  readonly current: Collection | undefined
  /** Ids as they sort, and as they were given; undefined: all. */
  readonly only: ReadonlyMap<string, string> | undefined
}

/** What it comes to. */
export interface Found {
  readonly counts: Difference.Counts
  /** Changes of the schema, a sentence each. */
  readonly schema: ReadonlyArray<string>
}

type Failure = DatabasesError | BackupReadError | JournalUnavailable

/** Deletions told of in one entry of the journal. */
const journaled = 1000

export const planOf = ({ current, databases, schema }: Options): SchemaPlan.Plan =>
  current === undefined
    ? SchemaPlan.creation(databases.databaseId, schema)
    : SchemaPlan.change(databases.databaseId, current, schema)

export const sentences = ({ after, before }: SchemaPlan.Plan): ReadonlyArray<string> =>
  Report.render([...before, ...after].map((operation) => Report.describe(operation)))

/** Refuses single documents that the backup has not, or that the collection has no room for. */
export const checkOnly = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<void, BackupReadError | DocumentsNotInBackup | RestoreSchemaDiffers> {
  const { current, only, part, schema } = options
  if (only === undefined) return
  const missing = new Map(only)
  yield* Effect.scoped(
    Effect.gen(function* () {
      const reader = yield* Index.open(part.place, part.manifest.chunks)
      for (let head = reader.peek(); head !== undefined; head = reader.peek()) {
        missing.delete(head.key)
        const more = reader.take()
        if (more !== undefined) yield* more
      }
    })
  )
  if (missing.size > 0) {
    const backup = Files.locationOf(part.place, Format.manifestName)
    return yield* new DocumentsNotInBackup({ backup, ids: [...missing.values()] })
  }
  const changes = current === undefined ? [] : sentences(planOf(options))
  if (changes.length > 0) return yield* new RestoreSchemaDiffers({ collection: schema.$id, changes })
})

/** What of a part is to be written: a bit for each line of each chunk. */
interface Due {
  readonly changed: ReadonlyArray<Difference.Lines>
  readonly missing: ReadonlyArray<Difference.Lines>
}
const nothingDue = (chunks: ReadonlyArray<Chunk>): Due => {
  const lines = () => chunks.map(({ documents }) => new Difference.Lines(documents))
  return { changed: lines(), missing: lines() }
}

/** Documents of a target in order of id: the one that comes next, and an effect where taking it must read. */
interface Target<out E> {
  readonly peek: () => (Difference.Standing & { readonly id: string }) | undefined
  readonly take: () => Effect.Effect<void, E> | undefined
}

/** A collection itself, a page at a time. */
const targetOf = Effect.fnUntraced(function* (
  databases: Methods,
  collection: string
): Effect.fn.Return<Target<DatabasesError>, DatabasesError> {
  let page: ReadonlyArray<Difference.Standing & { readonly id: string }> = []
  let [position, isLast] = [0, false]
  const read = Effect.fnUntraced(function* () {
    const last = page.at(-1)?.id
    const { documents } = yield* databases.listDocuments(
      collection,
      [
        ...(last === undefined ? [] : [Query.greaterThan("$id", last)]),
        Query.orderAsc("$id"),
        Query.limit(Paging.defaultPageSize)
      ],
      { total: false }
    )
    isLast = documents.length < Paging.defaultPageSize
    position = 0
    page = documents.map((document) => ({
      id: document.$id,
      key: Format.sortableId(document.$id),
      exact: DatabaseHash.document(document)
    }))
    yield* Effect.yieldNow
  })
  yield* read()
  return {
    peek: () => page[position],
    take: () => (++position < page.length || isLast ? undefined : read())
  }
})

/**
 * Compares target and backup, both in order of id. `onExtra`: told of what only the target has. `safety`: a backup of
 * the target as it is, whose index is read in its place.
 */
export const compare = Effect.fnUntraced(function* <E>(
  { current, databases, only, part, schema }: Options,
  onExtra: (documents: ReadonlyArray<{ readonly id: string; readonly exact: string }>) => Effect.Effect<void, E>,
  safety?: Part
): Effect.fn.Return<{ readonly counts: Difference.Counts; readonly due: Due }, Failure | E> {
  const { chunks, documents: inBackup } = part.manifest
  const due = nothingDue(chunks)
  const counts = { ...Difference.none }
  const progress = yield* Progress.start(`comparing ${schema.$id}`, inBackup)
  yield* Effect.scoped(
    Effect.gen(function* () {
      const backup = yield* Index.open(part.place, chunks)
      const target: Target<Failure> | undefined =
        current === undefined
          ? undefined
          : safety === undefined
            ? yield* targetOf(databases, schema.$id)
            : yield* Index.open(safety.place, safety.manifest.chunks)
      let extra: Array<{ readonly id: string; readonly exact: string }> = []
      for (let seen = 1; ; seen++) {
        const [ours, theirs] = [backup.peek(), target?.peek()]
        const verdict = Difference.compare(theirs, ours)
        if (verdict === undefined) break
        const isAsked = only === undefined || only.has((verdict === "extra" ? theirs! : ours!).key)
        if (isAsked) counts[verdict]++
        if (verdict === "extra") {
          // Single documents are restored, none is taken away.
          if (only === undefined) extra.push({ id: theirs!.id, exact: theirs!.exact })
        } else if (isAsked && verdict !== "same") due[verdict][ours!.chunk]!.add(ours!.line)
        if (verdict !== "missing") {
          const more = target!.take()
          if (more !== undefined) yield* more
        }
        if (verdict !== "extra") {
          const more = backup.take()
          if (more !== undefined) yield* more
        }
        if (extra.length === journaled) {
          yield* onExtra(extra)
          extra = []
        }
        if (seen % 1000 === 0) yield* Effect.andThen(progress.advance(1000), Effect.yieldNow)
      }
      if (extra.length > 0) yield* onExtra(extra)
    })
  )
  yield* progress.finish
  return { counts: only === undefined ? counts : { ...counts, extra: 0 }, due }
})

/** A document out of its line: what it does not say is null. */
const toDocument = (line: string, { attributes }: Collection): Document => {
  const written = ExactJson.parse(line) as Partial<Document>
  const document: Record<string, unknown> = { $sequence: "0", $permissions: [] }
  for (const { array, key } of attributes) document[key] = array ? [] : null
  // One after the other: `__proto__` and the like are keys as any.
  for (const [key, value] of Object.entries(written)) document[key] = value
  return document as Document
}

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
  { part: { manifest, place }, schema }: Options,
  due: ReadonlyArray<Difference.Lines>,
  onChunk: (ids: ReadonlyArray<string>) => Effect.Effect<void, E1>,
  onBatch: (documents: ReadonlyArray<Document>, mark: Mark) => Effect.Effect<void, E2>
): Effect.fn.Return<void, Failure | E1 | E2> {
  const chosen = [...manifest.chunks.entries()].filter(([position]) => due[position]!.size > 0)
  for (const [position, chunk] of chosen) {
    const raw = yield* Files.readChunk(place, chunk)
    const lines = dueLines(raw, due[position]!)
    yield* onChunk(idsOf(raw, lines))
    const { ends, numbers, starts } = lines
    for (let from = 0; from < numbers.length; from += batchLimit) {
      const documents: Array<Document> = []
      for (let line = from; line < Math.min(from + batchLimit, numbers.length); line++) {
        documents.push(toDocument(raw.toString("utf8", starts[line], ends[line]), schema))
      }
      yield* onBatch(documents, (at, sets) => sets[position]!.add(numbers[from + at]!))
    }
    release(raw)
  }
})

const sizeOf = (due: ReadonlyArray<Difference.Lines>): number => due.reduce((total, { size }) => total + size, 0)

/** Writes the difference. Ids of documents that could not be written. */
const write = Effect.fnUntraced(function* (
  options: Options,
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

/** Changes the schema, each step told before it is done. */
const applySchema = (databases: Methods, journal: RunJournal, operations: ReadonlyArray<Mutation>) =>
  Effect.forEach(
    operations,
    (operation) =>
      Effect.andThen(
        journal.append({ _tag: "Restored", action: "schema", what: [`${operation._tag} ${path(operation)}`] }),
        databases.execute(operation)
      ),
    { discard: true }
  )

/** The exact hash that the collection has when it is as in the backup, under its own id. */
export const expectedHash = Effect.fnUntraced(function* ({
  part,
  schema
}: Options): Effect.fn.Return<string, BackupReadError> {
  const { hashes, collection } = part.manifest
  if (collection === schema.$id && hashes !== null) return hashes.exact
  const documents = sum()
  yield* Effect.scoped(
    Effect.gen(function* () {
      const reader = yield* Index.open(part.place, part.manifest.chunks)
      for (let head = reader.peek(); head !== undefined; head = reader.peek()) {
        documents.add(head.exact)
        const more = reader.take()
        if (more !== undefined) yield* more
      }
    })
  )
  return DatabaseHash.ofParts(schema, documents.text())
})

/**
 * Restores; what was compared, or why it is not done. The journal is begun. `way`: what to type if it is not finished;
 * `safety`: a backup of the collection as it is now.
 */
export const restore = Effect.fnUntraced(function* (
  options: Options,
  journal: RunJournal,
  way: NonNullable<OpenRun["restore"]>,
  safety: Part | undefined
): Effect.fn.Return<Difference.Counts, RestoreIncomplete> {
  const { databases, only, schema } = options
  const collection = schema.$id
  const incomplete = (detail: string) => new RestoreIncomplete({ ...way, detail })
  const exit = yield* Effect.gen(function* () {
    const plan = planOf(options)
    yield* applySchema(databases, journal, plan.before)
    // An attribute that went or came changes hashes: then the safety backup is no longer what stands there.
    const isSafe = !plan.before.some(({ _tag }) => _tag === "DeleteAttribute" || _tag === "CreateAttribute")
    const { counts, due } = yield* compare(
      options,
      Effect.fnUntraced(function* (extra: ReadonlyArray<{ readonly id: string; readonly exact: string }>) {
        yield* journal.append({ _tag: "Restored", action: "delete", what: extra.map(({ id }) => id) })
        for (let from = 0; from < extra.length; from += batchLimit) {
          const restores = extra
            .slice(from, from + batchLimit)
            .map(({ exact, id }): Restore => ({ id, expected: exact, document: null }))
          yield* databases.restoreDocuments(collection, restores)
        }
      }),
      isSafe ? safety : undefined
    )
    const left = yield* write(options, journal, due)
    if (left.length > 0) {
      const ids = `${left.slice(0, 5).join(", ")}${left.length > 5 ? ` and ${left.length - 5} more` : ""}`
      return yield* incomplete(`${ids} could not be written, since other documents hold their unique values`)
    }
    yield* applySchema(databases, journal, plan.after)
    if (only === undefined) {
      const expected = yield* expectedHash(options)
      if ((yield* DatabaseHash.collection(databases, collection)) !== expected) {
        return yield* incomplete("its hash is not the backup's: others have written meanwhile")
      }
    } else {
      const again = yield* compare({ ...options, current: schema }, () => Effect.void)
      if (again.counts.changed + again.counts.missing > 0) {
        return yield* incomplete("the documents are not those of the backup: others have written meanwhile")
      }
    }
    return counts
  }).pipe(Effect.interruptible, Effect.exit)
  if (Exit.isSuccess(exit)) return exit.value
  const error = Cause.findErrorOption(exit.cause)
  if (error._tag === "Some" && error.value._tag === "RestoreIncomplete") return yield* error.value
  if (Cause.hasInterruptsOnly(exit.cause)) return yield* incomplete("it was interrupted")
  return yield* incomplete(messageOf(exit.cause))
})
