/**
 * Programs log where they are told to: `HOLDFAST_LOG_TO`, a file, `stdout` or `stderr`. Standard output is for people
 * otherwise, so that by itself nothing is logged.
 */
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Logged from "../layers/databases/Logged.ts"
import * as JsonLines from "../layers/logging/JsonLines.ts"
import * as Otlp from "../layers/logging/Otlp.ts"
import * as RequestLogger from "../RequestLogger.ts"
import { Databases } from "../Databases.ts"
import { InvalidSetting } from "./settings.ts"

const wanted = Config.option(Config.String("HOLDFAST_LOG_TO"))

/** The request logger of the settings; nothing where they name no place for lines. */
const layer: Layer.Layer<never, InvalidSetting> = Layer.unwrap(
  Effect.map(wanted, (to): Layer.Layer<never, InvalidSetting> => {
    if (Option.isNone(to) || to.value === "") return Layer.empty
    const logger = RequestLogger.layerConfig().pipe(
      Layer.provide(Otlp.layerConfig()),
      Layer.provide(JsonLines.layerConfig())
    )
    return Layer.catch(logger, ({ message }) =>
      Layer.effectDiscard(Effect.fail(new InvalidSetting({ setting: "HOLDFAST_LOG_*", detail: message })))
    )
  })
).pipe(
  Layer.catchTag("ConfigError", ({ message }) =>
    Layer.effectDiscard(Effect.fail(new InvalidSetting({ setting: "HOLDFAST_LOG_TO", detail: message })))
  )
)

/**
 * Runs a program's work as a trace of its own, or as part of the one that `TRACEPARENT` names: its operations are lines
 * of it, where lines are wanted.
 */
export const traced = <A extends { readonly code: number }, E, R>(
  name: string,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E | InvalidSetting, R> =>
  Effect.gen(function* () {
    const logger = yield* Effect.serviceOption(RequestLogger.RequestLogger)
    if (Option.isNone(logger)) return yield* effect
    const inherited = yield* Effect.orElseSucceed(
      Config.all({
        traceparent: Config.withDefault(Config.String("TRACEPARENT"), undefined as string | undefined),
        tracestate: Config.withDefault(Config.String("TRACESTATE"), undefined as string | undefined)
      }),
      () => ({})
    )
    const task = Effect.updateContext(effect, (context: Context.Context<R>) => {
      const databases = Context.getOrUndefined(context as Context.Context<Databases>, Databases)
      return databases === undefined ? context : Context.add(context, Databases, Logged.logged(databases))
    })
    return yield* Effect.provideService(
      RequestLogger.withTask(task, { name, inherited, failed: ({ code }) => code !== 0 }),
      RequestLogger.RequestLogger,
      logger.value
    )
  }).pipe(Effect.provide(layer))
