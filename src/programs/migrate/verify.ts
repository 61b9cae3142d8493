/** `verify [ID]`: runs the verifications of applied migrations again, now. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Migrator from "../../Migrator.ts"
import { exitCodes } from "../exitCodes.ts"
import * as Output from "../output.ts"
import { onTarget, root } from "./root.ts"

const text = (answers: ReadonlyArray<Migrator.Verification>): string =>
  answers.length === 0
    ? "No applied migration has a verification."
    : Output.table(
        ["migration", "verification", "message"],
        answers.map(({ id, message, success }) => [
          id,
          success ? Output.styled("green", "passed") : Output.styled("red", "failed"),
          message
        ])
      )

export const verify = Command.make(
  "verify",
  {
    id: Argument.String("id").pipe(
      Argument.withDescription("One migration. Default: all that are applied"),
      Argument.optional
    )
  },
  Effect.fnUntraced(function* ({ id }) {
    yield* onTarget("verify", yield* root, false, (sources) =>
      Effect.map(Migrator.verify(sources, Option.getOrUndefined(id)), (answers) => {
        const success = answers.every((answer) => answer.success)
        return {
          text: text(answers),
          json: { success, verifications: answers },
          code: success ? 0 : exitCodes.VerificationFailed
        }
      })
    )
  })
).pipe(
  Command.withDescription("Run the verifications of applied migrations again. Changes nothing"),
  Command.withExamples([{ command: "holdfast verify", description: "All of them" }])
)
