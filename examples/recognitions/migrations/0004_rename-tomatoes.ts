import * as Effect from "effect/Effect"
import { Databases } from "holdfast/Databases"
import * as Migration from "holdfast/Migration"
import * as Query from "holdfast/Query"

/** A better name. No document is written: values and dates stay as they are. */
export default Migration.make({
  description: "recognitions.tomatoes becomes criticScore",
  up: Effect.gen(function* () {
    const databases = yield* Databases
    yield* databases.renameAttribute("recognitions", "tomatoes", "criticScore")
  }),
  verify: Effect.gen(function* () {
    const databases = yield* Databases
    const { total } = yield* databases.listDocuments("recognitions", [Query.isNotNull("criticScore")])
    return total > 0 ? `${total} critics' scores kept` : yield* Effect.fail(new Error("the scores are gone"))
  })
})
