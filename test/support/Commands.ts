/**
 * Generated work on databases: commands that choose what they act on among what is there when they run, so that most of
 * them make sense, and sometimes are refused.
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Attribute from "../../src/Attribute.ts"
import type { Collection } from "../../src/Collection.ts"
import * as DatabaseHash from "../../src/DatabaseHash.ts"
import type { Methods } from "../../src/Databases.ts"
import type { DatabasesError } from "../../src/DatabasesError.ts"
import type { Document } from "../../src/Document.ts"
import * as Index from "../../src/Index.ts"
import { type Mutation, type Restore, Write } from "../../src/Operation.ts"
import * as Query from "../../src/Query.ts"
import { anyString, collidingString, tellingString } from "./Strings.ts"

/** How often each comes, beside the others. */
const weights: { readonly [T in Mutation["_tag"]]: number } = {
  CreateDatabase: 2,
  UpdateDatabase: 1,
  DeleteDatabase: 2,
  CreateCollection: 5,
  UpdateCollection: 2,
  DeleteCollection: 2,
  CreateAttribute: 5,
  UpdateAttribute: 4,
  RenameAttribute: 4,
  DeleteAttribute: 5,
  CreateIndex: 6,
  DeleteIndex: 2,
  CreateDocument: 5,
  CreateDocuments: 6,
  UpdateDocument: 6,
  UpsertDocument: 5,
  DeleteDocument: 4,
  IncrementAttribute: 6,
  DecrementAttribute: 4,
  UpdateDocuments: 6,
  DeleteDocuments: 4,
  UpsertDocuments: 4,
  WriteDocuments: 4,
  RestoreDocuments: 3
}
const tags = Object.entries(weights).flatMap(([tag, weight]) =>
  new Array<Mutation["_tag"]>(weight).fill(tag as Mutation["_tag"])
)

const below = (greatest: number) =>
  Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: greatest - 1 })))
const oneOf = <A>(choices: ReadonlyArray<Arbitrary.Arbitrary<A>>) =>
  Arbitrary.flatMap(below(choices.length), (choice) => choices[choice]!)

/** One command. Its numbers choose among what there is; its texts and numbers become values. */
export interface Command {
  readonly tag: Mutation["_tag"]
  readonly choices: readonly [number, number, number, number]
  readonly texts: ReadonlyArray<string>
  readonly numbers: readonly [number, number]
}
export const command: Arbitrary.Arbitrary<Command> = Arbitrary.all({
  tag: Arbitrary.map(below(tags.length), (position) => tags[position]!),
  choices: Arbitrary.all([below(1000), below(1000), below(1000), below(1000)]),
  texts: Arbitrary.array(oneOf([collidingString, collidingString, tellingString, anyString]), {
    minLength: 3,
    maxLength: 3
  }),
  numbers: Arbitrary.all([
    Arbitrary.schema(Schema.Finite),
    Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: -20, maximum: 20 })))
  ])
})

/** A command, or an edge of a savepoint. `keep` and `fail` close the innermost that is open. */
export type Step = Command | { readonly tag: "open" | "keep" | "fail" }
export const steps: Arbitrary.Arbitrary<ReadonlyArray<Step>> = Arbitrary.array(
  oneOf<Step>([
    ...new Array<Arbitrary.Arbitrary<Step>>(12).fill(command),
    Arbitrary.Constant<Step>({ tag: "open" }),
    Arbitrary.Constant<Step>({ tag: "open" }),
    Arbitrary.Constant<Step>({ tag: "keep" }),
    Arbitrary.Constant<Step>({ tag: "fail" }),
    Arbitrary.Constant<Step>({ tag: "fail" })
  ]),
  { minLength: 12, maxLength: 40 }
)
export const commands: Arbitrary.Arbitrary<ReadonlyArray<Command>> = Arbitrary.array(command, {
  minLength: 6,
  maxLength: 24
})

/** Few of each, some alike but for their case, so that they collide. */
const collectionIds = ["c", "C", "d", "other"]
const keys = ["a", "A", "b", "text", "k".repeat(36), "K".repeat(35)]
const documentIds = ["x", "X", "y", "z", "x-1", "constructor"]
const databaseIds = ["second", "SECOND", "third"]
const permissions = [[], ['read("any")'], ['update("user:ada")', 'read("users")']]
const dates = ["2001-02-03T04:05:06.789Z", "1999-12-31T23:59:59+02:00"]

const at = <A>(list: ReadonlyArray<A>, choice: number): A | undefined => list[choice % list.length]
const byId = <A extends { readonly $id: string }>(all: ReadonlyArray<A>): ReadonlyArray<A> =>
  all.toSorted((left, right) => (left.$id < right.$id ? -1 : 1))
const byKey = <A extends { readonly key: string }>(all: ReadonlyArray<A>): ReadonlyArray<A> =>
  all.toSorted((left, right) => (left.key < right.key ? -1 : 1))

/** Values of the kinds that take only some texts, a few of them alike but for their case. */
const formatted = {
  email: ["ada@example.org", "ADA@example.org", "bob@example.org"],
  url: ["https://example.org/a", "https://example.org/A", "mailto:ada@example.org"],
  ip: ["127.0.0.1", "::1", "2001:DB8::1"]
} as const
/** Words that a full-text index finds, between those that are generated. */
const words = ["turtle", "soup", "Schildkröte", "the"]

/** A whole number of 64 bits, most of them beyond 2^53. */
const wide = ({ choices, numbers }: Command, shift: number): number | bigint =>
  choices[shift % 4]! % 5 === 0 ? numbers[1] : BigInt(numbers[1]) * 2n ** 58n + BigInt(choices[(shift + 1) % 4]! % 3)

const absolute = (whole: number | bigint): number | bigint => (whole < 0 ? -whole : whole)

/** What all texts share: some are required, some have a default. */
const filled = ({ choices, texts }: Command, array: boolean, start = texts[2]!) => {
  const required = choices[3] % 5 === 0
  return { required, array, default: required || array || choices[3] % 3 > 0 ? null : start }
}

const makers: {
  readonly [K in Attribute.Kind]: (key: string, command: Command, array: boolean) => Attribute.Attribute
} = {
  string: (key, command, array) =>
    Attribute.string(key, { size: 8 + (command.choices[2] % 9), ...filled(command, array) }),
  varchar: (key, command, array) =>
    Attribute.varchar(key, { size: 8 + (command.choices[2] % 9), ...filled(command, array) }),
  text: (key, command, array) => Attribute.text(key, filled(command, array)),
  mediumtext: (key, command, array) => Attribute.mediumtext(key, filled(command, array)),
  longtext: (key, command, array) => Attribute.longtext(key, filled(command, array)),
  email: (key, command, array) => Attribute.email(key, filled(command, array, formatted.email[0])),
  url: (key, command, array) => Attribute.url(key, filled(command, array, formatted.url[0])),
  ip: (key, command, array) => Attribute.ip(key, filled(command, array, formatted.ip[0])),
  bigint: (key, command, array) =>
    Attribute.bigint(key, {
      array,
      min: command.choices[2] % 4 === 0 ? -(2n ** 62n) : null,
      max: command.choices[3] % 4 === 0 ? 2n ** 62n : null,
      default: array || command.choices[3] % 3 > 0 ? null : 2n ** 60n + BigInt(command.choices[2])
    }),
  integer: (key, { choices, numbers }, array) =>
    Attribute.integer(key, {
      array,
      min: choices[2] % 2 === 0 ? null : Math.min(-5, numbers[1]),
      max: choices[3] % 2 === 0 ? null : Math.max(5, numbers[1]),
      default: array || choices[3] % 3 > 0 ? null : 1
    }),
  float: (key, { choices, numbers }, array) =>
    Attribute.float(key, { array, min: choices[2] % 3 === 0 ? Math.min(0, numbers[0]) : null }),
  boolean: (key, { choices }, array) => Attribute.boolean(key, { array, required: choices[2] % 3 === 0 }),
  datetime: (key, _, array) => Attribute.datetime(key, { array }),
  enum: (key, { choices }, array) =>
    Attribute.enumeration(key, { array, elements: choices[2] % 2 === 0 ? ["s", "ß", "Á"] : ["s", "Á", "é"] })
}
/** Texts and whole numbers most often: they collide, and are counted in. */
const kinds = [...Attribute.Kind.literals, "string", "string", "string", "integer", "bigint", "bigint"] as const

const attributeFrom = (command: Command, shift = 0): Attribute.Attribute => {
  const [first, second, third] = command.choices
  return makers[at(kinds, first + shift)!](at(keys, second + shift)!, command, (third + shift) % 6 === 0)
}

/** A value for an attribute: of its kind, null now and then, rarely one that does not fit. */
const valueFor = (attribute: Attribute.Attribute, command: Command, shift: number) => {
  const { choices, numbers, texts } = command
  const choice = choices[shift % 4]! + shift
  if (choice % 7 === 0) return null
  if (choice % 41 === 0) return "does not fit, whatever it is"
  const text = texts[shift % 3]!
  const scalar = () => {
    switch (attribute.kind) {
      case "string":
      case "varchar":
        return text
      case "text":
      case "mediumtext":
      case "longtext":
        return choice % 2 === 0 ? text : `${at(words, choice)} ${text} ${at(words, choice + shift + 1)}`
      case "email":
      case "url":
      case "ip":
        return at(formatted[attribute.kind], choice)!
      case "integer":
        return attribute.bits === 64 && choice % 5 === 0 ? wide(command, shift) : numbers[1] + (shift % 3)
      case "bigint":
        return choice % 11 === 0 ? String(wide(command, shift)) : wide(command, shift)
      case "float":
        return numbers[0]
      case "boolean":
        return choice % 2 === 0
      case "datetime":
        return at(dates, choice)!
      case "enum":
        return at(attribute.elements, choice)!
    }
  }
  return attribute.array ? [scalar(), ...(choice % 2 === 0 ? [null, scalar()] : [])] : scalar()
}
const valuesFor = (attributes: ReadonlyArray<Attribute.Attribute>, command: Command, shift: number) =>
  Object.fromEntries(
    attributes
      .filter((_, position) => (command.choices[2] + position + shift) % 4 > 0)
      .map((attribute, position) => [attribute.key, valueFor(attribute, command, shift + position)])
  )

/** Something to begin with: a collection with an attribute of each kind, and documents. */
export const begin = (db: Methods): Effect.Effect<unknown, DatabasesError> =>
  Effect.andThen(
    db.createCollection("c", {
      attributes: [
        Attribute.string("text", { size: 16 }),
        Attribute.string("b", { size: 8, default: "s" }),
        Attribute.integer("n", { min: -30, max: 30 }),
        Attribute.float("f"),
        Attribute.enumeration("e", { elements: ["s", "ß", "Á"] }),
        Attribute.string("list", { size: 8, array: true })
      ],
      indexes: [Index.unique("u", ["text"]), Index.key("i0", ["b", "n"])]
    }),
    db.createDocuments("c", [
      { $id: "x", text: "s", n: 1, list: ["a", null] },
      { $id: "y", text: "Áa", b: "ß", f: 0.1, $permissions: ['read("any")'] },
      { $id: "z", e: "ß", $createdAt: dates[0]! }
    ])
  )

const documentsOf = (db: Methods, collection: string) =>
  Effect.map(db.listDocuments(collection, [Query.limit(100)]), ({ documents }) => byId(documents))

const restoreOf = (found: Document | undefined, command: Command, attributes: ReadonlyArray<Attribute.Attribute>) => {
  const id = found?.$id ?? "x"
  const stale = command.choices[3] % 5 === 0
  const expected = stale ? "another" : found === undefined ? null : DatabaseHash.document(found)
  const restored =
    found === undefined || command.choices[2] % 2 === 0
      ? null
      : { ...found, $updatedAt: "2001-02-03T04:05:06.789+00:00", ...textsOf(attributes, command.texts[1]!) }
  return { id, expected, document: restored } satisfies Restore
}
/** Texts that fit, for a restore checks nothing. */
const textsOf = (attributes: ReadonlyArray<Attribute.Attribute>, text: string) =>
  Object.fromEntries(
    attributes.flatMap(({ array, key, kind }) => (kind === "string" && !array ? [[key, text] as const] : []))
  )

const isText = ({ array, kind }: Attribute.Attribute) => !array && Attribute.textKinds.has(kind)

/** An index over one or two attributes: of words now and then, and by the first characters of its texts. */
const indexFrom = (attributes: ReadonlyArray<Attribute.Attribute>, { choices }: Command): Index.Index | undefined => {
  const [, second, third, fourth] = choices
  const key = `i${third % 3}`
  const texts = attributes.filter(isText)
  if (fourth % 4 === 0 && texts.length > 0) {
    const named = new Set([at(texts, second)!.key, ...(third % 3 === 0 ? [at(texts, third)!.key] : [])])
    return Index.fulltext(key, [...named])
  }
  const first = at(attributes, second)
  const other = at(attributes, third)
  if (first === undefined) return undefined
  const named = other === undefined || other.key === first.key ? [first] : [first, other]
  const isLong = named.some((one) => isText(one) && Attribute.textSize(one) > 768)
  const lengths = isLong || third % 4 === 0 ? named.map((one) => (isText(one) ? 1 + (second % 8) : 0)) : []
  return (fourth % 2 === 0 ? Index.unique : Index.key)(
    key,
    named.map((one) => one.key),
    { orders: fourth % 3 === 0 ? ["desc"] : [], lengths }
  )
}

/** What a change by query is about: filters, searches, order, limit and offset, or nothing at all. */
const queriesFrom = (
  { attributes, indexes }: Collection,
  documents: ReadonlyArray<Document>,
  command: Command
): ReadonlyArray<Query.Query> => {
  const [first, second, third, fourth] = command.choices
  const attribute = at(byKey(attributes), third)
  const searched = at(
    byKey(indexes).filter(({ kind }) => kind === "fulltext"),
    third
  )
  const named = Query.equal("$id", [at(documents, second)?.$id ?? "x", at(documentIds, third)!])
  const word = at(words, first)!
  const search = searched === undefined ? named : Query.search(searched.attributes[0]!, word)
  const value = attribute === undefined ? null : (at(documents, second)?.[attribute.key] ?? null)
  const compared =
    attribute === undefined || attribute.array || value === null || typeof value === "object"
      ? named
      : Query.greaterThanEqual(attribute.key, value)
  const sort = Query.orderDesc(attribute === undefined || attribute.array ? "$id" : attribute.key)
  const choices: ReadonlyArray<ReadonlyArray<Query.Query>> = [
    [],
    [named],
    [search],
    [compared],
    [Query.or([search, named]), Query.isNotNull("$id")],
    [sort, Query.limit(1 + (second % 3)), Query.offset(third % 2)],
    [compared, sort, Query.limit(2)],
    [Query.offset(1)],
    [Query.isNotNull("$id")],
    [Query.equal("no such attribute", 1)]
  ]
  return at(choices, fourth)!
}

/** Does one command on the handle's database or another of its server. Fails as the operation does. */
export const perform = Effect.fnUntraced(function* (
  home: Methods,
  command: Command
): Effect.fn.Return<void, DatabasesError> {
  const [first, second, third, fourth] = command.choices
  switch (command.tag) {
    case "CreateDatabase":
      yield* home.createDatabase(at(databaseIds, first)!, { name: `n${second}`, enabled: third % 2 === 0 })
      return
    case "UpdateDatabase":
      yield* home.updateDatabase(at(databaseIds, first)!, { name: `n${second}` })
      return
    case "DeleteDatabase":
      yield* home.deleteDatabase(at(databaseIds, first)!)
      return
    default:
      break
  }
  const databases = byId(yield* home.listDatabases)
  const db = fourth % 5 === 0 ? home.in(at(databases, first)!.$id) : home
  if (command.tag === "CreateCollection") {
    const attributes = [0, 1, 2, 3].slice(0, third % 5).map((shift) => attributeFrom(command, shift))
    const indexed = attributes.find(({ array }) => !array)
    yield* db.createCollection(at(collectionIds, first)!, {
      name: `n${second}`,
      permissions: at(permissions, second)!,
      documentSecurity: second % 2 === 0,
      attributes,
      indexes: indexed === undefined || fourth % 2 === 0 ? [] : [Index.unique("u", [indexed.key])]
    })
    return
  }
  const collection = at(byId(yield* db.listCollections), first)
  if (collection === undefined) return
  const { $id } = collection
  const attributes = byKey(collection.attributes)
  const attribute = at(attributes, second)
  const index = at(byKey(collection.indexes), second)
  const documents = yield* documentsOf(db, $id)
  const document = at(documents, second)
  const newDocument = (shift: number) => ({
    $id: at(documentIds, second + shift)!,
    ...valuesFor(attributes, command, shift),
    ...(third % 3 === 0 ? { $permissions: at(permissions, first)! } : {})
  })
  const dated = fourth % 4 === 0 ? { $createdAt: at(dates, third)! } : {}
  switch (command.tag) {
    case "UpdateCollection":
      yield* db.updateCollection($id, {
        name: `n${second}`,
        ...(third % 2 === 0 ? { permissions: at(permissions, third)!, documentSecurity: fourth % 2 === 0 } : {})
      })
      return
    case "DeleteCollection":
      yield* db.deleteCollection($id)
      return
    case "CreateAttribute":
      yield* db.createAttribute($id, attributeFrom({ ...command, choices: [third, second, first, fourth] }))
      return
    case "UpdateAttribute":
      if (attribute !== undefined) {
        yield* db.updateAttribute($id, makers[attribute.kind](attribute.key, command, attribute.array))
      }
      return
    case "RenameAttribute":
      if (attribute !== undefined) yield* db.renameAttribute($id, attribute.key, at(keys, third)!)
      return
    case "DeleteAttribute":
      if (attribute !== undefined) yield* db.deleteAttribute($id, attribute.key)
      return
    case "CreateIndex": {
      const made = indexFrom(attributes, command)
      if (made !== undefined) yield* db.createIndex($id, made)
      return
    }
    case "DeleteIndex":
      if (index !== undefined) yield* db.deleteIndex($id, index.key)
      return
    case "CreateDocument":
      yield* db.createDocument($id, { ...newDocument(0), ...dated })
      return
    case "CreateDocuments":
      yield* db.createDocuments($id, [newDocument(0), { ...newDocument(2), ...dated }, newDocument(3)])
      return
    case "UpdateDocument":
      if (document !== undefined) {
        yield* db.updateDocument($id, document.$id, { ...valuesFor(attributes, command, 1), ...dated })
      }
      return
    case "UpsertDocument":
      yield* db.upsertDocument($id, { ...newDocument(1), ...dated })
      return
    case "UpsertDocuments":
      yield* db.upsertDocuments($id, [newDocument(0), { ...newDocument(2), ...dated }, newDocument(4)])
      return
    case "IncrementAttribute":
    case "DecrementAttribute": {
      const counter = at(
        attributes.filter(({ array, kind }) => !array && (kind === "integer" || kind === "bigint" || kind === "float")),
        third
      )
      if (document === undefined || counter === undefined) return
      const by = counter.kind === "float" ? Math.abs(command.numbers[0]) : absolute(wide(command, second))
      const bound = fourth % 3 === 0 ? command.numbers[1] : null
      yield* command.tag === "IncrementAttribute"
        ? db.incrementAttribute($id, document.$id, counter.key, { by, max: bound })
        : db.decrementAttribute($id, document.$id, counter.key, { by, min: bound })
      return
    }
    case "UpdateDocuments":
      yield* db.updateDocuments($id, queriesFrom(collection, documents, command), {
        ...valuesFor(attributes, command, 1),
        ...(third % 3 === 0 ? { $permissions: at(permissions, first)! } : {}),
        ...dated
      })
      return
    case "DeleteDocuments":
      yield* db.deleteDocuments($id, queriesFrom(collection, documents, command))
      return
    case "DeleteDocument":
      if (document !== undefined) yield* db.deleteDocument($id, document.$id)
      return
    case "WriteDocuments": {
      const gone = at(documents, third)
      yield* db.writeDocuments($id, [
        ...(document === undefined
          ? []
          : [
              Write.cases.Update.make({
                id: document.$id,
                changes: { ...valuesFor(attributes, command, 1), $permissions: [] }
              })
            ]),
        ...(gone === undefined ? [] : [Write.cases.Delete.make({ id: gone.$id })]),
        Write.cases.Create.make({ document: newDocument(third) })
      ])
      return
    }
    case "RestoreDocuments":
      yield* db.restoreDocuments($id, [restoreOf(document, command, attributes)])
      return
  }
})
