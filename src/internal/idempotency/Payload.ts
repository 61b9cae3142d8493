/** A payload as the fingerprint takes it. What it can't tell apart is refused: another request would be taken for it. */
import * as Result from "effect/Result"
import { OptionsInvalid } from "../../IdempotencyError.ts"
import { canonicalJson } from "../CanonicalJson.ts"

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

const isBytes = (value: object): boolean => ArrayBuffer.isView(value) && !(value instanceof DataView)

/** What is in the way; undefined where all of it can be told apart. `above`: the objects that it stands in. */
const problem = (value: unknown, above: ReadonlyArray<object>): string | undefined => {
  if (typeof value === "function" || typeof value === "symbol") return `it holds a ${typeof value}`
  if (typeof value === "number" && !Number.isFinite(value)) return `it holds ${value}, which JSON has no word for`
  if (typeof value !== "object" || value === null) return undefined
  if (above.includes(value)) return "it holds itself"
  if ("toJSON" in value && typeof value.toJSON === "function") return problem(value.toJSON(), [...above, value])
  const members = value instanceof Map || value instanceof Set ? [...value] : isBytes(value) ? [] : Object.values(value)
  // As an object without members all of its kind would be the same.
  if (!isPlain(value) && !Array.isArray(value) && Object.keys(value).length === 0) {
    const isKnown = value instanceof Map || value instanceof Set || isBytes(value)
    if (!isKnown) return `it holds a ${value.constructor.name}, which shows no values`
  }
  for (const member of members) {
    const found = problem(member, [...above, value])
    if (found !== undefined) return found
  }
  return undefined
}

export const payloadText = (payload: unknown): Result.Result<string, OptionsInvalid> => {
  const refuse = (detail: string) =>
    Result.fail(new OptionsInvalid({ option: "payload", detail: `${detail}. Give JSON, as what of it counts` }))
  try {
    const found = problem(payload, [])
    return found === undefined ? Result.succeed(canonicalJson(payload)) : refuse(found)
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error))
  }
}
