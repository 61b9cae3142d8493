/** What stands between a target and a backup: both read in order of id. */
import * as Effect from "effect/Effect"
import type { BackupReadError } from "../../BackupError.ts"
import type { Chunk } from "../../BackupManifest.ts"
import type { Collection } from "../../Collection.ts"
import * as DatabaseHash from "../../DatabaseHash.ts"
import type { Methods } from "../../Databases.ts"
import type { DatabasesError } from "../../DatabasesError.ts"
import type { JournalUnavailable } from "../../MigrationJournal.ts"
import * as Paging from "../Paging.ts"
import * as Progress from "../Progress.ts"
import * as Difference from "./Difference.ts"
import * as Format from "./Format.ts"
import * as Index from "./Index.ts"
import type { Part } from "./Verify.ts"

/** What is restored, and into what. */
export interface Request {
  readonly databases: Methods
  readonly part: Part
  /** The part's schema, under the id of the collection that is restored. */
  readonly schema: Collection
  /** What stands there now. */
  readonly current: Collection | undefined
  /** Ids as they sort, and as they were given; undefined: all. */
  readonly only: ReadonlyMap<string, string> | undefined
}

export type Failure = DatabasesError | BackupReadError | JournalUnavailable

/** What of a part is to be written: a bit for each line of each chunk. */
export interface Due {
  readonly changed: ReadonlyArray<Difference.Lines>
  readonly missing: ReadonlyArray<Difference.Lines>
}
export const nothingDue = (chunks: ReadonlyArray<Chunk>): Due => {
  const lines = () => chunks.map(({ documents }) => new Difference.Lines(documents))
  return { changed: lines(), missing: lines() }
}

/** Documents that only the target has, told of at once. */
const extrasTogether = 1000

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
    const documents = yield* Paging.page(databases, collection, "$id", page.at(-1)?.id)
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
  { current, databases, only, part, schema }: Request,
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
        if (extra.length === extrasTogether) {
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
