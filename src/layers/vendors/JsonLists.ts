/**
 * Lists of documents as the bytes of a JSON answer, where an engine can write them itself: a page need not become
 * objects in this process only to become text again. What a server asks for if it is there.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { DatabasesError } from "../../DatabasesError.ts"
import type { Of } from "../../Operation.ts"

/** How a list is written: `{"total":…,"NAME":[{…document, …constants}]}`. */
export interface Shape {
  /** The member that holds the documents. */
  readonly name: string
  /** What each document says besides its own. */
  readonly constants: { readonly [key: string]: string }
}

export class JsonLists extends Context.Service<
  JsonLists,
  {
    /** The same documents as `ListDocuments` answers, in its order, and the same failures. */
    readonly list: (operation: Of<"ListDocuments">, shape: Shape) => Effect.Effect<Uint8Array, DatabasesError>
  }
>()("holdfast/JsonLists") {}
