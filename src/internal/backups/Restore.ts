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
import type { JournalUnavailable, RunJournal } from "../../MigrationJournal.ts"
import { batchLimit, type Mutation, path, type Restore } from "../../Operation.ts"
import * as Query from "../../Query.ts"
import * as ExactJson from "../ExactJson.ts"
import { sum } from "../Hash.ts"
import { messageOf } from "../migrations/CauseMessage.ts"
import * as Report from "../migrations/Report.ts"
import * as Paging from "../Paging.ts"
import * as Progress from "../Progress.ts"
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
  /** Ids, sortable; undefined: all. */
  readonly only: ReadonlySet<string> | undefined
}

/** What it comes to. */
export interface Found {
  readonly counts: Difference.Counts
  /** Changes of the schema, a sentence each. */
  readonly schema: ReadonlyArray<string>
}

type Failure = DatabasesError | BackupReadError | JournalUnavailable

/** Documents told of in one entry of the journal. */
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
  const missing = new Set(only)
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
    return yield* new DocumentsNotInBackup({ backup, ids: [...missing] })
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

/** Compares target and backup, both in order of id. `onExtra`: told of what only the target has, page by page. */
export const compare = Effect.fnUntraced(function* <E>(
  { databases, only, part, schema, current }: Options,
  onExtra: (documents: ReadonlyArray<Document>) => Effect.Effect<void, E>
): Effect.fn.Return<{ readonly counts: Difference.Counts; readonly due: Due }, Failure | E> {
  const { chunks, documents: inBackup } = part.manifest
  const due = nothingDue(chunks)
  const counts = { ...Difference.none } as { [V in Difference.Verdict]: number }
  const isAsked = (key: string) => only === undefined || only.has(key)
  const progress = yield* Progress.start(`comparing ${schema.$id}`, inBackup)
  yield* Effect.scoped(
    Effect.gen(function* () {
      const reader = yield* Index.open(part.place, chunks)
      /** Takes what the backup has before `target`, and at it; answers what the target's is. */
      const meet = Effect.fnUntraced(function* (target: Difference.Standing | undefined) {
        for (;;) {
          const head = reader.peek()
          const verdict = Difference.compare(target, head)
          if (verdict === undefined) return undefined
          const ours = isAsked(verdict === "extra" ? target!.key : head!.key)
          if (ours) counts[verdict]++
          if (verdict === "extra") return ours ? verdict : undefined
          if (ours && verdict !== "same") due[verdict][head!.chunk]!.add(head!.line)
          const more = reader.take()
          if (more !== undefined) yield* more
          if (verdict !== "missing") return verdict
        }
      })
      if (current !== undefined) {
        yield* Paging.forEachPageById(
          databases,
          schema.$id,
          Effect.fnUntraced(function* (page) {
            const extra: Array<Document> = []
            for (const document of page) {
              const key = Format.sortableId(document.$id)
              const verdict = yield* meet({ key, exact: DatabaseHash.document(document) })
              // Single documents are restored, none is taken away.
              if (verdict === "extra") extra.push(document)
            }
            yield* progress.advance(page.length)
            if (only === undefined && extra.length > 0) yield* onExtra(extra)
          })
        )
      }
      yield* meet(undefined)
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

/** Documents of the lines that are due, a chunk at a time, in order of creation. */
const forEachDue = Effect.fnUntraced(function* <E>(
  { part: { manifest, place }, schema }: Options,
  due: ReadonlyArray<Difference.Lines>,
  body: (
    documents: ReadonlyArray<Document>,
    mark: (position: number, lines: ReadonlyArray<Difference.Lines>) => void
  ) => Effect.Effect<void, E>
): Effect.fn.Return<void, Failure | E> {
  for (const [position, chunk] of manifest.chunks.entries()) {
    const lines = due[position]!
    if (lines.size === 0) continue
    const raw = yield* Files.readChunk(place, chunk)
    let [numbers, documents]: [Array<number>, Array<Document>] = [[], []]
    const flush = Effect.fnUntraced(function* () {
      const known = numbers
      yield* body(documents, (index, set) => set[position]!.add(known[index]!))
      numbers = []
      documents = []
    })
    for (let [start, number] = [0, 0]; start < raw.length; number++) {
      const end = raw.indexOf(0x0a, start)
      if (lines.has(number)) {
        numbers.push(number)
        documents.push(toDocument(raw.toString("utf8", start, end), schema))
        if (documents.length === journaled) yield* flush()
      }
      start = end + 1
    }
    if (documents.length > 0) yield* flush()
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

  /** Puts documents as they are in the backup; answers the positions of those that unique values stand against. */
  const put = Effect.fnUntraced(function* (
    action: "update" | "create",
    documents: ReadonlyArray<Document>,
    toRestore: (document: Document, found: string | null) => Restore
  ): Effect.fn.Return<ReadonlyArray<number>, Failure> {
    yield* journal.append({ _tag: "Restored", action, what: documents.map(({ $id }) => $id) })
    const left: Array<number> = []
    for (let from = 0; from < documents.length; from += batchLimit) {
      const batch = documents.slice(from, from + batchLimit)
      const found = action === "create" ? new Map<string, string>() : yield* standing(batch)
      const restores = batch.map((document) => toRestore(document, found.get(Format.sortableId(document.$id)) ?? null))
      const { conflicts } = yield* databases.restoreDocuments(collection, restores)
      const stuck = new Set(conflicts)
      for (const [index, { $id }] of batch.entries()) if (stuck.has($id)) left.push(from + index)
      yield* progress.advance(batch.length)
      yield* Effect.yieldNow
    }
    return left
  })
  const wanted = (document: Document, expected: string | null): Restore => ({ id: document.$id, expected, document })

  /** Those that stay behind are due again. */
  const pass = Effect.fnUntraced(function* (action: "update" | "create", lines: ReadonlyArray<Difference.Lines>) {
    const left = fresh()
    yield* forEachDue(options, lines, (documents, mark) =>
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
  // What is left swaps its values in a circle: those documents go, and come again with those that are missing.
  yield* forEachDue(options, changing, (documents, mark) =>
    Effect.gen(function* () {
      yield* put("update", documents, ({ $id }, expected) => ({ id: $id, expected, document: null }))
      for (const index of documents.keys()) mark(index, due.missing)
    })
  )
  let missing = yield* pass("create", due.missing)
  // Created by somebody else meanwhile: as the backup has it all the same.
  if (sizeOf(missing) > 0) missing = yield* pass("update", missing)
  const ids: Array<string> = []
  yield* forEachDue(options, missing, (documents) =>
    Effect.sync(() => void ids.push(...documents.map(({ $id }) => $id)))
  )
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

/** Restores; what was compared, or why it is not done. The journal is begun, the safety backup taken. */
export const restore = Effect.fnUntraced(function* (
  options: Options,
  journal: RunJournal,
  safety: string | null
): Effect.fn.Return<Difference.Counts, RestoreIncomplete> {
  const { databases, only, part, schema } = options
  const collection = schema.$id
  const incomplete = (detail: string) =>
    new RestoreIncomplete({
      collection,
      detail,
      safety,
      backup: Files.locationOf(part.place, Format.manifestName)
    })
  const exit = yield* Effect.gen(function* () {
    const plan = planOf(options)
    yield* applySchema(databases, journal, plan.before)
    const { counts, due } = yield* compare(
      options,
      Effect.fnUntraced(function* (extra: ReadonlyArray<Document>) {
        yield* journal.append({ _tag: "Restored", action: "delete", what: extra.map(({ $id }) => $id) })
        for (let from = 0; from < extra.length; from += batchLimit) {
          const restores = extra.slice(from, from + batchLimit).map((document): Restore => ({
            id: document.$id,
            expected: DatabaseHash.document(document),
            document: null
          }))
          yield* databases.restoreDocuments(collection, restores)
        }
      })
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
