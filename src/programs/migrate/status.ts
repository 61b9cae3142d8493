/** `status [--check]`: what is applied, pending, failed, changed; who is migrating; what was cut short. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { describe } from "../../MigrationLock.ts"
import * as Migrator from "../../Migrator.ts"
import { RecoveryNeeded } from "../../MigratorError.ts"
import { exitCodes, pending as pendingCode } from "../exitCodes.ts"
import * as Output from "../output.ts"
import { onTarget, root } from "./root.ts"

const styles = {
  applied: "green",
  pending: "yellow",
  failed: "red",
  changed: "magenta",
  missing: "magenta"
} as const satisfies Record<Migrator.Standing["status"], string>

const when = ({ applied, failure }: Migrator.Standing): string => {
  if (failure !== undefined) return failure.timestamp.slice(0, 19).replace("T", " ")
  if (applied === undefined) return ""
  const time = applied.at.slice(0, 19).replace("T", " ")
  return applied.run === null ? `${time} (baseline)` : `${time} in ${Output.duration(applied.duration)}`
}

const isPending = ({ status }: Migrator.Standing) => status === "pending" || status === "failed"

const text = (status: Migrator.Status): string => {
  const { holder, migrations, open, target } = status
  const pending = migrations.filter(isPending).length
  const failures = migrations.flatMap(({ failure }) =>
    failure === undefined ? [] : [`${failure.name}: ${failure.error}`]
  )
  return [
    `${Output.styled("bold", target)}, state in ${status.state}`,
    migrations.length === 0
      ? "There are no migrations yet: `new NAME` writes the first."
      : Output.table(
          ["migration", "status", "when (UTC)"],
          migrations.map((one) => [one.id, Output.styled(styles[one.status], one.status), when(one)])
        ),
    ...failures.map((failure) => `${Output.styled("red", "last failure")} of ${failure}`),
    holder === undefined ? undefined : `${describe(holder)} is migrating now.`,
    holder === undefined && open.length > 0 ? new RecoveryNeeded({ runs: open }).message : undefined,
    migrations.length === 0 || (holder === undefined && open.length > 0)
      ? undefined
      : pending === 0
        ? "Nothing is pending."
        : `${Output.counted(pending, "migration")} pending: \`up\` runs them.`
  ]
    .filter((part) => part !== undefined)
    .join("\n")
}

/** With `--check`: the one thing that most needs attention. */
const checkCode = ({ holder, migrations, open }: Migrator.Status): number => {
  if (holder === undefined && open.length > 0) return exitCodes.RecoveryNeeded
  if (migrations.some(({ status }) => status === "changed")) return exitCodes.MigrationDrift
  return migrations.some(isPending) ? pendingCode : 0
}

export const status = Command.make(
  "status",
  {
    check: Flag.Boolean("check").pipe(
      Flag.withDescription(
        "Exit with 9 where migrations are pending, 5 where one has changed, 4 where a run was cut short"
      ),
      Flag.withDefault(false)
    )
  },
  Effect.fnUntraced(function* ({ check }) {
    yield* onTarget("status", yield* root, false, (sources) =>
      Effect.map(Migrator.status(sources), (answer) => ({
        text: text(answer),
        json: { success: true, ...answer },
        code: check ? checkCode(answer) : 0
      }))
    )
  })
).pipe(
  Command.withDescription("Show what is applied and what is pending. Changes nothing"),
  Command.withExamples([
    { command: "holdfast status --check", description: "In a pipeline: fail where something is pending" }
  ])
)
