/**
 * `npm start`: real data migrated, verified, rolled back, backed up and restored, by the same commands that you would
 * type.
 *
 * It can be run again: what is applied stays. `rm -rf .data` starts anew.
 */
import * as Effect from "effect/Effect"
import { Databases } from "holdfast/Databases"
import * as DatabaseHash from "holdfast/DatabaseHash"
import * as Embedded from "holdfast/layers/databases/Embedded"
import * as Query from "holdfast/Query"
import { spawnSync } from "node:child_process"
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"

const database = ".data/recognitions.db"
const home = "examples/recognitions"
const shared = ["--database", `sqlite:${database}`, "--backups", ".data/backups"]

const tsx = join("node_modules", ".bin", "tsx")

/** Runs one command of the program, as it is typed, and says so. */
const migrate = (expected: number, folder: string, ...command: ReadonlyArray<string>): void => {
  const words = ["src/programs/migrate.ts", ...command, "--migrations", `${home}/${folder}`, ...shared]
  console.log(`\n$ npx tsx ${words.join(" ")}`)
  const { status } = spawnSync(tsx, words, { stdio: "inherit" })
  if (status !== expected) {
    console.error(`It exited with ${status}, where ${expected} was expected.`)
    process.exit(1)
  }
}

const hash = (): Promise<string> =>
  Effect.runPromise(
    Effect.flatMap(Databases, (databases) => DatabaseHash.server(databases)).pipe(
      Effect.provide(Embedded.layer({ filename: database }))
    )
  )

console.log("Holdfast: real data migrated, verified, and rolled back, in an embedded database.")
migrate(0, "migrations", "up")
migrate(0, "migrations", "verify")
migrate(0, "migrations", "status")

console.log("\nNow a migration that fails half way, on purpose, after thousands of writes.")
const before = await hash()
migrate(1, "failing", "up")
const after = await hash()
console.log(`\nexact hash before  ${before}\nexact hash after   ${after}`)
if (before !== after) {
  console.error("Something of it is left. This is a bug: please report it.")
  process.exit(1)
}

console.log("The same: documents, dates, permissions, schema. Nothing of it is left.")

console.log("\nNow a collection is backed up, broken, and restored.")
const collection = "recognitions"
/** Runs an effect on the database, as an app would. */
const inDatabase = <A, E>(body: (databases: Databases["Service"]) => Effect.Effect<A, E>): Promise<A> =>
  Effect.runPromise(Effect.flatMap(Databases, body).pipe(Effect.provide(Embedded.layer({ filename: database }))))
const hashOfCollection = () => inDatabase((databases) => DatabaseHash.collection(databases, collection))

migrate(0, "migrations", "backup", collection)
const [saved] = readdirSync(".data/backups")
  .filter((name) => /^\d{8}T/.test(name) && existsSync(join(".data/backups", name, collection)))
  .toSorted()
  .toReversed()
const whole = await hashOfCollection()
await inDatabase((databases) =>
  Effect.gen(function* () {
    yield* databases.deleteDocuments(collection, [Query.greaterThan("minutes", 120)])
    yield* databases.updateDocuments(collection, [Query.limit(100)], { distributor: null })
    yield* databases.createDocument(collection, { $id: "not-a-movie", title: "Not a movie" })
    yield* databases.deleteAttribute(collection, "genre")
  })
)
console.log(`\nLong movies deleted, 100 distributors forgotten, one that is none added, the attribute genre deleted.`)
const broken = await hashOfCollection()
migrate(0, "migrations", "restore", `${saved}/${collection}`, "--dry-run")
migrate(0, "migrations", "restore", `${saved}/${collection}`)
const restored = await hashOfCollection()
console.log(
  `\nexact hash at the backup      ${whole}\nexact hash broken             ${broken}\nexact hash after the restore  ${restored}`
)
if (restored !== whole || broken === whole) {
  console.error("It is not as it was. This is a bug: please report it.")
  process.exit(1)
}

console.log(`As it was. Only what differed was written.

What to look at next:
  ${home}/migrations         the migrations that just ran
  sqlite3 ${database} 'select title, criticScore from "main/recognitions" limit 5'
  .data/backups/migration-state.json     what has run, and what failed
  zcat .data/backups/*/recognitions/documents-*.gz | head -3     what a backup holds
  README.md                  how to write one of your own, and how to test it
  rm -rf .data               starts anew`)
