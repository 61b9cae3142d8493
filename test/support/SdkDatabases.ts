/**
 * `Databases` over node-appwrite, for tests alone: whatever holds through it holds for an application that uses the
 * SDK against the emulator.
 *
 * What the wire does not have as such is composed of calls (sdk/), and what it can't carry is refused before it is sent.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Databases, failure, make as makeDatabases, type Methods } from "../../src/Databases.ts"
import type { DatabasesError } from "../../src/DatabasesError.ts"
import type { Of, Operation, ResultOf, Tag } from "../../src/Operation.ts"
import * as Refusals from "./sdk/Refusals.ts"
import { restoreDocuments } from "./sdk/Restores.ts"
import * as Rows from "./sdk/Rows.ts"
import * as Schemas from "./sdk/Schemas.ts"
import * as Session from "./sdk/Session.ts"
import * as Transactions from "./sdk/Transactions.ts"

type Handler<T extends Tag> = (session: Session.Session, operation: Of<T>) => Session.Answer<ResultOf<T>>

const handlers: { readonly [T in Tag]: Handler<T> } = {
  // A server does not say which one it is: its address and project do.
  DescribeTarget: ({ options: { endpoint, project } }, { database }) =>
    Effect.succeed({ id: `appwrite:${endpoint}:${project}:${database}`, label: `${endpoint} (${database})` }),
  ...Schemas.handlers,
  ...Rows.handlers,
  ...Transactions.handlers,
  RestoreDocuments: restoreDocuments
}

export const make = (options: Session.Options): Methods => {
  const session = Session.make(options)
  const { reasonOf } = Refusals.make(session)
  const execute = <T extends Tag>(operation: Of<T>): Effect.Effect<ResultOf<T>, DatabasesError> =>
    // The record is complete by type, so the pair always fits.
    (handlers[operation._tag] as unknown as Handler<T>)(session, operation).pipe(
      Effect.catch((failed) =>
        Effect.flatMap(reasonOf(operation as Operation, failed), (reason) =>
          Effect.fail(failure(operation as Operation, reason))
        )
      ),
      Effect.uninterruptible
    )
  return makeDatabases({ execute, databaseId: "main" })
}

export const layer = <E, R>(options: Effect.Effect<Session.Options, E, R>) =>
  Layer.effect(
    Databases,
    Effect.map(options, (known) => Databases.of(make(known)))
  )
