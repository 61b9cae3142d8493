/** HTTP over a socket, one call at a time, with next to no cost of its own. */
import { once } from "node:events"
import { connect } from "node:net"

export interface Connection {
  /** Sends a request as it stands; answers the status, and the body as one piece. */
  readonly call: (request: string | Buffer) => Promise<{ readonly status: number; readonly body: Buffer }>
  readonly close: () => void
}

export const request = (method: string, path: string, headers: Readonly<Record<string, string>>, body = ""): string => {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  if (body !== "") lines.push(`content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`)
  return `${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${lines.join("")}\r\n${body}`
}

const endOfHead = Buffer.from("\r\n\r\n")

export const open = async (port: number): Promise<Connection> => {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true })
  await once(socket, "connect")
  let pieces: Array<Buffer> = []
  let received = 0
  /** Bytes of the whole answer; 0 until its head is there. */
  let expected = 0
  let bodyFrom = 0
  let status = 0
  let waiting: PromiseWithResolvers<{ readonly status: number; readonly body: Buffer }> | undefined
  let closed = false

  socket.on("data", (piece) => {
    pieces.push(piece)
    received += piece.length
    if (expected === 0) {
      const sofar = pieces.length === 1 ? piece : Buffer.concat(pieces)
      const end = sofar.indexOf(endOfHead)
      if (end < 0) return
      const head = sofar.toString("latin1", 0, end)
      status = Number(head.slice(9, 12))
      const length = /\r\ncontent-length: (\d+)/i.exec(head)
      if (length === null) {
        socket.destroy(new Error(`no Content-Length: ${head}`))
        return
      }
      bodyFrom = end + endOfHead.length
      expected = bodyFrom + Number(length[1])
    }
    if (received < expected) return
    const body = (pieces.length === 1 ? piece : Buffer.concat(pieces)).subarray(bodyFrom)
    pieces = []
    received = 0
    expected = 0
    waiting?.resolve({ status, body })
  })
  socket.on("error", (error) => waiting?.reject(error))
  socket.on("close", () => {
    closed = true
    waiting?.reject(new Error("the connection was closed"))
  })
  return {
    call: (bytes) => {
      if (closed) return Promise.reject(new Error("the connection is closed"))
      waiting = Promise.withResolvers()
      socket.write(bytes)
      return waiting.promise
    },
    close: () => {
      waiting = undefined
      socket.destroy()
    }
  }
}
