/**
 * Generated work on databases: commands that choose what they act on among what is there when they run, so that most of
 * them make sense, and sometimes are refused.
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import type { Mutation } from "../../src/Operation.ts"
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
