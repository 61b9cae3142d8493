/** How a program with one command starts and ends: what is wrong on standard error, and its exit code. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import type { CliError } from "effect/cli/CliError"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as exitCodes from "./exitCodes.ts"
import { ExitWith } from "./output.ts"
import * as Usage from "./usage.ts"

/** Says what is wrong with how it was called. */
export const refuse = ({ message }: { readonly message: string }): Effect.Effect<never, ExitWith> =>
  Effect.andThen(Console.error(message), Effect.fail(new ExitWith({ code: exitCodes.usage })))

/** What the command line lacks. */
export const presenter = Usage.presenter(({ message }) => Console.error(message))

/** A reader that goes, as `head`, has what it wanted. */
const leaveWithReader = (error: NodeJS.ErrnoException): void => {
  if (error.code !== "EPIPE") throw error
  process.exit(0)
}

/** Runs it to its end. `interrupted`: the code after a signal. */
export const launch = (
  program: Effect.Effect<void, CliError | ExitWith, NodeServices.NodeServices>,
  interrupted: number
): void => {
  process.stdout.on("error", leaveWithReader)
  NodeRuntime.runMain(
    program.pipe(
      Effect.catchTag("ShowHelp", ({ errors }) =>
        errors.length === 0 ? Effect.void : Effect.fail(new ExitWith({ code: exitCodes.usage }))
      ),
      Effect.tapCause((cause) =>
        Cause.hasInterruptsOnly(cause) || Option.isSome(Cause.findErrorOption(cause))
          ? Effect.void
          : Console.error(`This is a bug of holdfast, please report it:\n${Cause.pretty(cause)}`)
      ),
      Effect.provideService(References.LogToStderr, true),
      Effect.provide(NodeServices.layer)
    ),
    {
      disableErrorReporting: true,
      teardown: (exit, onExit) => {
        if (Exit.isSuccess(exit)) return onExit(0)
        if (Cause.hasInterruptsOnly(exit.cause)) return onExit(interrupted)
        const error: unknown = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
        return onExit(error instanceof ExitWith ? error.code : exitCodes.defect)
      }
    }
  )
}
