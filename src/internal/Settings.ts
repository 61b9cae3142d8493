/** Settings of options: what is not set stays out, so that what is given in code and defaults hold. */
import * as Config from "effect/Config"

export const optional = <A>(config: Config.Config<A>): Config.Config<A | undefined> =>
  Config.withDefault(config, undefined as A | undefined)

/** `a, b`: a list; undefined where it is not set. */
export const optionalList = (name: string): Config.Config<ReadonlyArray<string> | undefined> =>
  Config.map(optional(Config.String(name)), (text) =>
    text
      ?.split(",")
      .map((one) => one.trim())
      .filter((one) => one !== "")
  )
