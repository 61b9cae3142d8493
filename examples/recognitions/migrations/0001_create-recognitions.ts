import * as Effect from "effect/Effect"
import * as Attribute from "holdfast/Attribute"
import { Databases } from "holdfast/Databases"
import * as Index from "holdfast/Index"
import * as Migration from "holdfast/Migration"

/** The app's first schema: what is recognised, who was told of it, and what speaks for it. */
export default Migration.make({
  description: "The collections recognitions, recognition-shares and evidence",
  up: Effect.gen(function* () {
    const databases = yield* Databases
    yield* databases.createCollection("recognitions", {
      name: "Recognitions",
      permissions: ['read("users")'],
      attributes: [
        Attribute.string("title", { size: 128, required: true }),
        Attribute.string("director", { size: 64 }),
        Attribute.string("distributor", { size: 64 }),
        Attribute.string("genre", { size: 32 }),
        Attribute.enumeration("certificate", { elements: ["G", "PG", "PG-13", "R", "NC-17", "Not Rated", "Open"] }),
        Attribute.datetime("releasedAt"),
        Attribute.integer("budget", { min: 0 }),
        Attribute.integer("worldwideGross", { min: 0 }),
        Attribute.integer("minutes", { min: 1, max: 1000 }),
        Attribute.integer("tomatoes", { min: 0, max: 100 })
      ],
      indexes: [Index.key("by-title", ["title"]), Index.key("by-release", ["releasedAt"], { orders: ["desc"] })]
    })
    yield* databases.createCollection("recognition-shares", {
      name: "Recognition shares",
      documentSecurity: true,
      attributes: [
        Attribute.string("recognitionId", { size: 36, required: true }),
        Attribute.string("sharedWith", { size: 36, required: true }),
        Attribute.datetime("sharedAt")
      ],
      indexes: [Index.unique("once-each", ["recognitionId", "sharedWith"])]
    })
    yield* databases.createCollection("evidence", {
      name: "Evidence",
      attributes: [
        Attribute.string("recognitionId", { size: 36, required: true }),
        Attribute.enumeration("source", { elements: ["imdb", "rotten-tomatoes"], required: true }),
        Attribute.float("score", { min: 0, max: 10, required: true }),
        Attribute.integer("votes", { min: 0 })
      ],
      indexes: [Index.unique("one-a-source", ["recognitionId", "source"])]
    })
  }),
  verify: Effect.gen(function* () {
    const databases = yield* Databases
    const ids = new Set((yield* databases.listCollections).map(({ $id }) => $id))
    const missing = ["recognitions", "recognition-shares", "evidence"].filter((id) => !ids.has(id))
    if (missing.length > 0) return yield* Effect.fail(new Error(`missing: ${missing.join(", ")}`))
    return "the three collections are there"
  })
})
