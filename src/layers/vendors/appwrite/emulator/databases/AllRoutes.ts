/** All routes of databases, in both vocabularies. */
import type { Route } from "../Routes.ts"
import * as ColumnRoutes from "./ColumnRoutes.ts"
import { type Context, settling } from "./Context.ts"
import * as DatabaseRoutes from "./DatabaseRoutes.ts"
import * as IndexRoutes from "./IndexRoutes.ts"
import * as RowRoutes from "./RowRoutes.ts"
import * as TableRoutes from "./TableRoutes.ts"
import * as TransactionRoutes from "./TransactionRoutes.ts"
import { collections, tables } from "./Vocabulary.ts"

export const routes = (context: Context): ReadonlyArray<Route> =>
  [tables, collections].flatMap((vocabulary) =>
    [DatabaseRoutes, TableRoutes, ColumnRoutes, IndexRoutes, RowRoutes, TransactionRoutes].flatMap((module) =>
      module.routes(context, vocabulary).map((route) => ({ ...route, handler: settling(context, route.handler) }))
    )
  )
