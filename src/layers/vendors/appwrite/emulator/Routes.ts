/**
 * Routes are data; a tree finds the one of a path in as many steps as the path has segments.
 *
 * A segment that is spelt out wins over a parameter.
 */
import type { Handler } from "./Call.ts"

export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE"
  /** Below `/v1`; segments that begin with a colon are parameters: `/storage/buckets/:bucketId`. */
  readonly path: string
  /** One of them is enough. `public` is for guests alone. */
  readonly scope: string | ReadonlyArray<string>
  /** Calls a minute, as the rate limit's headers say; nobody counts them. Absent: no headers. */
  readonly rateLimit?: number | undefined
  readonly handler: Handler
}

/** A route, ready for use. */
export interface Endpoint {
  readonly scopes: ReadonlyArray<string>
  readonly rateLimit: number | undefined
  readonly handler: Handler
  /** Names of the parameters, in the order of the path. */
  readonly names: ReadonlyArray<string>
}
export interface Match {
  readonly endpoint: Endpoint
  readonly path: Readonly<Record<string, string>>
}

interface Node {
  readonly literals: Map<string, Node>
  parameter: Node | undefined
  readonly endpoints: Map<string, Endpoint>
}
const node = (): Node => ({ literals: new Map(), parameter: undefined, endpoints: new Map() })

const add = (root: Node, route: Route): void => {
  const names: Array<string> = []
  let place = root
  for (const segment of route.path.slice(1).split("/")) {
    if (segment.startsWith(":")) {
      names.push(segment.slice(1))
      place = place.parameter ??= node()
    } else {
      const next = place.literals.get(segment) ?? node()
      place.literals.set(segment, next)
      place = next
    }
  }
  if (place.endpoints.has(route.method)) throw new Error(`two routes for ${route.method} ${route.path}`)
  place.endpoints.set(route.method, {
    scopes: typeof route.scope === "string" ? [route.scope] : route.scope,
    rateLimit: route.rateLimit,
    handler: route.handler,
    names
  })
}

const walk = (
  place: Node,
  segments: ReadonlyArray<string>,
  index: number,
  method: string,
  values: Array<string>
): Endpoint | undefined => {
  const segment = segments[index]
  if (segment === undefined) return place.endpoints.get(method)
  const literal = place.literals.get(segment)
  const found = literal === undefined ? undefined : walk(literal, segments, index + 1, method, values)
  if (found !== undefined || place.parameter === undefined) return found
  values.push(segment)
  const below = walk(place.parameter, segments, index + 1, method, values)
  if (below === undefined) values.pop()
  return below
}

const decode = (segment: string): string => {
  if (!segment.includes("%")) return segment
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

const base = "/v1/"

/** The route of a method and a path (without its query). HEAD is answered by GET. */
export const compile = (routes: ReadonlyArray<Route>): ((method: string, path: string) => Match | undefined) => {
  const root = node()
  for (const route of routes) add(root, route)
  return (method, path) => {
    if (!path.startsWith(base)) return undefined
    const values: Array<string> = []
    const segments = path.slice(base.length).split("/")
    const endpoint = walk(root, segments, 0, method === "HEAD" ? "GET" : method, values)
    if (endpoint === undefined) return undefined
    const parameters: Record<string, string> = {}
    for (const [index, name] of endpoint.names.entries()) parameters[name] = decode(values[index] ?? "")
    return { endpoint, path: parameters }
  }
}
