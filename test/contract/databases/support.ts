/** What the parts of the `Databases` contract share: a database of its own for each test, and how a refusal looks. */
import { assert } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { Databases, type Methods, uniqueId } from "../../../src/Databases.ts"
import type { DatabasesError, Reason } from "../../../src/DatabasesError.ts"
import type { Data, Document } from "../../../src/Document.ts"
import * as ExactJson from "../../../src/internal/ExactJson.ts"

/** States one promise: its title, and a test that gets a new, empty database. */
export type Promised = (title: string, body: (databases: Methods) => Effect.Effect<void, DatabasesError>) => void

export interface Options {
  /**
   * Appwrite's API stands between: what it has no words for is asserted as what arrives. Each place says why.
   */
  readonly overWire: boolean
}

/** Runs a test in a database that nobody else uses, and removes it afterwards: a real server is shared. */
export const inFreshDatabase = (body: (databases: Methods) => Effect.Effect<void, DatabasesError>) =>
  Effect.gen(function* () {
    const server = yield* Databases
    const id = `t${yield* uniqueId}`
    yield* Effect.acquireRelease(server.createDatabase(id), () => Effect.ignore(server.deleteDatabase(id)))
    yield* body(server.in(id))
  })

type ReasonOf<T extends Reason["_tag"]> = Extract<Reason, { readonly _tag: T }>

/** The reason why an operation was refused: of this tag, under Appwrite's name `type`. */
export const refused = <A, T extends Reason["_tag"]>(
  operation: Effect.Effect<A, DatabasesError>,
  tag: T,
  type: string
): Effect.Effect<ReasonOf<T>> =>
  Effect.map(Effect.result(operation), (result) => {
    if (Result.isSuccess(result)) {
      return assert.fail(`expected ${tag} (${type}), but it succeeded: ${ExactJson.stringify(result.success)}`)
    }
    const { reason } = result.failure
    assert.deepStrictEqual([reason._tag, reason.type], [tag, type], result.failure.message)
    return reason as ReasonOf<T>
  })

/** Waits until the clock shows another millisecond, so that a later date can be told from an earlier one. */
export const nextMillisecond: Effect.Effect<void> = Effect.gen(function* () {
  const start = yield* Clock.currentTimeMillis
  while ((yield* Clock.currentTimeMillis) === start) yield* Effect.yieldNow
})

export const idsOf = (documents: ReadonlyArray<{ readonly $id: string }>): ReadonlyArray<string> =>
  documents.map((document) => document.$id)

/** The document without the part that no caller can set. */
export const withoutSequence = (document: Document): Data & { readonly $id: string } => {
  const { $sequence: _, ...rest } = document
  return rest
}

/** Ids and keys that the server refuses. */
export const invalidIds = [
  "",
  "_lead",
  ".lead",
  "-lead",
  "with space",
  "sl/ash",
  "x$y",
  "ünïcode",
  "unique()x",
  "a".repeat(37)
] as const
export const longestId = "a".repeat(36)

/** A date as the server writes it. */
export const dateShape = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}\+00:00$/
