/**
 * Who calls. An API key reads and writes all; anybody else has roles, and permissions say what they may.
 *
 * A layer that stands for a server asks this reference; everything of ours calls as a key, which is the default.
 */
import * as Context from "effect/Context"

export type Caller =
  | { readonly _tag: "Key" }
  /** `any` and `guests` for somebody who has not signed in. */
  | { readonly _tag: "Roles"; readonly roles: ReadonlyArray<string> }

export const key: Caller = { _tag: "Key" }
export const guest: Caller = { _tag: "Roles", roles: ["any", "guests"] }

export const Caller: Context.Reference<Caller> = Context.Reference<Caller>("holdfast/Caller", {
  defaultValue: () => key
})
