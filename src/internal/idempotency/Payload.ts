/** What is asked for, as the fingerprint takes it. What it can't tell apart is refused: another request would be taken for it. */
import * as Result from "effect/Result"
import { OptionsInvalid } from "../../IdempotencyError.ts"
import { canonicalJson, NoJson } from "../CanonicalJson.ts"

export const payloadText = (payload: unknown): Result.Result<string, OptionsInvalid> => {
  try {
    return Result.succeed(canonicalJson(payload))
  } catch (error) {
    const why =
      error instanceof RangeError
        ? "it holds itself, or has thousands of levels"
        : error instanceof NoJson
          ? error.message
          : `it can't be read: ${error instanceof Error ? error.message : String(error)}`
    return Result.fail(new OptionsInvalid({ option: "payload", detail: `${why}. Give what of it counts, as JSON` }))
  }
}
