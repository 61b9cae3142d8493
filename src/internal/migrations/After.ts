/** What a write has left: the facts that its way back is guarded by. */
import * as DatabaseHash from "../../DatabaseHash.ts"
import type { Document } from "../../Document.ts"
import type { Before } from "../../MigrationJournal.ts"
import type { Mutation, Of, ResultOf, Tag } from "../../Operation.ts"
import * as Inverse from "./Inverse.ts"

/** Whether the document is what was found before and what was added. */
const addsUp = (
  { attribute, by, id, _tag }: Of<"IncrementAttribute"> | Of<"DecrementAttribute">,
  before: Before,
  result: Document
): boolean => {
  const found = before.documents?.find(({ $id }) => $id.toLowerCase() === id.toLowerCase())
  const sign = _tag === "IncrementAttribute" ? 1 : -1
  if (found === undefined) return false
  const [from, to] = [found[attribute] ?? 0, result[attribute] ?? 0]
  return [from, by, to].some((value) => typeof value === "bigint")
    ? BigInt(from as number) + BigInt(sign) * BigInt(by) === BigInt(to as number)
    : Number(from) + sign * Number(by) === Number(to)
}

/** The hash of each document that a write left, by its id in small letters. */
export const hashesAfter = (operation: Mutation, result: ResultOf<Tag>, before: Before): Inverse.Facts["after"] => {
  const after: Record<string, string | null> = {}
  const left = (id: string, document: Document | null) => {
    after[id.toLowerCase()] = document === null ? null : DatabaseHash.document(document)
  }
  const results = Array.isArray(result) ? (result as ReadonlyArray<Document | null>) : [result as Document]
  switch (operation._tag) {
    case "UpdateDocuments":
      for (const document of (result as ResultOf<"UpdateDocuments">).documents) left(document.$id, document)
      break
    case "DeleteDocuments":
      for (const { $id } of (result as ResultOf<"DeleteDocuments">).documents) left($id, null)
      break
    case "IncrementAttribute":
    case "DecrementAttribute":
      // Where others have added since the look before, only the opposite is right.
      if (addsUp(operation, before, result as Document)) left(operation.id, result as Document)
      break
    case "CreateDocument":
    case "UpdateDocument":
    case "UpsertDocument":
    case "UpsertDocuments":
    case "CreateDocuments":
    case "WriteDocuments":
      for (const [position, id] of Inverse.writes(operation).entries()) left(id, results[position] ?? null)
      break
    case "DeleteDocument":
      left(operation.id, null)
      break
    case "RestoreDocuments": {
      const { conflicts } = result as ResultOf<"RestoreDocuments">
      const found = new Map(before.documents?.map((document) => [document.$id.toLowerCase(), document]))
      for (const { document, id } of operation.restores) {
        left(id, conflicts.includes(id) ? (found.get(id.toLowerCase()) ?? null) : document)
      }
      break
    }
    default:
      break
  }
  return after
}
