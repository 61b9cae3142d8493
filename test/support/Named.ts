/** Migrations that make or break a collection of their own name, as code and as from a file. */
import * as Effect from "effect/Effect"
import { Databases } from "../../src/Databases.ts"
import * as Migration from "../../src/Migration.ts"
import type * as Migrator from "../../src/Migrator.ts"
import { broken } from "./Migrating.ts"

/** A migration that makes a collection of its own name, which must not be there. */
export const makes = (id: string, more?: { readonly requires?: ReadonlyArray<string>; readonly verify?: string }) =>
  Migration.make({
    id,
    up: Databases.use((db) => db.createCollection(id)),
    ...(more?.requires === undefined ? {} : { requires: more.requires }),
    ...(more?.verify === undefined ? {} : { verify: Effect.succeed(more.verify) })
  })
export const breaks = (id: string) =>
  Migration.make({
    id,
    up: Effect.andThen(
      Databases.use((db) => db.createCollection(`${id}-rest`)),
      broken
    )
  })
/** As from a file: its name, a hash of its text, and how often it was loaded. */
export const fromFile = (name: string, hash: string | null, one: Migration.Migration = makes(name)) => {
  const loads = { count: 0 }
  const source: Migrator.Source = {
    name,
    location: `migrations/${name}.ts`,
    hash: Effect.succeed(hash),
    load: Effect.sync(() => {
      loads.count++
      return one
    })
  }
  return { source, loads }
}
export const collections = Effect.flatMap(Databases, (db) =>
  Effect.map(db.listCollections, (all) => all.map(({ $id }) => $id))
)
export const tagOf = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.result(effect), (result) => (result._tag === "Success" ? "success" : result.failure._tag))
