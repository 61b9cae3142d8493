/** All documents of a collection, in order of creation. */
import * as Effect from "effect/Effect"
import type { Methods } from "../../src/Databases.ts"
import type { Document } from "../../src/Document.ts"
import * as Paging from "../../src/internal/Paging.ts"

export const allDocuments = Effect.fnUntraced(function* (db: Methods, collection: string) {
  const all: Array<Document> = []
  yield* Paging.forEachPageBySequence(db, collection, (page) => Effect.sync(() => void all.push(...page)))
  return all
})
