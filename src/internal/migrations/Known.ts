/** The migrations that there are, held against the state of a target: which are pending, changed, out of order. */
import * as Effect from "effect/Effect"
import type { Migration } from "../../Migration.ts"
import { appliedOf, type State } from "../../MigrationState.ts"
import {
  DuplicateMigration,
  MigrationDrift,
  type MigrationNotLoaded,
  OutOfOrder,
  UnknownMigration
} from "../../MigratorError.ts"
import * as Suggestion from "../Suggestion.ts"

/** Where a migration comes from: its file, or the program itself. */
export interface Source {
  /** From the file's name; the migration's own `id` wins over it. */
  readonly name: string
  /** For people. */
  readonly location: string
  /** Of its source; null where drift can't be told. */
  readonly hash: Effect.Effect<string | null, MigrationNotLoaded>
  readonly load: Effect.Effect<Migration, MigrationNotLoaded>
}

/** A source with the id that it goes by. */
export interface Known extends Source {
  readonly id: string
}

/**
 * Sources in their order, each with its id. Whose name is in the state already is not loaded: a thousand applied
 * migrations cost no more than their names.
 */
export const resolve = Effect.fnUntraced(function* (
  sources: ReadonlyArray<Source>,
  state: State
): Effect.fn.Return<ReadonlyArray<Known>, DuplicateMigration | MigrationNotLoaded> {
  const completed = new Set(state.completed)
  const seen = new Map<string, Known>()
  for (const source of sources) {
    const loaded = completed.has(source.name) ? undefined : yield* source.load
    const id = loaded?.id ?? source.name
    const known = { ...source, id, ...(loaded === undefined ? {} : { load: Effect.succeed(loaded) }) }
    const other = seen.get(id)
    if (other !== undefined) {
      return yield* new DuplicateMigration({ id, locations: [other.location, source.location] })
    }
    seen.set(id, known)
  }
  return [...seen.values()]
})

/** Applied migrations whose source is another now. */
export const drifted = Effect.fnUntraced(function* (known: ReadonlyArray<Known>, state: State) {
  const changed: Array<string> = []
  for (const { hash, id } of known) {
    const applied = appliedOf(state, id)
    if (applied === undefined || applied.hash === null) continue
    const now = yield* hash
    if (now !== null && now !== applied.hash) changed.push(id)
  }
  return changed
})

export const checkDrift = Effect.fnUntraced(function* (known: ReadonlyArray<Known>, state: State) {
  const migrations = yield* drifted(known, state)
  if (migrations.length > 0) return yield* new MigrationDrift({ migrations })
})

/** Those not applied, in order, up to and with `to`. */
export const pending = Effect.fnUntraced(function* (
  known: ReadonlyArray<Known>,
  state: State,
  to: string | undefined
): Effect.fn.Return<ReadonlyArray<Known>, UnknownMigration> {
  const last = to === undefined ? known.length - 1 : known.findIndex(({ id }) => id === to)
  if (to !== undefined && last === -1) return yield* unknown(to, known)
  const completed = new Set(state.completed)
  return known.slice(0, last + 1).filter(({ id }) => !completed.has(id))
})

export const unknown = (id: string, known: ReadonlyArray<Known>): UnknownMigration => {
  const suggestion = Suggestion.nearest(
    id,
    known.map((one) => one.id)
  )
  return new UnknownMigration({ id, ...(suggestion === undefined ? {} : { suggestion }) })
}

/**
 * Fails where one of `pending` stands before a migration that is applied. One that was tried in its turn and failed is
 * not out of order.
 */
export const checkOrder = Effect.fnUntraced(function* (
  known: ReadonlyArray<Known>,
  pending: ReadonlyArray<Known>,
  state: State
) {
  const completed = new Set(state.completed)
  const lastApplied = known.findLastIndex(({ id }) => completed.has(id))
  const tried = new Set(state.failed.map(({ name }) => name))
  const early = pending.filter((one) => known.indexOf(one) < lastApplied && !tried.has(one.id)).map(({ id }) => id)
  if (early.length > 0) return yield* new OutOfOrder({ migrations: early, after: known[lastApplied]!.id })
})
