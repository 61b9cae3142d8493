/** Databases and their collections, as the server describes them. */
import * as Schema from "effect/Schema"
import { Attribute } from "./Attribute.ts"
import { Index } from "./Index.ts"

/** A database: a set of collections. */
export const Database = Schema.Struct({
  $id: Schema.String,
  $createdAt: Schema.String,
  $updatedAt: Schema.String,
  name: Schema.String,
  /** False hides it from users and guests; API keys go on. */
  enabled: Schema.Boolean
})
export type Database = typeof Database.Type

/** A collection with its attributes and indexes, in the order of their creation. */
export const Collection = Schema.Struct({
  $id: Schema.String,
  $createdAt: Schema.String,
  $updatedAt: Schema.String,
  $permissions: Schema.Array(Schema.String),
  name: Schema.String,
  /** False hides it from users and guests; API keys go on. */
  enabled: Schema.Boolean,
  /** Documents' own permissions count too. */
  documentSecurity: Schema.Boolean,
  attributes: Schema.Array(Attribute),
  indexes: Schema.Array(Index)
})
export type Collection = typeof Collection.Type

/** Attribute keys and ids compare without case (ASCII letters are all they have). */
export const sameKey = (left: string, right: string): boolean => left.toLowerCase() === right.toLowerCase()

/** The collection's attribute of this key, compared without case. */
export const attributeOf = (collection: Collection, key: string): Attribute | undefined =>
  collection.attributes.find((attribute) => sameKey(attribute.key, key))
