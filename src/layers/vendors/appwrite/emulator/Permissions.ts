/** Lists of permissions: the server's messages for what is wrong, and what a caller may do. */
import * as Result from "effect/Result"
import * as Permission from "../../../../Permission.ts"
import { type Caller, guestRoles } from "./Access.ts"
import * as ApiFailure from "./ApiFailure.ts"

/** Tables and buckets grant `create`; rows and files do not. */
export type Owner = Permission.Owner
export type Action = "create" | "read" | "update" | "delete"

const actions: { readonly [O in Owner]: ReadonlyArray<string> } = {
  collection: ["create", "read", "update", "delete", "write"],
  document: ["read", "update", "delete", "write"]
}

const key = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,35}$/
const label = /^[a-zA-Z0-9]{1,36}$/
const keyDescription =
  "Parameter must contain at most 36 chars. Valid chars are a-z, A-Z, 0-9, period, hyphen, and underscore. Can't start with a special char"
const labelDescription = "Value must be a valid string between 1 and 36 chars containing only alphanumeric chars"
const verification = ["verified", "unverified"]

interface Shape {
  readonly id: boolean
  readonly dimension: boolean
  readonly options?: ReadonlyArray<string>
}
const roles: { readonly [role: string]: Shape } = {
  any: { id: false, dimension: false },
  guests: { id: false, dimension: false },
  users: { id: false, dimension: true, options: verification },
  user: { id: true, dimension: true, options: verification },
  team: { id: true, dimension: true },
  member: { id: true, dimension: false },
  label: { id: true, dimension: false }
}

const roleProblem = (full: string): string | undefined => {
  const [beforeDimension = "", dimension] = full.split("/")
  const [role = "", id = ""] = beforeDimension.split(":")
  if (full.split("/").length > 2) return "Only one dimension can be provided"
  if (dimension === "") return "Dimension must not be empty"
  const shape = Object.hasOwn(roles, role) ? roles[role] : undefined
  if (shape === undefined) {
    return `Role "${role}" is not allowed. Must be one of: ${Object.keys(roles).join(", ")}.`
  }
  if (!shape.id && id !== "") return `Role "${role}" can not have an ID value.`
  if (shape.id && id === "") return `Role "${role}" must have an ID value.`
  if (shape.id && !(role === "label" ? label : key).test(id)) {
    return `Role "${role}" identifier value is invalid: ${role === "label" ? labelDescription : keyDescription}`
  }
  return dimension === undefined ? undefined : dimensionProblem(role, shape, dimension)
}

const dimensionProblem = (role: string, shape: Shape, dimension: string): string | undefined => {
  if (!shape.dimension) return `Role "${role}" can not have a dimension value.`
  if (shape.options !== undefined && !shape.options.includes(dimension)) {
    return `Role "${role}" dimension value is invalid. Must be one of: ${shape.options.join(", ")}.`
  }
  return key.test(dimension) ? undefined : `Role "${role}" dimension value is invalid: ${keyDescription}`
}

const permissionProblem = (permission: unknown, owner: Owner): string | undefined => {
  if (typeof permission !== "string") return "Every permission must be of type string."
  if (!actions[owner].some((action) => permission.startsWith(action))) {
    return `Permission "${permission}" is not allowed. Must be one of: ${actions[owner].join(", ")}.`
  }
  const [action = "", role, more] = permission.split('("')
  if (role === undefined || more !== undefined) return `Invalid permission string format: "${permission}".`
  if (!actions.collection.includes(action)) return `Invalid permission type: "${action}".`
  return roleProblem(role.replaceAll('")', ""))
}

/** What is wrong with a list, in the server's words. */
export const problem = (value: unknown, owner: Owner): string | undefined => {
  if (!Array.isArray(value)) return "Permissions must be an array of strings."
  if (value.length > Permission.limit) return `You can only provide up to ${Permission.limit} permissions.`
  for (const permission of value) {
    const found = permissionProblem(permission, owner)
    if (found !== undefined) return found
  }
  return undefined
}

/** `write` spelt out, doubles removed. */
export const expand = (permissions: ReadonlyArray<string>, owner: Owner): ReadonlyArray<string> =>
  Result.getOrElse(Permission.normalize(permissions, owner), () => permissions)

const rolesFor = (permissions: ReadonlyArray<string>, action: Action): ReadonlyArray<string> =>
  permissions.flatMap((permission) =>
    permission.startsWith(`${action}("`) ? [permission.slice(action.length + 2, -2)] : []
  )

/** A key may do everything; a guest what `any` and `guests` may. */
export const allows = (caller: Caller, permissions: ReadonlyArray<string>, action: Action): boolean =>
  caller._tag === "Key" || rolesFor(permissions, action).some((role) => guestRoles.includes(role))

/** The refusal that says which role is missing, or undefined. */
export const refusal = (
  caller: Caller,
  permissions: ReadonlyArray<string>,
  action: Action
): ApiFailure.ApiFailure | undefined => {
  if (allows(caller, permissions, action)) return undefined
  const granted = rolesFor(permissions, action)
  const last = granted.at(-1)
  if (last === undefined) return ApiFailure.unauthorized(`No permissions provided for action '${action}'`)
  return ApiFailure.unauthorized(
    `Missing "${action}" permission for role "${last}". Only "${JSON.stringify(guestRoles)}" scopes are allowed and "${JSON.stringify(granted)}" was given.`
  )
}

/** A guest grants only roles that guests have. */
export const grantRefusal = (caller: Caller, permissions: ReadonlyArray<string>): ApiFailure.ApiFailure | undefined => {
  const foreign = permissions.some((permission) => !guestRoles.some((role) => permission.endsWith(`("${role}")`)))
  return caller._tag === "Guest" && foreign
    ? ApiFailure.unauthorized(`Permissions must be one of: (${guestRoles.join(", ")})`)
    : undefined
}
