/** The commands of `migrate`. A new one: a file beside this, and its name in the list. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as References from "effect/References"
import type { Teardown } from "effect/Runtime"
import { Console as NodeConsole } from "node:console"
import * as exitCodes from "../exitCodes.ts"
import * as Output from "../output.ts"
import * as Progress from "../progress.ts"
import * as Settings from "../settings.ts"
import * as Usage from "../usage.ts"
import { backup } from "./backup.ts"
import { backups } from "./backups.ts"
import { baseline } from "./baseline.ts"
import { create } from "./new.ts"
import { restore } from "./restore.ts"
import { root } from "./root.ts"
import { status } from "./status.ts"
import { up } from "./up.ts"
import { version } from "../version.ts"
import { verify } from "./verify.ts"

const commands = root.pipe(Command.withSubcommands([status, up, verify, backup, backups, restore, baseline, create]))

/** The first signal interrupts, and the run undoes what it did; the second one leaves that to a recovery. */
let signal: "SIGINT" | "SIGTERM" | undefined
/** A failure outside the migration's effect (a timer that throws, a promise that nobody awaits) stops it likewise. */
let stray = false
let [ended, leaving, isOurs] = [false, false, false]
const signalCodes = { SIGINT: 130, SIGTERM: 143 } as const
for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.on(name, () => {
    if (isOurs) return
    if (signal !== undefined || stray) {
      leaving = true
      process.exit(signalCodes[name])
    }
    signal = name
    process.stderr.write(
      `\n${name}: undoing what was begun. Once more leaves at once, and a recovery is needed then.\n`
    )
  })
}

const describe = (error: unknown): string => {
  try {
    return error instanceof Error ? (error.stack ?? error.message) : String(error)
  } catch {
    return "an error that can't be read"
  }
}
const stop = (error: unknown) => {
  process.stderr.write(
    `a failure outside the migration's effect stops it; undoing what was begun:\n${describe(error)}\n`
  )
  if (stray || signal !== undefined) return
  stray = true
  isOurs = true
  process.emit("SIGTERM")
  isOurs = false
}
process.on("uncaughtException", stop)
process.on("unhandledRejection", stop)

// Who reads us may leave (`| head`): what was begun goes on to its end all the same.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined)

process.on("exit", () => {
  if (ended || leaving) return
  process.stderr.write("the process was ended in the middle. Where a run had begun, `status` says what is left\n")
  process.exitCode = exitCodes.exitCodes.RecoveryNeeded
})

const teardown: Teardown = (exit, onExit) => {
  ended = true
  if (Exit.isSuccess(exit)) return onExit(0)
  if (Cause.hasInterruptsOnly(exit.cause) && stray) return onExit(exitCodes.exitCodes.MigrationFailed)
  if (Cause.hasInterruptsOnly(exit.cause)) return onExit(signalCodes[signal ?? "SIGINT"])
  const error: unknown = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
  return onExit(error instanceof Output.ExitWith ? error.code : exitCodes.defect)
}

/** What stops before a command is known. */
const refuse = (error: { readonly _tag: string; readonly message: string }) => {
  const document = { version: Output.jsonVersion, success: false, error: { _tag: error._tag, message: error.message } }
  const json = process.argv.includes("--json")
    ? Output.printDocument(JSON.stringify(document, undefined, 2))
    : Effect.void
  return Effect.andThen(Console.error(error.message), json)
}

const asks = (...names: ReadonlyArray<string>) => names.some((name) => process.argv.includes(name))

// Standard output is for the one document: what migrations print goes beside it.
if (asks("--json")) globalThis.console = new NodeConsole(process.stderr, process.stderr)

const program = commands.pipe(
  Command.run({ version }),
  // Help is there even where the settings are broken.
  Effect.provide(asks("--help", "-h", "--version") ? Layer.empty : Settings.layer),
  Effect.provide(Usage.presenter(refuse)),
  Effect.provide(Progress.layer),
  Effect.catchTags({
    ShowHelp: ({ errors }) =>
      errors.length === 0 ? Effect.void : Effect.fail(new Output.ExitWith({ code: exitCodes.usage })),
    InvalidSetting: (error) =>
      Effect.andThen(refuse(error), Effect.fail(new Output.ExitWith({ code: exitCodes.usage })))
  }),
  Effect.tapCause((cause) =>
    Cause.hasInterruptsOnly(cause) || Option.isSome(Cause.findErrorOption(cause))
      ? Effect.void
      : Console.error(`This is a bug of holdfast, please report it:\n${Cause.pretty(cause)}`)
  ),
  Effect.provideService(References.LogToStderr, true),
  Effect.provide(NodeServices.layer),
  // Only what a migration itself does is interrupted: what it came to, and its exit code, must get out.
  Effect.uninterruptible
)

NodeRuntime.runMain(program, { teardown, disableErrorReporting: true })
