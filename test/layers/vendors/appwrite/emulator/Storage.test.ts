import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { createHash, randomBytes } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { AppwriteException, Client, Permission, Role, Storage } from "node-appwrite"
import { InputFile } from "node-appwrite/file"
import { asGuest, asKey, key, project, send, start } from "../../../../support/Emulator.ts"

const md5 = (bytes: Uint8Array) => createHash("md5").update(bytes).digest("hex")
const big = randomBytes(12_000_000)
const mebibytes5 = 5 * 1024 * 1024

const storageOf = (endpoint: string) => new Storage(new Client().setEndpoint(endpoint).setProject(project).setKey(key))

/** A chunk by hand, as an upload that was cut short left it. */
const chunk = (endpoint: string, fileId: string, start: number, bytes: Uint8Array = big) =>
  Effect.promise(async () => {
    const end = Math.min(start + mebibytes5, bytes.length)
    const form = new FormData()
    form.append("fileId", fileId)
    form.append("file", new File([new Uint8Array(bytes.subarray(start, end))], "big.bin"))
    const response = await fetch(`${endpoint}/storage/buckets/b/files`, {
      method: "POST",
      headers: { ...asKey, "content-range": `bytes ${start}-${end - 1}/${bytes.length}`, "x-appwrite-id": fileId },
      body: form
    })
    const json: any = await response.json()
    return { status: response.status, json }
  })

const withBucket = (options: Parameters<typeof start>[0] = {}, body: object = {}) =>
  Effect.gen(function* () {
    const endpoint = yield* start(options)
    yield* send(`${endpoint}/storage/buckets`, "POST", { body: { bucketId: "b", name: "b", ...body } })
    return { endpoint, storage: storageOf(endpoint) }
  })

const download = (storage: Storage, fileId: string) =>
  Effect.map(
    Effect.promise(() => storage.getFileDownload({ bucketId: "b", fileId })),
    (bytes) => new Uint8Array(bytes)
  )

describe("storage, by node-appwrite", () => {
  it.live("takes 12 MB and gives them back", () =>
    Effect.gen(function* () {
      const { storage } = yield* withBucket()
      const file = yield* Effect.promise(() =>
        storage.createFile({
          bucketId: "b",
          fileId: "f",
          file: InputFile.fromBuffer(big, "big.bin"),
          permissions: [Permission.read(Role.any())]
        })
      )
      assert.deepStrictEqual(
        [file.signature, file.chunksUploaded, file.chunksTotal, file.sizeOriginal, file.$permissions],
        [md5(big), 3, 3, big.length, [`read("any")`]]
      )
      assert.strictEqual(md5(yield* download(storage, "f")), md5(big))
      const list = yield* Effect.promise(() => storage.listFiles({ bucketId: "b" }))
      assert.strictEqual(list.total, 1)
      yield* Effect.promise(() => storage.deleteFile({ bucketId: "b", fileId: "f" }))
      const gone = yield* Effect.flip(Effect.tryPromise(() => storage.getFile({ bucketId: "b", fileId: "f" })))
      assert.strictEqual((gone.cause as AppwriteException).type, "storage_file_not_found")
    })
  )

  it.live("goes on after an interruption, chunks in any order, at once and again", () =>
    Effect.gen(function* () {
      const { endpoint, storage } = yield* withBucket()
      const last = yield* chunk(endpoint, "f", 2 * mebibytes5)
      assert.deepStrictEqual([last.status, last.json.chunksUploaded, last.json.signature], [201, 1, ""])
      assert.strictEqual((yield* send(`${endpoint}/storage/buckets/b/files/f/download`, "GET")).status, 404)
      yield* chunk(endpoint, "f", 2 * mebibytes5)
      assert.strictEqual(
        (yield* Effect.promise(() => storage.getFile({ bucketId: "b", fileId: "f" }))).chunksUploaded,
        1
      )
      // The SDK starts from the first chunk.
      const file = yield* Effect.promise(() =>
        storage.createFile({ bucketId: "b", fileId: "f", file: InputFile.fromBuffer(big, "big.bin") })
      )
      assert.deepStrictEqual([file.signature, file.chunksUploaded], [md5(big), 3])
      assert.strictEqual(md5(yield* download(storage, "f")), md5(big))
      const parallel = yield* Effect.all(
        [0, 1, 2].map((n) => chunk(endpoint, "g", n * mebibytes5)),
        { concurrency: 3 }
      )
      assert.deepStrictEqual(
        parallel.map(({ json }) => json.chunksUploaded).toSorted((left, right) => left - right),
        [1, 2, 3]
      )
      assert.strictEqual(md5(yield* download(storage, "g")), md5(big))
    })
  )

  it.live("keeps what is there through a restart, an upload half done too", () =>
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "holdfast-storage-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true }))
      )
      const options = { storage: join(folder, "storage") }
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { endpoint } = yield* withBucket(options)
          yield* chunk(endpoint, "f", 0)
        })
      )
      const endpoint = yield* start(options)
      yield* chunk(endpoint, "f", mebibytes5)
      const done = yield* chunk(endpoint, "f", 2 * mebibytes5)
      assert.strictEqual(done.json.signature, md5(big))
    })
  )

  it.live("loses permissions of the first chunk only as a quirk", () =>
    Effect.gen(function* () {
      for (const quirks of [false, true]) {
        const { endpoint } = yield* withBucket({ quirks })
        const form = new FormData()
        form.append("fileId", "f")
        form.append("permissions[]", `read("any")`)
        form.append("file", new File([new Uint8Array(big.subarray(0, mebibytes5))], "big.bin"))
        const headers = { ...asKey, "content-range": `bytes 0-${mebibytes5 - 1}/${big.length}` }
        yield* Effect.promise(() =>
          fetch(`${endpoint}/storage/buckets/b/files`, { method: "POST", headers, body: form })
        )
        yield* chunk(endpoint, "f", mebibytes5)
        const { json } = yield* chunk(endpoint, "f", 2 * mebibytes5)
        assert.deepStrictEqual(json.$permissions, quirks ? [] : [`read("any")`])
      }
    })
  )
})

describe("storage, for guests", () => {
  const small = (name: string) => InputFile.fromBuffer(Buffer.from(name), `${name}.txt`)

  it.live("shows nothing without permissions, and files by their own where the bucket says so", () =>
    Effect.gen(function* () {
      const { endpoint, storage } = yield* withBucket()
      for (const [fileId, permissions] of [
        ["open", [`read("any")`]],
        ["shut", []]
      ] as const) {
        yield* Effect.promise(() =>
          storage.createFile({ bucketId: "b", fileId, file: small(fileId), permissions: [...permissions] })
        )
      }
      const files = `${endpoint}/storage/buckets/b/files`
      const get = (path: string) => send(`${files}${path}`, "GET", { headers: asGuest })
      assert.deepStrictEqual([(yield* get("")).status, (yield* get("/open")).status], [401, 401])
      yield* send(`${endpoint}/storage/buckets/b`, "PUT", { body: { name: "b", fileSecurity: true } })
      assert.deepStrictEqual(
        (yield* get("")).json.files.map((file: { $id: string }) => file.$id),
        ["open"]
      )
      assert.deepStrictEqual(
        [(yield* get("/open/view")).text, (yield* get("/shut")).status, (yield* get("/nope")).status],
        ["open", 404, 404]
      )
      const change = (method: string) => send(`${files}/open`, method, { headers: asGuest, body: { name: "x" } })
      assert.deepStrictEqual([(yield* change("PUT")).status, (yield* change("DELETE")).status], [401, 401])
    })
  )

  it.live("takes files where the bucket grants create, and their permissions where guests have the role", () =>
    Effect.gen(function* () {
      const { endpoint } = yield* withBucket({}, { permissions: [`create("any")`] })
      const post = (fileId: string, permission?: string) =>
        Effect.promise(async () => {
          const form = new FormData()
          form.append("fileId", fileId)
          form.append("file", new File(["x"], "x.txt"))
          if (permission !== undefined) form.append("permissions[]", permission)
          const url = `${endpoint}/storage/buckets/b/files`
          const response = await fetch(url, { method: "POST", headers: asGuest, body: form })
          const json: any = await response.json()
          return { status: response.status, json }
        })
      assert.deepStrictEqual((yield* post("a")).json.$permissions, [])
      assert.strictEqual((yield* post("b", `read("any")`)).status, 201)
      assert.deepStrictEqual((yield* post("c", `read("users")`)).json.type, "user_unauthorized")
      yield* send(`${endpoint}/storage/buckets/b`, "PUT", { body: { name: "b", permissions: [] } })
      assert.strictEqual((yield* post("d")).json.message, "No permissions provided for action 'create'")
    })
  )
})
