/** Requests that a server has had, and how many of them had to wait for each other. */
import { createServer, type Server } from "node:http"

interface Exchange {
  readonly from: number
  to: number
}

export interface WireCounts {
  /** Makes the server whose requests are counted. */
  readonly open: () => Server
  /**
   * Of the requests since the last time that this was asked: all, and the longest row of them one after the other. Where
   * each takes the server some time, those sent side by side overlap.
   */
  readonly take: () => { readonly requests: number; readonly sequential: number }
}

export const make = (): WireCounts => {
  let exchanges: Array<Exchange> = []
  return {
    open: () =>
      createServer().on("request", (_request, response) => {
        const exchange: Exchange = { from: performance.now(), to: Number.POSITIVE_INFINITY }
        exchanges.push(exchange)
        response.on("close", () => {
          exchange.to = performance.now()
        })
      }),
    take: () => {
      const taken = exchanges.toSorted((left, right) => left.to - right.to)
      exchanges = []
      let end = Number.NEGATIVE_INFINITY
      let sequential = 0
      for (const { from, to } of taken) {
        if (from < end) continue
        sequential++
        end = to
      }
      return { requests: taken.length, sequential }
    }
  }
}
