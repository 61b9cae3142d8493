/** Inside the engine a refusal is thrown, so that SQLite's transaction is undone; `Embedded` makes it a typed error. */
import * as Reason from "../../../DatabasesError.ts"

export class Refusal extends Error {
  readonly reason: Reason.Reason
  /** What was written before it stays: a transaction that can't be committed is over all the same. */
  readonly keepsWrites: boolean
  constructor(reason: Reason.Reason, keepsWrites = false) {
    super(reason.message)
    this.reason = reason
    this.keepsWrites = keepsWrites
  }
}

/** Appwrite's words for what the recorded server calls rows, columns and tables. */
const prefix: { readonly [R in Reason.Resource]: string } = {
  database: "database",
  collection: "table",
  attribute: "column",
  index: "column_index",
  document: "row",
  transaction: "transaction"
}

export const notFound = (resource: Reason.Resource, id: string) =>
  new Refusal(new Reason.NotFound({ type: `${prefix[resource]}_not_found`, resource, id }))
export const alreadyExists = (resource: Reason.Resource, id: string) =>
  new Refusal(new Reason.AlreadyExists({ type: `${prefix[resource]}_already_exists`, resource, id }))
export const invalidArgument = (argument: string, detail: string, type = "general_argument_invalid") =>
  new Refusal(new Reason.InvalidArgument({ type, argument, detail }))
export const invalidQuery = (detail: string, type = "general_query_invalid") =>
  new Refusal(new Reason.InvalidQuery({ type, detail }))
export const invalidDocument = (id: string, attribute: string, detail: string, type = "row_invalid_structure") =>
  new Refusal(new Reason.InvalidDocument({ type, id, attribute, detail }))
export const unusable = (detail: string) => new Refusal(new Reason.Unavailable({ type: "general_unknown", detail }))

const validId = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,35}$/

export const isId = (id: string): boolean => validId.test(id)

/** Refuses what Appwrite takes neither as an id nor as a key. */
export const checkId = (argument: string, id: string, type = "general_argument_invalid"): void => {
  if (!isId(id)) {
    throw invalidArgument(
      argument,
      `${JSON.stringify(id)} must have 1 to 36 of a-z, A-Z, 0-9, period, hyphen, underscore, and start with a letter or digit`,
      type
    )
  }
}
/** Refuses a name that is empty or over 128 characters. */
export const checkName = (name: string): void => {
  if (name.length === 0 || name.length > 128) {
    throw invalidArgument("name", `must have 1 to 128 characters, got ${name.length}`)
  }
}
