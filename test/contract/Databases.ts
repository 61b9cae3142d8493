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
import { bigint } from "./databases/bigint.ts"
import { bulk } from "./databases/bulk.ts"
import { collections } from "./databases/collections.ts"
import { compareAndSwap } from "./databases/compareAndSwap.ts"
import { conflicts } from "./databases/conflicts.ts"
import { cursors } from "./databases/cursors.ts"
import { databases } from "./databases/databases.ts"
import { definitions } from "./databases/definitions.ts"
import { documents } from "./databases/documents.ts"
import { fulltext } from "./databases/fulltext.ts"
import { increments } from "./databases/increments.ts"
import { indexes } from "./databases/indexes.ts"
import { limits } from "./databases/limits.ts"
import { permissions } from "./databases/permissions.ts"
import { properties } from "./databases/properties.ts"
import { queries } from "./databases/queries.ts"
import { ranges } from "./databases/ranges.ts"
import { restores } from "./databases/restores.ts"
import { inFreshDatabase, type Options, type Promised } from "./databases/support.ts"
import { textQueries } from "./databases/textQueries.ts"
import { transactions } from "./databases/transactions.ts"
import { uniqueness } from "./databases/uniqueness.ts"

const parts: { readonly [subject: string]: (promise: Promised, options: Options) => void } = {
  databases,
  collections,
  attributes,
  "definitions of attributes": definitions,
  "changes of attributes": attributeChanges,
  indexes,
  uniqueness,
  documents,
  batches,
  restores,
  queries,
  "queries on texts": textQueries,
  "ranges and selections": ranges,
  "full text": fulltext,
  cursors,
  bulk,
  increments,
  "compare-and-swap": compareAndSwap,
  transactions,
  "commits of transactions": conflicts,
  permissions,
  "big whole numbers": bigint,
  limits,
  properties
}

// Dates of documents come from the clock, so the tests run on the real one.
export const contract = <E>(
  name: string,
  implementation: Layer.Layer<Databases, E>,
  options: Options = { overWire: false }
): void =>
  layer(implementation, { excludeTestServices: true })(`Databases on ${name}`, (it) => {
    const promise: Promised = (title, body) => it.effect(title, () => inFreshDatabase(body))
    for (const [subject, part] of Object.entries(parts)) describe(subject, () => part(promise, options))
  })
