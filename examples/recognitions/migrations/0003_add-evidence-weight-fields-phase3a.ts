import * as Effect from "effect/Effect"
import * as Attribute from "holdfast/Attribute"
import { Databases } from "holdfast/Databases"
import * as Migration from "holdfast/Migration"
import * as Query from "holdfast/Query"

/** How many votes weigh as much as all there can be. */
const enoughVotes = 100_000

/** The migration of the specification: recognitions and their evidence get a weight. */
export default Migration.make({
  id: "add-evidence-weight-fields-phase3a",
  description: "A weight from 0 to 1 for recognitions and evidence",
  up: Effect.gen(function* () {
    const databases = yield* Databases
    yield* databases.createAttribute("recognitions", Attribute.float("weight", { min: 0, max: 1 }))
    yield* databases.createAttribute("evidence", Attribute.float("weight", { min: 0, max: 1 }))
    const { changed } = yield* Migration.transformDocuments("evidence", ({ votes }) => ({
      weight: typeof votes === "number" ? Math.min(1, votes / enoughVotes) : 0.5
    }))
    yield* Migration.note(`weighed ${changed} pieces of evidence by their votes; those without votes weigh 0.5`)
  }),
  verify: Effect.gen(function* () {
    const databases = yield* Databases
    const { documents, total } = yield* databases.listDocuments("recognitions", [Query.limit(1)])
    if (total === 0) return "no recognitions to verify"
    if (!documents.some((document) => "weight" in document)) {
      return yield* Effect.fail(new Error("weight field missing"))
    }
    const unweighed = (yield* databases.listDocuments("evidence", [Query.isNull("weight")])).total
    if (unweighed > 0) return yield* Effect.fail(new Error(`${unweighed} pieces of evidence have no weight`))
    return "weight field verified"
  })
})
