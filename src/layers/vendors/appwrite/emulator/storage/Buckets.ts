/** Routes of buckets. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { uniqueId } from "../../../../../Databases.ts"
import { formatDateTime } from "../../../../../internal/DateTimeText.ts"
import { json, noContent } from "../Call.ts"
import * as Lists from "../Lists.ts"
import * as Params from "../Params.ts"
import type { Route } from "../Routes.ts"
import * as Refusals from "./Refusals.ts"
import type { Bucket, Store } from "./Store.ts"

export interface Options {
  /** Largest file that a bucket may allow, in bytes. */
  readonly largestFile: number
}

const listed: Lists.Spec = {
  noun: "Bucket",
  attributes: [
    "enabled",
    "name",
    "fileSecurity",
    "maximumFileSize",
    "encryption",
    "antivirus",
    "compression",
    "transformations"
  ]
}

/** Parameters that creating and updating share; what is left out goes back to its default. */
const settings = ({ largestFile }: Options) => ({
  name: Params.required(Params.text(128)),
  permissions: Params.optional(Params.permissions("collection"), null),
  fileSecurity: Params.optional(Params.boolean, false),
  enabled: Params.optional(Params.boolean, true),
  maximumFileSize: Params.optional(Params.range(1, largestFile), largestFile),
  allowedFileExtensions: Params.optional(Params.list(Params.text(64)), []),
  compression: Params.optional(Params.oneOf(["none", "gzip", "zstd"]), "none"),
  encryption: Params.optional(Params.boolean, true),
  antivirus: Params.optional(Params.boolean, true),
  transformations: Params.optional(Params.boolean, true)
})

const bucketId = { bucketId: Params.required(Params.id) }
export const listParameters = {
  queries: Params.optional(Params.queries, []),
  search: Params.optional(Params.text(256, 0), ""),
  total: Params.optional(Params.boolean, true)
}

/** Later than the last change, even within a millisecond. */
export const changedAt = (now: number, previous: string): string =>
  formatDateTime(Math.max(now, Date.parse(previous) + 1))

const find = (store: Store, id: string) =>
  Effect.fromNullishOr(store.buckets.get(id)).pipe(Effect.mapError(() => Refusals.bucketNotFound))

export const routes = (store: Store, options: Options): ReadonlyArray<Route> => {
  const create = Params.handler({ bucketId: Params.required(Params.newId), ...settings(options) }, (values) =>
    Effect.gen(function* () {
      const $id = values.bucketId === "unique()" ? yield* uniqueId : values.bucketId
      if (store.buckets.get($id) !== undefined) return yield* Refusals.bucketExists
      const now = formatDateTime(yield* Clock.currentTimeMillis)
      const { bucketId: _, permissions, ...rest } = values
      const bucket: Bucket = {
        $id,
        $createdAt: now,
        $updatedAt: now,
        $permissions: permissions ?? [],
        ...rest,
        totalSize: 0
      }
      store.buckets.insert(bucket)
      return json(bucket, 201)
    })
  )

  const update = Params.handler({ ...bucketId, ...settings(options) }, (values) =>
    Effect.gen(function* () {
      const { sequence, value } = yield* find(store, values.bucketId)
      const { bucketId: _, permissions, ...rest } = values
      const next: Bucket = { ...value, ...rest, $permissions: permissions ?? value.$permissions }
      if (JSON.stringify(next) === JSON.stringify(value)) return json(value)
      const bucket = { ...next, $updatedAt: changedAt(yield* Clock.currentTimeMillis, value.$updatedAt) }
      store.buckets.update(sequence, bucket)
      return json(bucket)
    })
  )

  const list = Params.handler(listParameters, (values) =>
    Effect.gen(function* () {
      const { items, total } = yield* Effect.fromResult(Lists.page(listed, store.buckets.list(), values))
      return json({ total, buckets: items })
    })
  )

  const get = Params.handler(bucketId, (values) => Effect.map(find(store, values.bucketId), ({ value }) => json(value)))

  const remove = Params.handler(bucketId, (values) =>
    Effect.map(find(store, values.bucketId), ({ sequence }) => {
      store.buckets.remove(sequence)
      return noContent
    })
  )

  return [
    { method: "POST", path: "/storage/buckets", scope: "buckets.write", handler: create },
    { method: "GET", path: "/storage/buckets", scope: "buckets.read", handler: list },
    { method: "GET", path: "/storage/buckets/:bucketId", scope: "buckets.read", handler: get },
    { method: "PUT", path: "/storage/buckets/:bucketId", scope: "buckets.write", handler: update },
    { method: "DELETE", path: "/storage/buckets/:bucketId", scope: "buckets.write", handler: remove }
  ]
}
