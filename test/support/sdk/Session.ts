/** Calls of node-appwrite as one caller: a key, a guest, or a user. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { AppwriteException, Client, TablesDB } from "node-appwrite"
import { Caller } from "../../../src/Caller.ts"
import type { DatabasesError } from "../../../src/DatabasesError.ts"
import { Reason } from "../../../src/DatabasesError.ts"

export interface Options {
  readonly endpoint: string
  readonly project: string
  readonly key: string
}

/** What the wire answered instead of a result. Status 0: nothing came, or the SDK did not send it. */
export class WireFailure extends Schema.TaggedError<WireFailure>()("WireFailure", {
  status: Schema.Int,
  type: Schema.String,
  detail: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message() {
    return `${this.status} ${this.type}: ${this.detail}`
  }
}
/** A refusal that is decided here, since the wire has no word for what was asked. */
export class Refused extends Schema.TaggedError<Refused>()("Refused", { reason: Reason }) {
  override get message() {
    return this.reason.message
  }
}
export type Failed = WireFailure | Refused
export type Answer<A> = Effect.Effect<A, Failed>
export const refuse = (reason: DatabasesError["reason"]): Effect.Effect<never, Refused> =>
  Effect.fail(new Refused({ reason }))

/** The SDK's client, with headers that its services do not know. */
class HeaderClient extends Client {
  readonly #extra: Readonly<Record<string, string>>
  constructor(extra: Readonly<Record<string, string>>) {
    super()
    this.#extra = extra
  }
  override call(...[method, url, headers, params, responseType]: Parameters<Client["call"]>): Promise<unknown> {
    return super.call(method, url, { ...headers, ...this.#extra }, params, responseType)
  }
}

const toFailure = (cause: unknown): WireFailure =>
  cause instanceof AppwriteException
    ? new WireFailure({ status: cause.code, type: cause.type, detail: cause.message })
    : new WireFailure({ status: 0, type: "general_unknown", detail: String(cause), cause })

/** No user has signed in at the emulator, so any token stands for one. */
const token = "a.user.token"

export interface Session {
  readonly options: Options
  /** As the caller that `Caller` names. */
  readonly call: <A>(
    run: (tables: TablesDB) => Promise<A>,
    headers?: Readonly<Record<string, string>>
  ) => Effect.Effect<A, WireFailure>
  /** With the key, whoever calls: to look up what a refusal means. */
  readonly asKey: <A>(run: (tables: TablesDB) => Promise<A>) => Effect.Effect<A, WireFailure>
}

export const make = (options: Options): Session => {
  const clientOf = (caller: Caller, headers: Readonly<Record<string, string>>) => {
    const client = new HeaderClient(headers).setEndpoint(options.endpoint).setProject(options.project)
    if (caller._tag === "Key") return client.setKey(options.key)
    return caller.roles.includes("guests") ? client : client.setJWT(token)
  }
  const send = <A>(client: Client, run: (tables: TablesDB) => Promise<A>) =>
    Effect.tryPromise({ try: async () => run(new TablesDB(client)), catch: toFailure })
  return {
    options,
    call: (run, headers = {}) => Effect.flatMap(Caller, (caller) => send(clientOf(caller, headers), run)),
    asKey: (run) => send(clientOf({ _tag: "Key" }, {}), run)
  }
}

/** The fields that are given: the SDK takes no undefined ones. */
export const given = <A extends object>(fields: A): { [K in keyof A]?: Exclude<A[K], undefined> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof A]?: Exclude<A[K], undefined>
  }
