/** Routes of files. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Caller } from "../Access.ts"
import * as ApiFailure from "../ApiFailure.ts"
import { type Answer, type Call, json, noContent } from "../Call.ts"
import * as Lists from "../Lists.ts"
import * as Params from "../Params.ts"
import * as Permissions from "../Permissions.ts"
import type { Route } from "../Routes.ts"
import { changedAt, listParameters } from "./Buckets.ts"
import * as MimeType from "./MimeType.ts"
import * as Ranges from "./Ranges.ts"
import * as Refusals from "./Refusals.ts"
import type { Bucket, File, Store, Stored } from "./Store.ts"
import * as Upload from "./Upload.ts"

const listed: Lists.Spec = {
  noun: "File",
  attributes: ["name", "signature", "mimeType", "sizeOriginal", "chunksTotal", "chunksUploaded"]
}

const bucketId = { bucketId: Params.required(Params.id) }
const fileId = { ...bucketId, fileId: Params.required(Params.id) }

/** A bucket that the caller may see. */
const bucketOf = (store: Store, id: string, caller: Caller): Effect.Effect<Stored<Bucket>, ApiFailure.ApiFailure> => {
  const bucket = store.buckets.get(id)
  return bucket === undefined || (!bucket.value.enabled && caller._tag === "Guest")
    ? Effect.fail(Refusals.bucketNotFound)
    : Effect.succeed(bucket)
}

/**
 * Whether the bucket's own permissions allow the action. Where they do not, files may, if the bucket says so; else it
 * is refused here.
 */
const grantedByBucket = (bucket: Bucket, caller: Caller, action: Permissions.Action) => {
  const refusal = Permissions.refusal(caller, bucket.$permissions, action)
  return refusal === undefined || bucket.fileSecurity ? Effect.succeed(refusal === undefined) : Effect.fail(refusal)
}

/** A file for reading; one that may not be read is not there. */
const readable = (store: Store, ids: { readonly bucketId: string; readonly fileId: string }, caller: Caller) =>
  Effect.gen(function* () {
    const bucket = yield* bucketOf(store, ids.bucketId, caller)
    const granted = yield* grantedByBucket(bucket.value, caller, "read")
    const file = store.files.get(bucket.sequence, ids.fileId)
    if (file === undefined) return yield* Refusals.fileNotFound
    if (!granted && !Permissions.allows(caller, file.value.$permissions, "read")) return yield* Refusals.fileNotFound
    return file
  })

/** A file for changing; reading it is not asked for. */
const writable = (
  store: Store,
  ids: { readonly bucketId: string; readonly fileId: string },
  caller: Caller,
  action: Permissions.Action
) =>
  Effect.gen(function* () {
    const bucket = yield* bucketOf(store, ids.bucketId, caller)
    const granted = yield* grantedByBucket(bucket.value, caller, action)
    const file = store.files.get(bucket.sequence, ids.fileId)
    if (file === undefined) return yield* Refusals.fileNotFound
    if (!granted && !Permissions.allows(caller, file.value.$permissions, action)) {
      const refusal = Permissions.refusal(caller, file.value.$permissions, action)
      return yield* action === "delete" ? (refusal ?? ApiFailure.unauthorized()) : ApiFailure.unauthorized()
    }
    return file
  })

/** Header values are bytes, which Node takes for Latin-1; the server puts the name there in UTF-8. */
const headerText = (text: string) => Buffer.from(text.replaceAll(/[\r\n\0]/g, "")).toString("latin1")

const content = (store: Store, { sequence, value }: Stored<File>, call: Call, inline: boolean) =>
  Effect.gen(function* () {
    if (value.chunksUploaded < value.chunksTotal) return yield* Refusals.fileIncomplete(value.bucketId, value.$id)
    const asked = call.headers["range"] ?? ""
    const range = asked === "" ? undefined : Ranges.rangeOf(asked, value.sizeOriginal)
    if (asked !== "" && range === undefined) return yield* Refusals.rangeInvalid
    const { end, start } = range ?? { start: 0, end: value.sizeOriginal - 1 }
    const { chunks, length } = store.chunks.read(sequence, start, end)
    const answer: Answer = {
      _tag: "Bytes",
      status: range === undefined ? 200 : 206,
      contentType: inline ? MimeType.forView(value.mimeType) : value.mimeType,
      headers: {
        "cache-control": "private, max-age=3888000",
        "content-disposition": `${inline ? "inline" : "attachment"}; filename="${headerText(value.name)}"`,
        "x-content-type-options": "nosniff",
        ...(range === undefined
          ? {}
          : { "accept-ranges": "bytes", "content-range": `bytes ${start}-${end}/${value.sizeOriginal}` })
      },
      length,
      // A chunk at a time; what is short goes out in one piece.
      bytes: length > Ranges.chunkSize ? Stream.fromIterable(chunks, { chunkSize: 1 }) : Buffer.concat([...chunks])
    }
    return answer
  })

/** Downloading, and viewing in a browser. */
const served = (store: Store, inline: boolean) =>
  Params.handler(fileId, (values, call) =>
    Effect.flatMap(readable(store, values, call.caller), (file) => content(store, file, call, inline))
  )

const list = (store: Store) =>
  Params.handler({ ...bucketId, ...listParameters }, (values, { caller }) =>
    Effect.gen(function* () {
      const bucket = yield* bucketOf(store, values.bucketId, caller)
      const granted = yield* grantedByBucket(bucket.value, caller, "read")
      const files = store.files
        .list(bucket.sequence)
        .filter((file) => granted || Permissions.allows(caller, file.$permissions, "read"))
      const { items, total } = yield* Effect.fromResult(Lists.page(listed, files, values))
      return json({ total, files: items })
    })
  )

const update = (store: Store) =>
  Params.handler(
    {
      ...fileId,
      name: Params.optional(Params.text(128), null),
      permissions: Params.optional(Params.permissions("collection"), null)
    },
    (values, { caller }) =>
      Effect.gen(function* () {
        const { sequence, value } = yield* writable(store, values, caller, "update")
        const permissions = values.permissions?.filter((permission) => !permission.startsWith("create("))
        const refusal = Permissions.grantRefusal(caller, permissions ?? [])
        if (refusal !== undefined) return yield* refusal
        const next = { ...value, name: values.name ?? value.name, $permissions: permissions ?? value.$permissions }
        if (JSON.stringify(next) === JSON.stringify(value)) return json(value)
        const file = { ...next, $updatedAt: changedAt(yield* Clock.currentTimeMillis, value.$updatedAt) }
        store.files.update(sequence, file)
        return json(file)
      })
  )

/** Calls a minute that the server says it allows for uploads and deletions. */
const rateLimit = 60

export const routes = (store: Store, options: Upload.Options): ReadonlyArray<Route> => {
  const create = Params.handler(
    {
      ...bucketId,
      fileId: Params.required(Params.newId),
      permissions: Params.optional(Params.permissions("document"), null)
    },
    (values, call) =>
      Effect.flatMap(bucketOf(store, values.bucketId, call.caller), (bucket) =>
        Upload.upload(store, bucket, call, values, options)
      )
  )
  const get = Params.handler(fileId, (values, { caller }) =>
    Effect.map(readable(store, values, caller), ({ value }) => json(value))
  )
  const remove = Params.handler(fileId, (values, { caller }) =>
    Effect.map(writable(store, values, caller, "delete"), ({ sequence }) => {
      store.files.remove(sequence)
      return noContent
    })
  )
  const all = "/storage/buckets/:bucketId/files"
  const one = `${all}/:fileId`
  return [
    { method: "POST", path: all, scope: "files.write", rateLimit, handler: create },
    { method: "GET", path: all, scope: "files.read", handler: list(store) },
    { method: "GET", path: one, scope: "files.read", handler: get },
    { method: "PUT", path: one, scope: "files.write", handler: update(store) },
    { method: "DELETE", path: one, scope: "files.write", rateLimit, handler: remove },
    { method: "GET", path: `${one}/download`, scope: "files.read", handler: served(store, false) },
    { method: "GET", path: `${one}/view`, scope: "files.read", handler: served(store, true) }
  ]
}
