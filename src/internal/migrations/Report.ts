/** What a run changed, in sentences: one for each operation on the schema, one for each stretch of document writes. */
import type { Attribute } from "../../Attribute.ts"
import type { Index } from "../../Index.ts"
import type { Mutation } from "../../Operation.ts"
import * as ExactJson from "../ExactJson.ts"

/** A sentence, or a count that adds up with its neighbours into one. */
export type Line =
  | { readonly _tag: "Sentence"; readonly text: string }
  | { readonly _tag: "Documents"; readonly verb: string; readonly place: string; readonly count: number }

const counted = (count: number, one: string, several: string): string =>
  `${count.toLocaleString("en")} ${count === 1 ? one : several}`

const sentence = (text: string): Line => ({ _tag: "Sentence", text })
const documents = (verb: string, place: string, count: number): Line => ({ _tag: "Documents", verb, place, count })

const attributeWords = (attribute: Attribute): string => {
  const words: Array<string> = [attribute.kind]
  if (attribute.kind === "string" || attribute.kind === "varchar") words.push(`of at most ${attribute.size} characters`)
  if ("min" in attribute && (attribute.min ?? attribute.max) !== null) {
    words.push(`from ${attribute.min ?? "the least"} to ${attribute.max ?? "the greatest"}`)
  }
  if (attribute.kind === "enum") words.push(`of ${attribute.elements.join(", ")}`)
  const extra = [
    attribute.required ? "required" : undefined,
    attribute.array ? "a list" : undefined,
    attribute.default === null ? undefined : `default ${ExactJson.stringify(attribute.default)}`
  ].filter((word) => word !== undefined)
  return [words.join(" "), ...extra].join(", ")
}
const indexWords = (index: Index): string => `${index.kind === "unique" ? "unique " : ""}index ${index.key}`

/**
 * What an operation did, for people: the author's own words for collections and attributes. `affected`: how many
 * documents a change by query was about.
 */
export const describe = (operation: Mutation, affected = 0): Line => {
  switch (operation._tag) {
    case "CreateDatabase":
      return sentence(`created database ${operation.database}`)
    case "UpdateDatabase":
      return sentence(`updated database ${operation.database}`)
    case "DeleteDatabase":
      return sentence(`deleted database ${operation.database}`)
    case "CreateCollection":
      return sentence(
        `created collection ${operation.collection} (${counted(operation.attributes.length, "attribute", "attributes")}, ${counted(operation.indexes.length, "index", "indexes")})`
      )
    case "UpdateCollection":
      return sentence(`updated collection ${operation.collection}`)
    case "DeleteCollection":
      return sentence(`deleted collection ${operation.collection}`)
    case "CreateAttribute":
      return sentence(
        `created attribute ${operation.collection}.${operation.attribute.key} (${attributeWords(operation.attribute)})`
      )
    case "UpdateAttribute":
      return sentence(
        `changed attribute ${operation.collection}.${operation.attribute.key} (${attributeWords(operation.attribute)})`
      )
    case "RenameAttribute":
      return sentence(`renamed attribute ${operation.collection}.${operation.key} to ${operation.newKey}`)
    case "DeleteAttribute":
      return sentence(`deleted attribute ${operation.collection}.${operation.key}`)
    case "CreateIndex":
      return sentence(
        `created ${indexWords(operation.index)} on ${operation.collection} (${operation.index.attributes.join(", ")})`
      )
    case "DeleteIndex":
      return sentence(`deleted index ${operation.key} on ${operation.collection}`)
    case "CreateDocument":
      return documents("created", operation.collection, 1)
    case "CreateDocuments":
      return documents("created", operation.collection, operation.documents.length)
    case "UpdateDocument":
      return documents("updated", operation.collection, 1)
    case "UpsertDocument":
      return documents("wrote", operation.collection, 1)
    case "UpsertDocuments":
      return documents("wrote", operation.collection, operation.documents.length)
    case "IncrementAttribute":
    case "DecrementAttribute":
      return documents("counted in", operation.collection, 1)
    case "UpdateDocuments":
      return documents("updated", operation.collection, affected)
    case "DeleteDocuments":
      return documents("deleted", operation.collection, affected)
    case "DeleteDocument":
      return documents("deleted", operation.collection, 1)
    case "WriteDocuments": {
      const tags = new Set(operation.writes.map(({ _tag }) => _tag))
      const verb = tags.size > 1 ? "wrote" : tags.has("Create") ? "created" : tags.has("Delete") ? "deleted" : "updated"
      return documents(verb, operation.collection, operation.writes.length)
    }
    case "RestoreDocuments":
      return documents("restored", operation.collection, operation.restores.length)
  }
}

/** Lines as text: counts of the same work that follow each other are one line. */
export const render = (lines: ReadonlyArray<Line>): ReadonlyArray<string> => {
  const merged: Array<Line> = []
  for (const line of lines) {
    const last = merged.at(-1)
    if (
      line._tag === "Documents" &&
      last?._tag === "Documents" &&
      last.verb === line.verb &&
      last.place === line.place
    ) {
      merged[merged.length - 1] = { ...line, count: last.count + line.count }
    } else merged.push(line)
  }
  return merged.map((line) =>
    line._tag === "Sentence"
      ? line.text
      : `${line.verb} ${counted(line.count, "document", "documents")} in ${line.place}`
  )
}
