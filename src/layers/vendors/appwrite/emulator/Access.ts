/** Who calls: an API key with its scopes, or a guest; and what they may call. */
import * as ApiFailure from "./ApiFailure.ts"

export interface Key {
  readonly secret: string
  /** Absent: all scopes. */
  readonly scopes?: ReadonlyArray<string> | undefined
}

export type Caller = { readonly _tag: "Key"; readonly scopes: ReadonlySet<string> | "all" } | { readonly _tag: "Guest" }

export interface Options {
  readonly project: string
  readonly keys: ReadonlyArray<Key>
}

/** Scopes that a key has besides its own. */
const everyKey = ["global", "health.read", "graphql"]
const guestScopes: ReadonlySet<string> = new Set([
  "global",
  "public",
  "home",
  "console",
  "graphql",
  "documents.read",
  "documents.write",
  "rows.read",
  "rows.write",
  "files.read",
  "files.write",
  "locale.read",
  "avatars.read",
  "execution.write"
])

/** Roles of a guest in permissions. */
export const guestRoles: ReadonlyArray<string> = ["any", "guests"]

const guest: Caller = { _tag: "Guest" }
/** What is for guests alone. */
const publicScope = "public"
/** What needs no project. */
const anywhere: ReadonlySet<string> = new Set([publicScope, "global"])

const has = (caller: Caller, scope: string): boolean => {
  if (caller._tag === "Guest") return guestScopes.has(scope)
  return caller.scopes === "all" ? scope !== publicScope : caller.scopes.has(scope)
}

const projectMissing = ApiFailure.make(
  403,
  "project_id_missing",
  "When using project API key, make sure to pass x-appwrite-project header with your project ID."
)
const projectUnknown = ApiFailure.make(
  404,
  "project_not_found",
  "Project with the requested ID could not be found. Please check the value of the X-Appwrite-Project header to ensure the correct project ID is being used."
)
const jwtInvalid = ApiFailure.make(401, "user_jwt_invalid", "Failed to verify JWT. Invalid token: Incomplete segments")
const unauthorized = ApiFailure.unauthorized()

export interface Headers {
  readonly [name: string]: string | undefined
}

export interface Access {
  /** The caller that the headers speak of, or the refusal. */
  readonly identify: (headers: Headers) => Caller | ApiFailure.ApiFailure
  /** The refusal, where the caller has none of the scopes. */
  readonly refuse: (
    caller: Caller,
    headers: Headers,
    scopes: ReadonlyArray<string>
  ) => ApiFailure.ApiFailure | undefined
}

/** One project, its keys. There are no users: a session or a JWT is refused. */
export const make = (options: Options): Access => {
  const callers = new Map(
    options.keys.map(({ scopes, secret }): [string, Caller] => [
      secret,
      { _tag: "Key", scopes: scopes === undefined ? "all" : new Set([...everyKey, ...scopes]) }
    ])
  )
  const name = (caller: Caller) =>
    caller._tag === "Guest" ? "User (role: guests)" : `app.${options.project}@service.localhost (role: applications)`
  return {
    identify: (headers) => {
      const project = headers["x-appwrite-project"] ?? ""
      const secret = headers["x-appwrite-key"] ?? ""
      if (project === "") return secret === "" ? guest : projectMissing
      if (project !== options.project) return projectUnknown
      if (secret !== "") return callers.get(secret) ?? unauthorized
      return (headers["x-appwrite-jwt"] ?? "") === "" ? guest : jwtInvalid
    },
    refuse: (caller, headers, scopes) => {
      if (!scopes.some((scope) => has(caller, scope))) {
        const message = `${name(caller)} missing scopes (${JSON.stringify(scopes)})`
        return ApiFailure.make(401, "general_unauthorized_scope", message)
      }
      // Without a project there is nothing but what is public.
      const nowhere = (headers["x-appwrite-project"] ?? "") === "" && !scopes.some((scope) => anywhere.has(scope))
      return nowhere ? projectUnknown : undefined
    }
  }
}
