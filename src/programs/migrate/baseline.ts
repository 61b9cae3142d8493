/** `baseline [--to ID]`: writes down that the database has the migrations already. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Migrator from "../../Migrator.ts"
import { onTarget, root } from "./root.ts"

export const baseline = Command.make(
  "baseline",
  {
    to: Flag.String("to").pipe(
      Flag.withDescription("The last migration that the database has. Default: all"),
      Flag.withMetavar("ID"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ to }) {
    yield* onTarget("baseline", yield* root, true, (sources) =>
      Effect.map(Migrator.baseline(sources, { to: Option.getOrUndefined(to) }), (ids) => ({
        text:
          ids.length === 0
            ? "Nothing to write down: all of them are in the state already."
            : `Written down as applied, without running them: ${ids.join(", ")}.`,
        json: { success: true, baselined: ids },
        code: 0
      }))
    )
  })
).pipe(
  Command.withDescription("Write down that the database has these migrations already, without running them"),
  Command.withExamples([
    {
      command: "holdfast baseline --to 20260102030405_add-weight",
      description: "For a database older than its migrations"
    }
  ])
)
