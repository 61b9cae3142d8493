/** The example: its migrations bring all records over, forward, back and forward again, and the failing one nothing. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as DatabaseHash from "../src/DatabaseHash.ts"
import { Databases } from "../src/Databases.ts"
import * as Folder from "../src/layers/migrations/Folder.ts"
import * as Migration from "../src/Migration.ts"
import * as Migrator from "../src/Migrator.ts"
import * as Query from "../src/Query.ts"
import { assertNothingOpen, assertNothingParked, exactHash, failWith, memory, savedState } from "./support/Migrating.ts"

const sources = (folder: string) =>
  Folder.sources(join(import.meta.dirname, "../examples/recognitions", folder)).pipe(Effect.provide(NodeServices.layer))

const contentHash = Effect.flatMap(Databases, (databases) => DatabaseHash.server(databases, "content"))

/** Runs all of them in a database of their own, and looks. */
const undisturbed = <A, E>(look: Effect.Effect<A, E, Migrator.Services>) =>
  Effect.gen(function* () {
    const results = yield* Migrator.executeAll(yield* sources("migrations"))
    for (const result of results.results) assert.isTrue(result.success, result.error?.message)
    return { results, looked: yield* look }
  }).pipe(Effect.provide(memory))

describe("examples/recognitions", () => {
  it.live("imports 3,201 records, each read or kept with a reason, and at least 99 % of them read", () =>
    undisturbed(
      Effect.gen(function* () {
        const databases = yield* Databases
        const count = (collection: string, ...queries: ReadonlyArray<Query.Query>) =>
          Effect.map(databases.listDocuments(collection, queries), ({ total }) => total)
        const imported = yield* count("recognitions")
        const rejected = yield* count("import-rejects")
        assert.strictEqual(imported + rejected, 3201)
        assert.isAtLeast(imported / 3201, 0.99)
        const { documents } = yield* databases.listDocuments("import-rejects", [Query.limit(5000)])
        for (const { reason } of documents) assert.match(String(reason), /title|release date/)
        assert.strictEqual(yield* count("evidence", Query.isNull("weight")), 0)
        const [movie] = (yield* databases.listDocuments("recognitions", [Query.equal("title", "Jurassic Park")]))
          .documents
        assert.deepInclude(movie, { directorGivenNames: "Steven", directorFamilyName: "Spielberg", criticScore: 87 })
        assert.notProperty(movie, "director")
        assert.notProperty(movie, "tomatoes")
        yield* assertNothingParked()
      })
    )
  )

  it.live(
    "each goes forward, back where it fails at its end, and forward to the very content of a run undisturbed",
    () =>
      Effect.gen(function* () {
        const plain = yield* undisturbed(contentHash)
        yield* Effect.gen(function* () {
          for (const source of yield* sources("migrations")) {
            const migration = yield* source.load
            const id = migration.id ?? source.name
            const before = yield* exactHash
            const up = Effect.andThen(migration.up, Effect.fail(new Error("on purpose, at its end")))
            const late = yield* failWith("MigrationFailed", Migration.make({ id, up }))
            assert.include(late.message, "on purpose, at its end")
            assert.strictEqual(yield* exactHash, before, `${id}, failed in up`)
            const verify = Effect.fail(new Error("on purpose, in its verification"))
            yield* failWith("VerificationFailed", Migration.make({ id, up: migration.up, verify }))
            assert.strictEqual(yield* exactHash, before, `${id}, failed in verify`)
            yield* Migrator.execute(source)
            assert.notStrictEqual(yield* exactHash, before, id)
          }
          assert.strictEqual(yield* contentHash, plain.looked)
          yield* assertNothingParked()
          yield* assertNothingOpen
        }).pipe(Effect.provide(memory))
      })
  )

  it.live("the one that fails half way leaves the exact hash, and says so in the state", () =>
    undisturbed(
      Effect.gen(function* () {
        const before = yield* exactHash
        const [failing] = yield* sources("failing")
        assert.isDefined(failing)
        const error = yield* failWith("MigrationFailed", failing)
        assert.include(error.message, "on purpose, after thousands of writes")
        assert.strictEqual(yield* exactHash, before)
        const { completed, failed } = yield* savedState
        assert.lengthOf(completed, 5)
        assert.deepStrictEqual(
          failed.map(({ name }) => name),
          ["0006_fails-half-way"]
        )
        yield* assertNothingParked()
        yield* assertNothingOpen
      })
    )
  )

  it.live("two new databases have the same content, and a second run changes nothing", () =>
    Effect.gen(function* () {
      const one = yield* undisturbed(contentHash)
      const other = yield* undisturbed(
        Effect.gen(function* () {
          const content = yield* contentHash
          const exact = yield* exactHash
          const again = yield* Migrator.executeAll(yield* sources("migrations"))
          assert.deepInclude(again, { success: true, completed: 0, skipped: 5, failed: 0 })
          assert.strictEqual(yield* exactHash, exact)
          return content
        })
      )
      assert.strictEqual(one.looked, other.looked)
      assert.strictEqual(one.results.completed, 5)
      for (const { verification } of one.results.results) assert.isTrue(verification?.success)
    })
  )
})

describe("examples/functions/create-recognition.ts", () => {
  it("is what docs/idempotency.md shows, and creates once", async () => {
    const file = join(import.meta.dirname, "../examples/functions/create-recognition.ts")
    const code = readFileSync(file, "utf8")
    assert.include(
      readFileSync(join(import.meta.dirname, "../docs/idempotency.md"), "utf8"),
      code.slice(code.indexOf("\n") + 1)
    )
    const folder = mkdtempSync(join(tmpdir(), "holdfast-function-"))
    process.env["DATABASE_FILE"] = join(folder, "function.db")
    const { default: entrypoint } = await import("../examples/functions/create-recognition.ts")
    const res = {
      text: (body: string, status: number, headers: Record<string, string>) => ({ body, status, headers }),
      binary: (bytes: Buffer, status: number, headers: Record<string, string>) => ({
        body: bytes.toString(),
        status,
        headers
      })
    }
    const req = {
      method: "POST",
      path: "/",
      headers: { "content-type": "application/json", "idempotency-key": "k1", "x-appwrite-user-id": "u1" },
      bodyText: `{"title":"Great work!"}`
    }
    assert.strictEqual((await entrypoint({ req: { ...req, bodyText: "no JSON" }, res })).status, 400)
    const first = await entrypoint({ req, res })
    const again = await entrypoint({ req, res })
    assert.strictEqual(first.status, 201)
    assert.strictEqual(again.body, first.body)
    assert.strictEqual(again.headers["idempotency-replayed"], "true")
    assert.strictEqual((await entrypoint({ req: { ...req, bodyText: "{}" }, res })).status, 422)
    delete process.env["DATABASE_FILE"]
    rmSync(folder, { recursive: true })
  })
})
