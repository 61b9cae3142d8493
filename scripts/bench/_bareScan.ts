/** `_bareScan.ts ID FILE`: the floor of the bench of the viewer, which reads a file and looks for an id in its bytes. */
import { closeSync, openSync, readSync } from "node:fs"

const [id = "", file = ""] = process.argv.slice(2)
const buffer = Buffer.allocUnsafe(1024 * 1024)
const handle = openSync(file, "r")
let hits = 0
for (let bytes = readSync(handle, buffer); bytes > 0; bytes = readSync(handle, buffer))
  if (buffer.subarray(0, bytes).includes(id)) hits++
closeSync(handle)
console.log(hits)
