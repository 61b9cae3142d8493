/** All that redacts, put together out of options and a secret. */
import * as Result from "effect/Result"
import type * as Redaction from "../../Redaction.ts"
import * as Names from "./Names.ts"
import * as Paths from "./Paths.ts"
import * as Secret from "./Secret.ts"
import * as Sensitive from "./Sensitive.ts"
import * as Serializer from "./Serializer.ts"
import * as Texts from "./Texts.ts"

export interface Redactor {
  readonly settings: Serializer.Settings
  /** A user's hash, 16 hexadecimal digits. */
  readonly user: (id: string) => string
  readonly text: (text: string) => string
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
