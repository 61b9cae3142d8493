/**
 * Traces, logs and metrics to an OpenTelemetry collector, beside the lines of JSON, which stay the record: a collector
 * that is away loses none of them. Nothing of it is loaded where no collector is configured.
 *
 *   RequestLogger.layer().pipe(Layer.provideMerge(Otlp.layerConfig()), Layer.provide(JsonLines.layer()))
 *
 * Source: OpenTelemetry Protocol 1.5 over HTTP; "OpenTelemetry Environment Variable Specification".
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { SinkInvalid } from "../../LogSink.ts"
import type { Options } from "./otlp/Exporters.ts"
import { optional } from "../../internal/Settings.ts"
import * as Layer from "effect/Layer"

export type { Options }

/** Loads the exporters, and starts them. */
export const layer = (options: Options & { readonly endpoint: string }): Layer.Layer<never, SinkInvalid> =>
  /^https?:$/.test(URL.parse(options.endpoint)?.protocol ?? "")
    ? Layer.unwrap(
        Effect.map(
          Effect.promise(() => import("./otlp/Exporters.ts")),
          (exporters) => exporters.layer(options)
        )
      )
    : Layer.effectDiscard(
        Effect.fail(
          new SinkInvalid({
            sink: options.endpoint,
            detail: "it is no address of a collector, as http://localhost:4318"
          })
        )
      )

/** `key=value,other=value`, values percent-encoded. */
const headersOf = (text: Redacted.Redacted | undefined): Readonly<Record<string, Redacted.Redacted>> | undefined => {
  if (text === undefined) return undefined
  const pairs = Redacted.value(text)
    .split(",")
    .map((pair) => pair.split("="))
    .filter(([name, ...value]) => name !== "" && value.length > 0)
  return Object.fromEntries(
    pairs.map(([name, ...value]) => [name!.trim(), Redacted.make(decoded(value.join("=").trim()))])
  )
}
const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** The environment variable of each option. */
export const settings = {
  endpoint: optional(Config.String("OTEL_EXPORTER_OTLP_ENDPOINT")),
  headers: Config.map(optional(Config.Redacted("OTEL_EXPORTER_OTLP_HEADERS")), headersOf),
  service: optional(Config.String("OTEL_SERVICE_NAME")),
  interval: optional(Config.Duration("HOLDFAST_OTLP_INTERVAL")),
  shutdownTimeout: optional(Config.Duration("HOLDFAST_OTLP_SHUTDOWN_TIMEOUT"))
} satisfies { readonly [K in keyof Required<Options>]: Config.Config<Options[K]> }

/** From the environment; what is given here goes first. Empty where there is no endpoint, or `OTEL_SDK_DISABLED` is true. */
export const layerConfig = (options: Options = {}): Layer.Layer<never, Config.ConfigError | SinkInvalid> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const disabled = yield* Config.withDefault(Config.Boolean("OTEL_SDK_DISABLED"), false)
      const found = { ...(yield* Config.all(settings)), ...options }
      const { endpoint } = found
      return disabled || endpoint === undefined || endpoint === "" ? Layer.empty : layer({ ...found, endpoint })
    })
  )
