/** Which fields of a Schema are annotated as `sensitive`. */
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import * as Paths from "./Paths.ts"

type Steps = ReadonlyArray<string | undefined>

const isAnnotated = (ast: SchemaAST.AST): boolean =>
  SchemaAST.resolve(ast)?.["sensitive"] === true || ast.context?.annotations?.["sensitive"] === true

const walk = (ast: SchemaAST.AST, at: Steps, seen: ReadonlySet<SchemaAST.AST>): ReadonlyArray<Steps> => {
  if (isAnnotated(ast)) return [at]
  if (seen.has(ast)) return []
  const inside = new Set([...seen, ast])
  const further = (next: SchemaAST.AST, steps: Steps) => walk(next, steps, inside)
  // What is encoded may be what is annotated.
  const encoded = (ast.encoding ?? []).flatMap(({ to }) => further(to, at))
  return [...encoded, ...children(ast, at, further)]
}
const children = (
  ast: SchemaAST.AST,
  at: Steps,
  further: (next: SchemaAST.AST, steps: Steps) => ReadonlyArray<Steps>
): ReadonlyArray<Steps> => {
  if (SchemaAST.isObjects(ast))
    return [
      ...ast.propertySignatures.flatMap(({ name, type }) => further(type, [...at, String(name)])),
      ...ast.indexSignatures.flatMap(({ type }) => further(type, [...at, undefined]))
    ]
  if (SchemaAST.isArrays(ast)) return [...ast.elements, ...ast.rest].flatMap((one) => further(one, [...at, undefined]))
  if (SchemaAST.isUnion(ast)) return ast.types.flatMap((type) => further(type, at))
  if (SchemaAST.isSuspend(ast)) return further(ast.thunk(), at)
  if (SchemaAST.isDeclaration(ast)) return ast.typeParameters.flatMap((type) => further(type, at))
  return []
}

/** Paths to the sensitive fields, from a value of the schema on. */
export const paths = (schema: Schema.Top): ReadonlyArray<Steps> => walk(schema.ast, [], new Set())

/** The names that sensitive fields have. */
export const names = (schema: Schema.Top): ReadonlyArray<string> =>
  paths(schema).flatMap((steps) => {
    const last = steps.findLast((name) => name !== undefined)
    return last === undefined ? [] : [last]
  })

const known = new WeakMap<object, Paths.Node | null>()

/** The sensitive fields of a value whose class is a schema, as `Schema.Class` and `Schema.TaggedError` are. */
export const ofValue = (value: object): Paths.Node | undefined => {
  const { constructor } = value
  if (typeof constructor !== "function" || constructor === Object) return undefined
  let root = known.get(constructor)
  if (root === undefined) {
    root = null
    if (Schema.isSchema(constructor)) {
      const found = paths(constructor)
      if (found.length > 0) {
        root = Paths.node()
        for (const steps of found) Paths.add(root, steps)
      }
    }
    known.set(constructor, root)
  }
  return root ?? undefined
}
