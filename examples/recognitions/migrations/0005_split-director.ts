import * as Effect from "effect/Effect"
import * as Attribute from "holdfast/Attribute"
import { Databases } from "holdfast/Databases"
import * as Index from "holdfast/Index"
import * as Migration from "holdfast/Migration"
import * as Query from "holdfast/Query"

/** One field becomes two, by transforming each document; then the old one goes. */
export default Migration.make({
  description: "recognitions.director becomes directorGivenNames and directorFamilyName",
  up: Effect.gen(function* () {
    const databases = yield* Databases
    yield* databases.createAttribute("recognitions", Attribute.string("directorGivenNames", { size: 64 }))
    yield* databases.createAttribute("recognitions", Attribute.string("directorFamilyName", { size: 64 }))
    yield* Migration.transformDocuments("recognitions", ({ director }) => {
      if (typeof director !== "string") return undefined
      const words = director.trim().split(/\s+/)
      return { directorGivenNames: words.slice(0, -1).join(" "), directorFamilyName: words.at(-1) ?? "" }
    })
    yield* databases.createIndex("recognitions", Index.key("by-director", ["directorFamilyName", "directorGivenNames"]))
    yield* databases.deleteAttribute("recognitions", "director")
  }),
  verify: Effect.gen(function* () {
    const databases = yield* Databases
    const { total } = yield* databases.listDocuments("recognitions", [Query.equal("directorFamilyName", "nolan")])
    return total > 0
      ? `${total} films by Nolan, found without regard to case`
      : yield* Effect.fail(new Error("Nolan's films are gone"))
  })
})
