/** `up`: runs what is pending. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Migrator from "../../Migrator.ts"
import { exitCodes, worst } from "../exitCodes.ts"
import * as Output from "../output.ts"
import { line } from "./backup.ts"
import { onTarget, root } from "./root.ts"

const resultText = (result: Migrator.Result): string => {
  const name = Output.styled("bold", result.migrationName)
  if (result.error !== undefined) return `${Output.styled("red", "failed")}   ${result.error.message}`
  const unsettled = result.backups
    .filter(({ absent, consistency }) => absent !== true && consistency === "fuzzy")
    .map(({ collection }) => `${collection} was written to all the while: its backup is fuzzy, not converged`)
  const lines = [...result.backups.map(line), ...unsettled, ...result.changes].map((change) => `           ${change}`)
  const verification =
    result.verification === undefined
      ? []
      : [`           ${Output.styled("green", "verified")}: ${result.verification.message}`]
  return [
    `${Output.styled("green", "applied")}  ${name} in ${Output.duration(result.duration)}`,
    ...lines,
    ...verification
  ].join("\n")
}

const summary = ({ completed, failed, results, skipped }: Migrator.Results): string => {
  if (results.length === 0) return `Nothing to apply: ${Output.counted(skipped, "migration")} applied already.`
  const parts = [`${Output.counted(completed, "migration")} applied`, `${failed} failed`, `${skipped} applied before`]
  return `${parts.join(", ")}.`
}

const codeOf = ({ results }: Migrator.Results): number =>
  worst(results.flatMap(({ error }) => (error === undefined ? [] : [exitCodes[error._tag]])))

const resultJson = ({ error, ...rest }: Migrator.Result) => ({
  ...rest,
  ...(error === undefined ? {} : { error: Output.errorJson(error) })
})

export const up = Command.make(
  "up",
  {
    to: Flag.String("to").pipe(
      Flag.withDescription("The last migration to run"),
      Flag.withMetavar("ID"),
      Flag.optional
    ),
    continueOnError: Flag.Boolean("continue-on-error").pipe(
      Flag.withDescription("Go on with later migrations after one has failed, unless they require it"),
      Flag.withDefault(false)
    ),
    allowOutOfOrder: Flag.Boolean("allow-out-of-order").pipe(
      Flag.withDescription("Run migrations that stand before one that is applied"),
      Flag.withDefault(false)
    ),
    skipBackup: Flag.Boolean("skip-backup").pipe(
      Flag.withDescription(
        "Take none of the backups that migrations ask for: then only their inverses can bring data back"
      ),
      Flag.withDefault(false)
    ),
    allowDrift: Flag.Boolean("allow-drift").pipe(
      Flag.withDescription("Go on though applied migrations have changed since"),
      Flag.withDefault(false)
    )
  },
  Effect.fnUntraced(function* ({ allowDrift, allowOutOfOrder, continueOnError, skipBackup, to }) {
    const shared = yield* root
    if (skipBackup) {
      yield* Console.error(
        "--skip-backup: no backup is taken first. Should a rollback not be complete, nothing can bring back what it leaves."
      )
    }
    yield* onTarget("up", shared, true, (sources) =>
      Migrator.executeAll(sources, {
        to: Option.getOrUndefined(to),
        stopOnError: !continueOnError,
        allowOutOfOrder,
        allowDrift,
        skipBackup,
        onResult: (result) => (shared.json ? Console.error : Console.log)(resultText(result))
      }).pipe(
        Effect.map((answer) => ({
          text: summary(answer),
          json: { ...answer, results: answer.results.map(resultJson) },
          code: codeOf(answer)
        }))
      )
    )
  })
).pipe(
  Command.withDescription("Run what is pending, one after another, each whole or not at all"),
  Command.withExamples([
    { command: "holdfast up", description: "Run all that is pending" },
    {
      command: "holdfast up --to 20260102030405_add-weight --json",
      description: "Up to one of them, for a program to read"
    }
  ])
)
