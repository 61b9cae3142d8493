import * as Memory from "../../../src/layers/backups/Memory.ts"
import { contract } from "../../contract/BackupStorage.ts"

contract("memory", Memory.layer)
