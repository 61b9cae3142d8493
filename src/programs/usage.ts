/** A command line that can't be understood: what is wrong, and where the help is; the whole help would hide it. */
import * as CliOutput from "effect/cli/CliOutput"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"

/** `refuse` says what is wrong, by the program's own means. */
export const presenter = (
  refuse: (error: { readonly _tag: string; readonly message: string }) => Effect.Effect<void>
) =>
  CliOutput.layerPresenter({
    present: (event) =>
      event._tag === "InvalidInvocation"
        ? Effect.andThen(
            refuse({ _tag: "Usage", message: event.errors.map((error) => error.message).join("\n") }),
            Console.error(`\nSee: ${event.commandPath.join(" ")} --help`)
          )
        : CliOutput.defaultPresenter.present(event)
  })
