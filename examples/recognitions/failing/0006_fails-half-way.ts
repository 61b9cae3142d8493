import * as Effect from "effect/Effect"
import * as Attribute from "holdfast/Attribute"
import { Databases } from "holdfast/Databases"
import * as Migration from "holdfast/Migration"
import * as Query from "holdfast/Query"

/** Changes a good deal, then fails on purpose. Not a document, not an index, not a date of it is left. */
export default Migration.make({
  description: "Fails half way, to show that nothing is left of it",
  up: Effect.gen(function* () {
    const databases = yield* Databases
    yield* databases.renameAttribute("recognitions", "genre", "category")
    yield* databases.deleteAttribute("recognitions", "distributor")
    yield* databases.createAttribute("recognitions", Attribute.boolean("isClassic"))
    yield* Migration.transformDocuments("recognitions", ({ releasedAt }) => ({
      isClassic: typeof releasedAt === "string" && releasedAt < "1980"
    }))
    yield* databases.deleteCollection("recognition-shares")
    const { documents } = yield* databases.listDocuments("evidence", [Query.orderAsc("score"), Query.limit(50)])
    yield* Effect.forEach(documents, ({ $id }) => databases.deleteDocument("evidence", $id))
    return yield* Effect.fail(new Error("on purpose, after thousands of writes"))
  })
})
