/**
 * Which migrations a target has seen. A set, not a high-water mark: ids that were applied, each with its time and the
 * hash of its source; ids that failed last time; ids that were known and not applied when it was written.
 *
 * In JSON as the specification shows it (`completed`, `pending`, `failed`) and one more member, `holdfast`.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Target } from "./Operation.ts"

export const Applied = Schema.Struct({
  /** ISO 8601, UTC. */
  at: Schema.String,
  /** Milliseconds; 0 where it was not run (`baseline`). */
  duration: Schema.Finite,
  /** Of its source; null where that is not known: no drift can be told then. */
  hash: Schema.NullOr(Schema.String),
  /** The run that did it; null where it was not run (`baseline`). */
  run: Schema.NullOr(Schema.String)
})
export type Applied = typeof Applied.Type

export const Failure = Schema.Struct({ name: Schema.String, error: Schema.String, timestamp: Schema.String })
export type Failure = typeof Failure.Type

export const State = Schema.Struct({
  completed: Schema.Array(Schema.String),
  pending: Schema.Array(Schema.String),
  failed: Schema.Array(Failure),
  holdfast: Schema.Struct({
    /** Of this format. */
    version: Schema.Literal(1),
    target: Target,
    applied: Schema.Record(Schema.String, Applied)
  })
})
export type State = typeof State.Type

/** The state can't be read as one. It is never taken for "nothing ran". */
export class StateCorrupt extends Schema.TaggedError<StateCorrupt>()("StateCorrupt", {
  location: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `the migration state ${this.location} can't be read: ${this.detail}. Bring back a good copy of it; if there is none, move it away and run \`baseline --to ID\` with the last migration that was applied`
  }
}
/** The state tells of another target than the one at hand. */
export class StateOfAnotherTarget extends Schema.TaggedError<StateOfAnotherTarget>()("StateOfAnotherTarget", {
  location: Schema.String,
  expected: Schema.String,
  found: Schema.String
}) {
  override get message() {
    return `the migration state ${this.location} belongs to ${this.found}, not to ${this.expected}. Point --backups (or --database) elsewhere; if the database was made anew, move that state away`
  }
}
/** No state, and a target that holds collections: nobody knows what ran. */
export class StateMissing extends Schema.TaggedError<StateMissing>()("StateMissing", {
  location: Schema.String,
  target: Schema.String,
  collections: Schema.Array(Schema.String)
}) {
  override get message() {
    return `${this.target} holds collections (${this.collections.slice(0, 5).join(", ")}${this.collections.length > 5 ? ", …" : ""}), but there is no migration state at ${this.location}. Point --backups to it, or run \`baseline --to ID\` with the last migration that is in the database already`
  }
}
/** The state can't be reached: nothing is known of it. */
export class StateUnavailable extends Schema.TaggedError<StateUnavailable>()("StateUnavailable", {
  location: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `the migration state ${this.location} can't be read or written: ${this.detail}`
  }
}

export const MigrationStateError = Schema.Union([StateCorrupt, StateOfAnotherTarget, StateMissing, StateUnavailable])
export type MigrationStateError = typeof MigrationStateError.Type

export class MigrationState extends Context.Service<
  MigrationState,
  {
    /** Where it is kept, for people. */
    readonly location: string
    /** The state written last; undefined where there is none. */
    readonly load: Effect.Effect<State | undefined, StateCorrupt | StateUnavailable>
    /** Replaces it, whole: after a crash it is the old one or the new one. */
    readonly save: (state: State) => Effect.Effect<void, StateUnavailable>
  }
>()("holdfast/MigrationState") {}

/** What is known of an applied migration. Its id may be any text, also the name of a member that all objects have. */
export const appliedOf = (state: State, id: string): Applied | undefined =>
  Object.hasOwn(state.holdfast.applied, id) ? state.holdfast.applied[id] : undefined

/** Nothing ran yet. */
export const empty = (target: Target): State => ({
  completed: [],
  pending: [],
  failed: [],
  holdfast: { version: 1, target, applied: {} }
})

/** `known` are the ids that there are now, in their order. */
const withPending = (state: State, known: ReadonlyArray<string>): State => ({
  ...state,
  pending: known.filter((id) => !state.completed.includes(id))
})

/** The state after a success: its entry in `failed` is gone. */
export const succeeded = (state: State, id: string, applied: Applied, known: ReadonlyArray<string>): State =>
  withPending(
    {
      ...state,
      completed: [...state.completed.filter((one) => one !== id), id],
      failed: state.failed.filter(({ name }) => name !== id),
      holdfast: { ...state.holdfast, applied: { ...state.holdfast.applied, [id]: applied } }
    },
    known
  )

/** The state after a failure: the last one of each id is kept. */
export const failed = (state: State, failure: Failure, known: ReadonlyArray<string>): State =>
  withPending({ ...state, failed: [...state.failed.filter(({ name }) => name !== failure.name), failure] }, known)
