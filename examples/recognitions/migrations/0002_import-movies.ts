import * as Effect from "effect/Effect"
import * as Attribute from "holdfast/Attribute"
import { Databases, type DocumentInput } from "holdfast/Databases"
import * as Migration from "holdfast/Migration"
import { convert, idOf, movies } from "./_movies.ts"

const inBatches = Effect.fnUntraced(function* (collection: string, documents: ReadonlyArray<DocumentInput>) {
  const databases = yield* Databases
  for (let from = 0; from < documents.length; from += 100) {
    yield* databases.createDocuments(collection, documents.slice(from, from + 100))
  }
})

/** Real records, in batches. What can't be imported is kept, with the reason, in a collection of its own. */
export default Migration.make({
  description: "3,201 records of films as recognitions, with their ratings as evidence",
  up: Effect.gen(function* () {
    const databases = yield* Databases
    yield* databases.createCollection("import-rejects", {
      name: "Records that could not be imported",
      attributes: [
        Attribute.string("reason", { size: 200, required: true }),
        Attribute.string("record", { size: 5000, required: true })
      ]
    })
    const records = yield* movies
    const recognitions: Array<DocumentInput> = []
    const evidence: Array<DocumentInput> = []
    const rejects: Array<DocumentInput> = []
    for (const [position, record] of records.entries()) {
      const converted = convert(record, position)
      if (converted.recognition === undefined) {
        const { reason } = converted
        rejects.push({ $id: idOf(position), reason, record: JSON.stringify(record) })
        yield* Migration.note(`not imported: record ${position + 1}, for ${reason}`)
        continue
      }
      recognitions.push(converted.recognition)
      evidence.push(...converted.evidence)
    }
    yield* inBatches("recognitions", recognitions)
    yield* inBatches("evidence", evidence)
    if (rejects.length > 0) yield* inBatches("import-rejects", rejects)
    yield* Migration.note(`${recognitions.length} of ${records.length} records imported, ${rejects.length} not`)
  }),
  verify: Effect.gen(function* () {
    const databases = yield* Databases
    const imported = (yield* databases.listDocuments("recognitions")).total
    const rejected = (yield* databases.listDocuments("import-rejects")).total
    const expected = (yield* movies).length
    if (imported + rejected !== expected) {
      return yield* Effect.fail(new Error(`${imported} + ${rejected} records, but the file has ${expected}`))
    }
    return `${imported} imported + ${rejected} rejected = ${expected} records`
  })
})
