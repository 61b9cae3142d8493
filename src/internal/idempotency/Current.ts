/** The attempt that a handler runs in, for its steps, its token and its transaction. */
import * as Context from "effect/Context"
import type * as Deferred from "effect/Deferred"
import type { Operations } from "../../IdempotencyStore.ts"
import type { Ownership } from "./Attempt.ts"
import type { LocalCache } from "./LocalCache.ts"
import type { Busy, Replay } from "./Protocol.ts"

/** What all attempts of a process share. */
export interface Environment {
  readonly store: Operations
  readonly cache: LocalCache
  /** `name`: of one of several in a step; both empty outside. */
  readonly token: (ownership: Ownership, step: string, name: string) => string
}

export interface Running {
  readonly environment: Environment
  readonly ownership: Ownership
  /** The name of the step that runs, for tokens of its own. */
  readonly step: string
  /** Done when another has the key: the handler is interrupted. */
  readonly lost: Deferred.Deferred<Replay | Busy>
}

/** Undefined outside a handler, and in one that runs unprotected. */
export const Current: Context.Reference<Running | undefined> = Context.Reference<Running | undefined>(
  "holdfast/Idempotency/Current",
  { defaultValue: () => undefined }
)
