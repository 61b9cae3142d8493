/**
 * An HTML page that stands by itself: it asks no network for anything, and runs no script but its own, whose hash its
 * policy names. What comes out of a log is text, wherever it stands.
 */
import { createHash } from "node:crypto"
import { script } from "./PageScript.ts"
import { style } from "./PageStyle.ts"
import { visible } from "./Text.ts"

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;"
}

/** Text in an element or in a quoted attribute. Control characters and marks of direction come as escapes. */
export const escape = (text: string): string =>
  visible(text).replaceAll(/[&<>"']/g, (character) => entities[character]!)

/** JSON in a script element: nothing in it can end the element or begin another. */
export const embedded = (value: unknown): string =>
  JSON.stringify(value).replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
  )

const source = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`

export interface Content {
  /** Plain text. */
  readonly title: string
  /** Plain text, a paragraph each. */
  readonly lines: ReadonlyArray<string>
  /** HTML. */
  readonly body: string
  /** What the script shows on demand. */
  readonly data: unknown
}

export const page = ({ body, data, lines, title }: Content): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src ${source(style)}; script-src ${source(script)}; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>${escape(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${escape(title)}</h1>
${lines.map((line) => `<p>${escape(line)}</p>`).join("\n")}
${body}
<p id="said" role="status" class="unseen"></p>
</main>
<script type="application/json" id="data">${embedded(data)}</script>
<script>${script}</script>
</body>
</html>
`
