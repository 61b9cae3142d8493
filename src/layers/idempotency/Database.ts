/**
 * `IdempotencyStore` in a collection of any `Databases`: SQLite, memory, Appwrite.
 *
 * It rests on one promise of theirs: of several creations of a document with one id, one wins. Deletions name a
 * generation, reads are lists, and what a deletion answers is not used.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { randomUUID } from "node:crypto"
import * as Caller from "../../Caller.ts"
import { Databases, type Methods } from "../../Databases.ts"
import type { DatabasesError } from "../../DatabasesError.ts"
import type { Document } from "../../Document.ts"
import * as EpochLog from "../../EpochLog.ts"
import { type SecretMissing, type StoreShapeMismatch, StoreUnavailable } from "../../IdempotencyError.ts"
import {
  encryptionKey,
  IdempotencyStore,
  make as makeStore,
  type MakeOptions,
  type Placed,
  type Slots,
  type Transactions
} from "../../IdempotencyStore.ts"
import * as Query from "../../Query.ts"
import * as Collection from "./database/Collection.ts"
import * as Rows from "./database/Rows.ts"
import * as Hashes from "../../internal/idempotency/Hashes.ts"
import * as Secret from "./Secret.ts"

export interface Options extends Omit<MakeOptions, "encryption" | "encrypt"> {
  /** Hashes what rows show to people. At least 32 bytes; it may be changed at any time. */
  readonly secret: Redacted.Redacted
  /** The secret before it, which kept responses may still be encrypted under. */
  readonly previousSecret?: Redacted.Redacted | undefined
  /** Encrypts kept responses under the secret. Default false. */
  readonly encrypt?: boolean | undefined
}

type Call<A> = Effect.Effect<A, StoreUnavailable | StoreShapeMismatch>

/** Refusals of a commit that would come again. */
const invalid: ReadonlySet<DatabasesError["reason"]["_tag"]> = new Set([
  "InvalidArgument",
  "InvalidDocument",
  "InvalidQuery",
  "LimitExceeded",
  "Unauthorized",
  "Unsupported"
])

/** Slots as documents. `secret`: hashes what rows show to people. */
export const makeSlots = (databases: Methods, secret: string, name: string): Slots => {
  const hashed = Hashes.columns(secret)
  const failed = (operation: string) => (error: DatabasesError) =>
    new StoreUnavailable({ operation, detail: error.message, cause: error })

  /** Like an API key, whoever calls; a collection that is missing is made, and the call made again. */
  const call = <A>(operation: string, effect: Effect.Effect<A, DatabasesError>): Call<A> =>
    effect.pipe(
      Effect.catch((error) =>
        Collection.isNotReady(error)
          ? Effect.andThen(Collection.ensure(databases), Effect.mapError(effect, failed(operation)))
          : Effect.fail(failed(operation)(error))
      ),
      Effect.provideService(Caller.Caller, Caller.key)
    )

  /** Whether the collection is ours, looked at once in this process, beside the first creation. */
  let isKnown = false
  const known = Effect.suspend(() =>
    isKnown
      ? Effect.void
      : Effect.tap(Effect.provideService(Collection.ensure(databases), Caller.Caller, Caller.key), () =>
          Effect.sync(() => {
            isKnown = true
          })
        )
  )

  const listed = (key: string) =>
    databases.listDocuments(
      Collection.id,
      [Query.equal("$id", Rows.slotIds(key, EpochLog.slots)), Query.limit(EpochLog.slots)],
      { total: false }
    )
  const chainOf = ({ documents }: { readonly documents: ReadonlyArray<Document> }) =>
    EpochLog.chainOf(EpochLog, documents.map(Rows.fromDocument))

  const isTaken = ({ reason }: DatabasesError) => reason._tag === "AlreadyExists" && reason.resource === "document"

  const transactions: Transactions = {
    begin: (ttl) =>
      call(
        "begin",
        Effect.map(databases.createTransaction({ ttl: Math.floor(ttl / 1000) }), ({ $id }) => $id)
      ),
    commit: (id, staged, key, row, about) =>
      call(
        "commit",
        Effect.gen(function* () {
          const now = yield* Clock.currentTimeMillis
          const document = Rows.toDocument(key, row, about, hashed, now)
          const done = {
            _tag: "CreateDocument",
            database: databases.databaseId,
            collection: Collection.id,
            document
          } as const
          yield* databases.stageOperations(id, [...staged, done])
          yield* databases.commitTransaction(id)
          return { _tag: "Committed" } as const
        }).pipe(
          Effect.catchIf(
            ({ reason }) => reason._tag !== "Unavailable",
            (error) =>
              Effect.succeed({
                _tag: "CommitFailed",
                // One that ran out was refused for its time, not for what it holds.
                invalid: invalid.has(error.reason._tag) && error.reason.type !== "transaction_expired",
                detail: error.message
              } as const)
          )
        )
      ),
    rollback: (id) => call("rollback", Effect.asVoid(databases.rollbackTransaction(id)))
  }

  return {
    name,
    local: false,
    nonce: () => randomUUID().replaceAll("-", ""),
    create: Effect.fnUntraced(function* (key, row, about, list) {
      const now = yield* Clock.currentTimeMillis
      const create = databases.createDocument(Collection.id, Rows.toDocument(key, row, about, hashed, now)).pipe(
        Effect.map(({ $createdAt }): Placed => ({ _tag: "Created", serverTime: Date.parse($createdAt) })),
        Effect.catchIf(isTaken, () => Effect.succeed<Placed>({ _tag: "Taken", chain: undefined }))
      )
      const creating = isKnown
        ? call("create", create)
        : Effect.map(Effect.all([call("create", create), known], { concurrency: 2 }), ([placed]) => placed)
      if (!list) return yield* creating
      // The list costs no time beside the creation, and answers most repeated requests.
      // Detached: a list that hangs must not hold the creation's answer.
      const beside = yield* Effect.forkDetach(call("list", Effect.map(listed(key), chainOf)))
      const placed = yield* Effect.onExit(creating, (exit) =>
        Effect.sync(() => {
          if (exit._tag === "Failure" || exit.value._tag === "Created") beside.interruptUnsafe()
        })
      )
      if (placed._tag === "Created") return placed
      return { _tag: "Taken", chain: yield* Effect.orElseSucceed(Fiber.join(beside), () => undefined) }
    }),
    list: (key) => call("list", Effect.map(listed(key), chainOf)),
    deleteGeneration: (key, generation) =>
      call(
        "deleteGeneration",
        Effect.asVoid(
          databases.deleteDocuments(Collection.id, [
            Query.equal("$id", Rows.slotIds(key, EpochLog.slots)),
            Query.equal("generation", generation)
          ])
        )
      ),
    deleteRow: (key, slot, generation) =>
      call(
        "deleteRow",
        Effect.asVoid(
          databases.deleteDocuments(Collection.id, [
            Query.equal("$id", Rows.slotId(key, slot)),
            Query.equal("generation", generation)
          ])
        )
      ),
    putParts: (_key, row, prefix, parts) =>
      call(
        "putParts",
        Effect.forEach(
          parts,
          (text, index) =>
            // Sent again, it is there already.
            Effect.catchIf(
              Effect.asVoid(databases.createDocument(Collection.id, Rows.partDocument(row, prefix, index, text))),
              isTaken,
              () => Effect.void
            ),
          { discard: true }
        )
      ),
    getParts: (_key, prefix, count) =>
      call(
        "getParts",
        Effect.forEach(
          Array.from({ length: count }, (_, index) => Rows.partId(prefix, index)),
          (id) =>
            Effect.map(
              databases.listDocuments(Collection.id, [Query.equal("$id", id), Query.limit(1)], { total: false }),
              ({ documents: [document] }) => (document === undefined ? undefined : String(document["responseData"]))
            )
        )
      ),
    removePurged: (before, limit, dryRun) => {
      const due = Query.lessThan("purgeAt", new Date(before).toISOString())
      const counted: Effect.Effect<{ readonly total: number }, DatabasesError> = dryRun
        ? databases.listDocuments(Collection.id, [due, Query.limit(1)])
        : databases.deleteDocuments(Collection.id, [due, Query.limit(limit)])
      return counted.pipe(
        Effect.map(({ total }) => total),
        // Where nothing was ever claimed, there is nothing to remove, and nothing to make.
        Effect.catchIf(
          ({ reason }) => reason._tag === "NotFound",
          () => Effect.succeed(0)
        ),
        (removed) => call("removePurged", removed)
      )
    },
    // Each creation says what time it is there.
    time: Effect.undefined,
    transactions
  }
}

/** The store on the `Databases` around it. */
export const make = Effect.fnUntraced(function* (options: Options) {
  const databases = yield* Databases
  const { databaseId } = databases
  const name = yield* Effect.match(databases.describeTarget, {
    onSuccess: ({ label }) => label,
    onFailure: () => databaseId
  })
  const secret = yield* Secret.check(name, options.secret)
  const known = [options.secret, ...(options.previousSecret === undefined ? [] : [options.previousSecret])]
  const keys = known.map((one) => encryptionKey(Redacted.value(one)))
  return makeStore(makeSlots(databases, secret, name), {
    ...options,
    // Reading goes on when encryption is no longer asked for.
    encryption: keys,
    encrypt: options.encrypt ?? false
  })
})

/** Refuses a secret that is too short. */
export const layer = (options: Options): Layer.Layer<IdempotencyStore, SecretMissing, Databases> =>
  Layer.effect(IdempotencyStore, Effect.map(make(options), IdempotencyStore.of))

type Rest = Omit<Options, keyof Secret.Secrets>

/** With the secret of `HOLDFAST_SECRET`: for a database that others read too. */
export const layerConfig = (options: Rest = {}): Layer.Layer<IdempotencyStore, SecretMissing, Databases> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const { databaseId } = yield* Databases
      return layer({ ...options, ...(yield* Secret.fromConfig(databaseId)) })
    })
  )

/** With a secret of its own beside the database file, made on first use: for an embedded database. */
export const layerBeside = (
  filename: string,
  options: Rest = {}
): Layer.Layer<IdempotencyStore, SecretMissing, Databases | FileSystem.FileSystem> =>
  Layer.unwrap(Effect.map(Secret.beside(filename), (secrets) => layer({ ...options, ...secrets })))
