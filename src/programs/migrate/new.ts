/** `new NAME`: a file with the first lines of a migration. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { InvalidSetting, NameTaken } from "../settings.ts"
import * as Output from "../output.ts"
import { root } from "./root.ts"

const template = `import * as Effect from "effect/Effect"
import * as Attribute from "holdfast/Attribute"
import { Databases } from "holdfast/Databases"
import * as Migration from "holdfast/Migration"

export default Migration.make({
  up: Effect.gen(function* () {
    const databases = yield* Databases
    yield* databases.createCollection("notes", {
      attributes: [Attribute.string("text", { size: 1000, required: true })]
    })
  }),
  // Fails, and so undoes the migration, when the result is not what it should be. Its text is the message.
  verify: Effect.gen(function* () {
    const databases = yield* Databases
    const { attributes } = yield* databases.getCollection("notes")
    return \`notes has \${attributes.length} attribute\`
  })
})
`

const validName = /^[a-z0-9][a-z0-9._-]*$/i

const checkName = (name: string): Effect.Effect<void, InvalidSetting> => {
  if (validName.test(name)) return Effect.void
  const suggestion = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, "-")
    .replaceAll(/^[^a-z0-9]+|-+$/g, "")
  const detail = `${JSON.stringify(name)} can't be part of a file's name everywhere: use letters, digits, . _ -${suggestion === "" ? "" : `, as in ${suggestion}`}`
  return Effect.fail(new InvalidSetting({ setting: "NAME", detail }))
}

const write = Effect.fnUntraced(function* (folder: string, name: string) {
  yield* checkName(name)
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const now = new Date(yield* Clock.currentTimeMillis).toISOString()
  const id = `${now.slice(0, 19).replaceAll(/[-:T]/g, "")}_${name}`
  const location = path.join(folder, `${id}.ts`)
  const unwritable = (error: { readonly message: string }) =>
    new InvalidSetting({ setting: "--migrations", detail: error.message })
  yield* Effect.mapError(fs.makeDirectory(folder, { recursive: true }), unwritable)
  yield* Effect.mapError(fs.writeFileString(location, template, { flag: "wx" }), (error) =>
    error.reason._tag === "AlreadyExists" ? new NameTaken({ location }) : unwritable(error)
  )
  return { id, location }
})

/** The time in front keeps two branches' migrations apart, and in order. */
export const create = Command.make(
  "new",
  { name: Argument.String("name").pipe(Argument.withDescription("What it does, in a few words: add-weight")) },
  Effect.fnUntraced(function* ({ name }) {
    const { json, migrations } = yield* root
    yield* Output.run(
      "new",
      json,
      Effect.map(write(migrations, name), ({ id, location }) => ({
        text: `Wrote ${location}`,
        json: { success: true, id, location },
        code: 0
      }))
    )
  })
).pipe(
  Command.withDescription("Write the first lines of a migration, named by the time (UTC) and NAME"),
  Command.withExamples([{ command: "holdfast new add-weight", description: "migrations/20260102030405_add-weight.ts" }])
)
