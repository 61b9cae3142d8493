/** What the calls on rows share: reading what is sent, wording refusals, answering. */
import type { Collection } from "../../../../../Collection.ts"
import * as ApiFailure from "../ApiFailure.ts"
import type { Call } from "../Call.ts"
import type { Context } from "./Context.ts"
import * as RowData from "./RowData.ts"
import * as StagedRows from "./StagedRows.ts"
import type { Vocabulary } from "./Vocabulary.ts"

/** Calls a minute in the rate limit's headers. */
export const rateLimits = { write: 120, delete: 60 } as const

export const make = (context: Context, vocabulary: Vocabulary) => {
  const { row } = vocabulary
  const lower = row.toLowerCase()
  const missingData = ApiFailure.make(
    400,
    vocabulary.type("row_missing_data"),
    `The ${lower} data is missing. Try again with ${lower} data populated.`
  )
  const missingPayload = ApiFailure.make(
    400,
    vocabulary.type("row_missing_payload"),
    `The ${lower} data and permissions are missing. You must provide either ${lower} data or permissions to be updated.`
  )
  const missingRow = (call: Call) =>
    ApiFailure.make(
      404,
      vocabulary.type("row_not_found"),
      `${row} with the requested ID '${call.path["rowId"]}' could not be found.`
    )
  const shown = (call: Call, document: object) =>
    RowData.shown(vocabulary, call.path["databaseId"]!, call.path["tableId"]!, document)
  const transactionOf = (call: Call): string | undefined => {
    const id = call.input["transactionId"]
    return typeof id === "string" && id !== "" ? id : undefined
  }
  const readingOf = (call: Call, collection: Collection, bulk: boolean): RowData.Reading => ({
    vocabulary,
    collection,
    quirks: context.quirks,
    withDates: call.caller._tag === "Key" && transactionOf(call) === undefined,
    withPermissions: bulk
  })
  /** The collection, also for those who may not look at schemas. */
  const collectionOf = (call: Call) => StagedRows.collectionOf(context, call)
  const staged = (call: Call) => StagedRows.make(context, vocabulary, call)

  return {
    missingData,
    missingPayload,
    missingRow,
    shown,
    transactionOf,
    readingOf,
    collectionOf,
    staged
  }
}
