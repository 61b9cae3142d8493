/**
 * Permissions as Appwrite writes them: `read("any")`, `update("user:ada")`, on a collection or a document.
 *
 * A migration reads and writes with an API key, which needs none; they are kept, compared and restored.
 */
import * as Result from "effect/Result"

/** For whom a list of permissions is: a collection grants `create` too, a document does not. */
export type Owner = "collection" | "document"

const shape = /^(create|read|update|delete|write)\("([^"]*)"\)$/
const id = "[A-Za-z0-9][A-Za-z0-9._-]{0,35}"
const role = new RegExp(
  `^(?:any|guests|users(?:/(?:verified|unverified))?|user:${id}(?:/(?:verified|unverified))?|` +
    `team:${id}(?:/[A-Za-z0-9._-]{1,36})?|member:${id}|label:[A-Za-z0-9]{1,36})$`
)

/** Most permissions that a collection or a document may have. */
export const limit = 100

/**
 * The list as the server keeps it: `write` spelt out (create on collections, update, delete), doubles removed.
 * Or a sentence that names the bad one.
 */
export const normalize = (
  permissions: ReadonlyArray<string>,
  owner: Owner
): Result.Result<ReadonlyArray<string>, string> => {
  if (permissions.length > limit) return Result.fail(`at most ${limit} permissions, got ${permissions.length}`)
  const kept = new Set<string>()
  for (const permission of permissions) {
    const [, action, target] = shape.exec(permission) ?? []
    if (action === undefined || target === undefined || !role.test(target)) {
      return Result.fail(
        `${JSON.stringify(permission)} is no permission: write it like read("any") or update("user:ID")`
      )
    }
    if (action === "create" && owner === "document") {
      return Result.fail(`${permission} makes no sense on a document: grant create on its collection`)
    }
    const actions = action === "write" ? ["create", "update", "delete"] : [action]
    for (const one of actions) if (one !== "create" || owner === "collection") kept.add(`${one}("${target}")`)
  }
  return Result.succeed([...kept])
}
