/** Who may do what: permissions of collections and documents against the caller's roles. */
import type { Caller } from "../../../Caller.ts"
import type { Collection, Database } from "../../../Collection.ts"
import { Unauthorized } from "../../../DatabasesError.ts"
import type { Document } from "../../../Document.ts"
import type { Sqlite } from "../../vendors/Sqlite.ts"
import { notFound, Refusal } from "./Refusal.ts"

export type Action = "create" | "read" | "update" | "delete"

const roleOf = /^(\w+)\("(.*)"\)$/

const grants = (permissions: ReadonlyArray<string>, action: Action, roles: ReadonlyArray<string>): boolean =>
  roles.some((role) => permissions.includes(`${action}("${role}")`))

export const unauthorized = (detail: string, type = "user_unauthorized") =>
  new Refusal(new Unauthorized({ type, detail }))
const denied = () => unauthorized("The current user is not authorized to perform the requested action.")

/** `may_read(permissions, roles)`: whether a row's permissions let one of the roles read it. */
export const defineFunctions = (sqlite: Sqlite): void => {
  sqlite.define("may_read", (permissions, roles) =>
    grants(JSON.parse(permissions) as ReadonlyArray<string>, "read", String(roles).split("\n")) ? 1 : 0
  )
}

/** Whom schema and databases answer: keys alone. */
export const checkKey = (caller: Caller): void => {
  if (caller._tag === "Roles") {
    throw unauthorized("The current user does not have the required scopes.", "general_unauthorized_scope")
  }
}

/** What is disabled is not there for users and guests. */
export const checkEnabled = (caller: Caller, database: Database, collection: Collection): void => {
  if (caller._tag === "Key") return
  if (!database.enabled) throw notFound("database", database.$id)
  if (!collection.enabled) throw notFound("collection", collection.$id)
}

/** Which documents of a list the caller may read: all of them, or those whose own permissions say so. */
export const listable = (caller: Caller, collection: Collection): "all" | ReadonlyArray<string> => {
  if (caller._tag === "Key" || grants(collection.$permissions, "read", caller.roles)) return "all"
  if (!collection.documentSecurity) throw denied()
  return caller.roles
}

export const mayRead = (caller: Caller, collection: Collection, document: Document): boolean =>
  caller._tag === "Key" ||
  grants(collection.$permissions, "read", caller.roles) ||
  (collection.documentSecurity && grants(document.$permissions, "read", caller.roles))

export const checkCreate = (caller: Caller, collection: Collection): void => {
  if (caller._tag === "Roles" && !grants(collection.$permissions, "create", caller.roles)) {
    throw unauthorized("No permissions provided for action 'create'")
  }
}

export const checkChange = (
  caller: Caller,
  collection: Collection,
  document: Document,
  action: "update" | "delete"
): void => {
  if (caller._tag === "Key" || grants(collection.$permissions, action, caller.roles)) return
  if (collection.documentSecurity && grants(document.$permissions, action, caller.roles)) return
  throw denied()
}

/** The user that the roles speak of, if they do. */
export const userOf = (caller: Caller): string | undefined =>
  caller._tag === "Key" ? undefined : caller.roles.find((role) => /^user:[^/]+$/.test(role))

/** What a user may do with a document of theirs, where they say nothing; guests get nothing. */
export const ownPermissions = (caller: Caller): ReadonlyArray<string> => {
  const user = userOf(caller)
  return user === undefined ? [] : ["read", "update", "delete"].map((action) => `${action}("${user}")`)
}

/** Nobody grants a role that is not theirs. */
export const checkGrant = (caller: Caller, permissions: ReadonlyArray<string>): void => {
  if (caller._tag === "Key") return
  for (const permission of permissions) {
    const [, , role] = roleOf.exec(permission) ?? []
    if (role !== undefined && !caller.roles.includes(role)) {
      throw unauthorized(`Permissions must be one of: (${caller.roles.join(", ")})`)
    }
  }
}
