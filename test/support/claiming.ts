// claiming.ts FILE KEY: what one of several processes does that find a file without keys.
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Idempotency from "../../src/Idempotency.ts"
import * as Embedded from "../../src/layers/databases/Embedded.ts"
import * as Database from "../../src/layers/idempotency/Database.ts"

const [filename = "", own = ""] = process.argv.slice(2)
const say = (line: string) => Effect.sync(() => process.stdout.write(`${line}\n`))

const attempt = (key: string) =>
  Effect.result(Idempotency.attempt(Effect.succeed(own), { operation: "claiming", key, success: Schema.String })).pipe(
    Effect.flatMap((result) =>
      say(
        result._tag === "Success"
          ? `${key} ${result.success.status} ${result.success.value}`
          : `${key} refused ${result.failure._tag}`
      )
    )
  )

const layer = Idempotency.layer().pipe(
  Layer.provide(Database.layer({ secret: Redacted.make("s".repeat(32)) })),
  Layer.provide(Embedded.layer({ filename }))
)

await Effect.runPromise(
  Effect.scoped(
    Effect.gen(function* () {
      const service = yield* Layer.build(layer)
      yield* Effect.provide(Effect.andThen(attempt("shared"), attempt(own)), service)
    })
  )
)
