/** Errors of `Databases` as the server words them. */
import type { DatabasesError } from "../../../../../DatabasesError.ts"
import * as ApiFailure from "../ApiFailure.ts"
import { collections, type Vocabulary } from "./Vocabulary.ts"

const again = "Try again with a different ID or use ID.unique() to generate a unique ID."

/** `bulk`: the server names no id there. */
export const translate =
  (vocabulary: Vocabulary, options?: { readonly bulk?: boolean; readonly commit?: boolean }) =>
  (error: DatabasesError): ApiFailure.ApiFailure => {
    const { reason } = error
    // About operations of a transaction the server speaks in the older words, whatever the API.
    const type = (options?.commit === true ? collections : vocabulary).type(reason.type)
    const { column, row, table } = vocabulary
    switch (reason._tag) {
      case "NotFound": {
        const name = {
          database: "Database with the requested ID",
          collection: `${type.startsWith("collection") ? "Collection" : table} with the requested ID`,
          attribute: `${column} with the requested key`,
          index: "Index with the requested key",
          document: `${type.startsWith("document") ? "Document" : row} with the requested ID`,
          transaction: "Transaction with the requested ID"
        }[reason.resource]
        return ApiFailure.make(404, type, `${name} '${reason.id}' could not be found.`)
      }
      case "AlreadyExists": {
        const id = options?.bulk === true && reason.resource === "document" ? "" : reason.id
        const message = {
          database: `Database with the requested ID '${id}' already exists. ${again}`,
          collection: `A ${table.toLowerCase()} with the requested ID '${id}' already exists. ${again}`,
          attribute: `${column} with the requested key '${id}' already exists. ${column} keys must be unique, try again with a different key.`,
          index: `Index with the requested key '${id}' already exists. Try again with a different key.`,
          document: `${row} with the requested ID '${id}' already exists. ${again}`,
          transaction: `Transaction with the requested ID '${id}' already exists. ${again}`
        }[reason.resource]
        return ApiFailure.make(409, type, message)
      }
      case "UniqueConflict": {
        const id = options?.bulk === true ? "" : reason.id
        return ApiFailure.make(409, type, `${row} with the requested ID '${id}' already exists. ${again}`)
      }
      case "Conflict":
        return ApiFailure.make(
          409,
          type,
          reason.type === "row_update_conflict"
            ? `Remote ${row.toLowerCase()} is newer than local.`
            : "The transaction has a conflict. Please resolve the conflict and try again."
        )
      case "Unauthorized":
        return ApiFailure.make(401, type, reason.detail)
      case "InvalidDocument":
        return ApiFailure.make(
          400,
          type,
          `Invalid document structure: Attribute "${reason.attribute}": ${reason.detail}`
        )
      case "Unavailable":
        return ApiFailure.serverError
      case "InvalidArgument":
        return ApiFailure.make(reason.type === "transaction_expired" ? 500 : 400, type, reason.message)
      default:
        return ApiFailure.make(400, type, reason.message)
    }
  }
