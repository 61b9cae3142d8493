/**
 * What every layer of `Databases` promises, as a function of the layer.
 *
 * Expectations are those of a recorded Appwrite 1.9.6; where the service differs from it on purpose, the title says so.
 */
import { describe, layer } from "@effect/vitest"
import type * as Layer from "effect/Layer"
import type { Databases } from "../../src/Databases.ts"
import { attributeChanges } from "./databases/attributeChanges.ts"
import { attributes } from "./databases/attributes.ts"
import { batches } from "./databases/batches.ts"
import { collections } from "./databases/collections.ts"
import { cursors } from "./databases/cursors.ts"
import { databases } from "./databases/databases.ts"
import { documents } from "./databases/documents.ts"
import { indexes } from "./databases/indexes.ts"
import { properties } from "./databases/properties.ts"
import { queries } from "./databases/queries.ts"
import { restores } from "./databases/restores.ts"
import { inFreshDatabase, type Promised } from "./databases/support.ts"
import { uniqueness } from "./databases/uniqueness.ts"

const parts = {
  databases,
  collections,
  attributes,
  "changes of attributes": attributeChanges,
  indexes,
  uniqueness,
  documents,
  batches,
  restores,
  queries,
  cursors,
  properties
}

// Dates of documents come from the clock, so the tests run on the real one.
export const contract = <E>(name: string, implementation: Layer.Layer<Databases, E>): void =>
  layer(implementation, { excludeTestServices: true })(`Databases on ${name}`, (it) => {
    const promise: Promised = (title, body) => it.effect(title, () => inFreshDatabase(body))
    for (const [subject, part] of Object.entries(parts)) describe(subject, () => part(promise))
  })
