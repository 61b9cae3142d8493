/** What handlers write in their transactions. */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Attribute from "../../src/Attribute.ts"
import { Databases } from "../../src/Databases.ts"
import * as Embedded from "../../src/layers/databases/Embedded.ts"
import * as Query from "../../src/Query.ts"
import * as SdkDatabases from "../../test/support/SdkDatabases.ts"
import type { Documents } from "../../test/support/StorePlaces.ts"

export const collection = "orders"
/** Documents of one handler's run. */
export const each = 3

/** A document that a handler's run wrote. */
export interface Order {
  readonly round: number
  readonly run: string
}

const databases = (place: Documents): Layer.Layer<Databases, unknown> =>
  place._tag === "sqlite" ? Embedded.layer({ filename: place.filename }) : SdkDatabases.layer(Effect.succeed(place))

export const prepare = (place: Documents): Effect.Effect<void, unknown> =>
  Databases.use((methods) =>
    Effect.gen(function* () {
      const known = yield* methods.listDatabases
      if (known.length === 0) yield* methods.createDatabase(methods.databaseId)
      yield* methods.createCollection(collection, {
        attributes: [Attribute.integer("round"), Attribute.string("run", { size: 40 })]
      })
    })
  ).pipe(Effect.provide(databases(place)))

export const written = (place: Documents): Effect.Effect<ReadonlyArray<Order>, unknown> =>
  Databases.use((methods) => methods.listDocuments(collection, [Query.limit(100_000)])).pipe(
    Effect.map(({ documents }) =>
      documents.map((document) => ({ round: Number(document["round"]), run: String(document["run"]) }))
    ),
    Effect.provide(databases(place))
  )
