/** All that redacts, put together out of options and a secret. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Redaction from "../../Redaction.ts"
import * as Names from "./Names.ts"
import * as Paths from "./Paths.ts"
import * as Secret from "./Secret.ts"
import * as Sensitive from "./Sensitive.ts"
import type { Settings } from "./ValueWriter.ts"
import * as Texts from "./Texts.ts"

export interface Redactor {
  readonly settings: Settings
  /** A user's hash, 16 hexadecimal digits. */
  readonly user: (id: string) => string
  readonly text: (text: string) => string
}

const lists = ["paths", "names", "headers", "disabled", "rules", "schemas"] as const

/** What is wrong with the options, also of code without types; undefined where nothing is. */
export const problem = (
  options: Redaction.Options
): { readonly option: string; readonly detail: string } | undefined => {
  for (const option of lists) {
    const given: unknown = options[option]
    if (given !== undefined && !Array.isArray(given)) return { option, detail: "it is no list. Write [ … ] around it" }
  }
  const known = Redaction.rules.map(({ name }) => name as string)
  const unknown = options.disabled?.find((name) => !known.includes(name))
  if (unknown !== undefined)
    return { option: "disabled", detail: `${JSON.stringify(unknown)} is no rule. There are ${known.join(", ")}` }
  const rule = options.rules?.find(({ name, pattern }) => typeof name !== "string" || !(pattern instanceof RegExp))
  if (rule !== undefined)
    return { option: "rules", detail: `${JSON.stringify(rule)} needs a name, and a pattern that is a RegExp` }
  if (options.schemas?.every(Schema.isSchema) === false)
    return { option: "schemas", detail: "one of them is no schema" }
  return undefined
}

/** A failure tells which path can't be read, and why. */
export const make = (options: Redaction.Options, secret: string): Result.Result<Redactor, string> => {
  const { hash } = Secret.make(secret)
  const texts = Texts.make(options, hash)
  const ids = Texts.make({ ...options, disabled: [...(options.disabled ?? []), "random"] }, hash)
  const names = [...(options.names ?? []), ...(options.schemas ?? []).flatMap(Sensitive.names)]
  let root: Paths.Node | undefined
  for (const path of options.paths ?? []) {
    const steps = Paths.parse(path)
    if (Result.isFailure(steps)) return Result.fail(`the path ${JSON.stringify(path)}: ${steps.failure}`)
    Paths.add((root ??= Paths.node()), steps.success)
  }
  return Result.succeed({
    settings: { texts, ids, names: Names.make(names, texts), hash, ip: options.ip ?? "short", paths: root },
    user: (id) => hash("user", id),
    text: texts.redact
  })
}
