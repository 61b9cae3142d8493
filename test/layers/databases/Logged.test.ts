/** What is logged is the same: the whole contract, with a logger and without. */
import * as Layer from "effect/Layer"
import * as Embedded from "../../../src/layers/databases/Embedded.ts"
import * as Logged from "../../../src/layers/databases/Logged.ts"
import * as Capture from "../../../src/layers/logging/Capture.ts"
import * as RequestLogger from "../../../src/RequestLogger.ts"
import { contract } from "../../contract/Databases.ts"

const logged = Logged.layer.pipe(Layer.provide(Embedded.memory))

contract("logged over embedded", logged.pipe(Layer.provideMerge(RequestLogger.layer()), Layer.provide(Capture.layer)))
contract("logged without a logger", logged)
