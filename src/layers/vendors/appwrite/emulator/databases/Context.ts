/** What the routes of databases stand on, and how a handler is made. */
import type { Caller as OurCaller } from "../../../../../Caller.ts"
import { Caller, guest, key } from "../../../../../Caller.ts"
import { formatDateTime } from "../../../../../internal/DateTimeText.ts"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { Attribute } from "../../../../../Attribute.ts"
import type { Collection } from "../../../../../Collection.ts"
import type { Methods } from "../../../../../Databases.ts"
import { DatabasesError } from "../../../../../DatabasesError.ts"
import type { Index } from "../../../../../Index.ts"
import type { JsonLists } from "../../../JsonLists.ts"
import { ApiFailure, make } from "../ApiFailure.ts"
import type { Answer, Call, Handler } from "../Call.ts"
import * as Columns from "./Columns.ts"
import * as Failures from "./Failures.ts"
import type { Entry, Metadata } from "./Metadata.ts"
import type { Overlaps } from "./Overlaps.ts"
import * as Settling from "./Settling.ts"
import type { Vocabulary } from "./Vocabulary.ts"

export interface Context {
  readonly databases: Methods
  /** Where the engine writes lists as JSON itself. */
  readonly jsonLists: Option.Option<JsonLists["Service"]>
  readonly metadata: Metadata
  /** How long a column or an index takes until it is there, in milliseconds. */
  readonly settle: number
  /** Also do what the real server does wrong. */
  readonly quirks: boolean
  /** Calls that others were in flight beside. */
  readonly overlaps: Overlaps
}

const callerOf = (call: Call): OurCaller => (call.caller._tag === "Key" ? key : guest)

/** What the server looks up for itself, whatever the caller may read. */
export const asServer = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.provideService(effect, Caller, key)

/** A value of thousands of levels. */
const isTooDeep = (defect: unknown): boolean =>
  defect instanceof RangeError && defect.message === "Maximum call stack size exceeded"

/** A handler in a vocabulary: its errors become the server's, what it throws as a refusal too. */
export const handler =
  (
    vocabulary: Vocabulary,
    body: (call: Call, now: number) => Effect.Effect<Answer, ApiFailure | DatabasesError>,
    options?: { readonly bulk?: boolean; readonly commit?: boolean }
  ): Handler =>
  (call) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.suspend(() => body(call, now))).pipe(
      Effect.catchDefect((defect) =>
        defect instanceof ApiFailure
          ? Effect.fail(defect)
          : isTooDeep(defect)
            ? Effect.fail(make(400, "general_argument_invalid", "Invalid body: Value is nested too deeply"))
            : Effect.die(defect)
      ),
      Effect.mapError((error) =>
        error instanceof ApiFailure ? error : Failures.translate(vocabulary, options)(error)
      ),
      Effect.provideService(Caller, callerOf(call))
    )

/** Before a call on a table: what is due there. */
export const settling =
  (context: Context, next: Handler): Handler =>
  (call) => {
    const { databaseId, tableId } = call.path
    if (context.settle === 0 || databaseId === undefined || tableId === undefined) return next(call)
    const { databases, metadata } = context
    return Effect.flatMap(Clock.currentTimeMillis, (now) =>
      Settling.settle({ databases: databases.in(databaseId), metadata, databaseId, tableId }, now)
    ).pipe(asServer, Effect.andThen(Effect.suspend(() => next(call))))
  }

export const inDatabase = ({ databases }: Context, call: Call): Methods => databases.in(call.path["databaseId"]!)

const statusOf = (entry: Entry, settled: boolean): string => {
  if (entry.status !== undefined) return entry.status
  if (entry.failure !== undefined) return "failed"
  // What was still processing when it was deleted goes on saying so.
  if (entry.until === "deleting" && entry.wasProcessing !== true) return "deleting"
  return settled ? "available" : "processing"
}

/** When a column or an index settled, and what it is now. */
export const settledOf = (
  entry: Entry | undefined,
  fallback: { readonly $createdAt: string; readonly $updatedAt: string },
  now: number
): Columns.Settled => {
  if (entry === undefined) return { ...fallback, status: "available" }
  const settled = now >= entry.settlesAt
  return {
    $createdAt: formatDateTime(entry.createdAt),
    // Settling is an update of its own, so it is later than the creation.
    $updatedAt: formatDateTime(settled ? entry.updatedAt : entry.createdAt),
    status: statusOf(entry, settled),
    ...(entry.default === undefined ? {} : { default: entry.default })
  }
}

export const shownColumn = (
  { metadata }: Context,
  databaseId: string,
  collection: Collection,
  attribute: Attribute,
  now: number
) => {
  const entry = metadata.get(databaseId, collection.$id, "columns", attribute.key)
  const settled = settledOf(entry, collection, now)
  const column = Columns.show(attribute, {
    ...settled,
    ...(Columns.encryptsNull.has(attribute.kind) ? { encrypt: null } : {})
  })
  return entry?.inline === true && "min" in attribute ? { ...column, min: attribute.min, max: attribute.max } : column
}

export const shownIndex = (
  { metadata }: Context,
  vocabulary: Vocabulary,
  databaseId: string,
  collection: Collection,
  index: Index,
  now: number
) => {
  const entry = metadata.get(databaseId, collection.$id, "indexes", index.key)
  const { default: _default, ...settled } = settledOf(entry, collection, now)
  return {
    $id: `0_0_${index.key}`,
    ...settled,
    key: index.key,
    type: index.kind,
    error: "",
    [vocabulary.columns]: index.attributes,
    lengths: entry?.lengths ?? index.attributes.map((_, position) => index.lengths[position] ?? 0),
    // As they were typed, unless the index has lost a column since.
    orders:
      entry?.orders !== undefined && entry.lengths === undefined
        ? entry.orders
        : index.orders.map((order) => order.toUpperCase())
  }
}

/** Indexes that the store has, and those that the server only lists. */
export const indexesOf = ({ metadata }: Context, databaseId: string, collection: Collection): ReadonlyArray<Index> => [
  ...collection.indexes,
  ...Settling.pendingIndexes({ metadata, databaseId, tableId: collection.$id }),
  ...metadata
    .list(databaseId, collection.$id, "indexes")
    .flatMap(([, { phantom }]) => (phantom === undefined ? [] : [phantom as Index]))
]
