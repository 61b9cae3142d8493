/** Why a file that users wrote can't be imported, with the remedy where Node's own words have none. */

/** Node takes the file for CommonJS, because its package.json says so. */
const looksLikeCommonJs = (message: string): boolean =>
  message.includes("Cannot use import statement outside a module") || message.includes("Unexpected token 'export'")

const codeOf = (error: unknown): unknown => (error instanceof Error && "code" in error ? error.code : undefined)

/** `node`: the version that it runs on. */
export const whyNot = (error: unknown, node: string): string => {
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  switch (codeOf(error)) {
    case "ERR_UNKNOWN_FILE_EXTENSION":
      return `this Node (${node}) does not strip types: use Node 22.19 or newer, or compile it to .js`
    case "ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING":
      return "Node strips no types inside node_modules: keep it outside, or compile it to .js"
    case "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX":
      return `Node only strips types, and this needs more (an enum, a namespace, a parameter property): ${message}`
    default:
      return looksLikeCommonJs(message)
        ? `Node takes it for CommonJS. Write "type": "module" into its package.json (${message})`
        : message
  }
}
