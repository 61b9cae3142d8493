/**
 * What never stands in a log line, as rows: the form of a secret, what takes its place, and texts that must and must
 * not match. The tests read the rows. A new pattern is a row here.
 *
 * Rules work on text wherever it stands: messages, keys, nested values, URLs, errors. Names of fields that are secret
 * whatever they hold are in `internal/logging/FieldNames.ts`.
 */
import type * as Schema from "effect/Schema"
import { isAssigned } from "./internal/logging/Assigned.ts"
import { cardNumbers, mod97 } from "./internal/logging/Checksums.ts"
import type { Feature } from "./internal/logging/Features.ts"
import { isRandom } from "./internal/logging/Entropy.ts"
import { isPublicAddress, shortenAddress } from "./internal/logging/Addresses.ts"

declare module "effect/Schema" {
  namespace Annotations {
    interface Annotations {
      /** No log line shows a field of this schema. */
      readonly sensitive?: boolean | undefined
    }
  }
}

export interface Rule {
  /** Stands in the mark that takes the secret's place: `[redacted:jwt]`. */
  readonly name: string
  /** What every text that matches has: where it is missing, no time is spent. By itself nothing. */
  readonly needs?: ReadonlyArray<Feature> | undefined
  /** All its matches count. Where it has a group whose name begins with `keep`, that stays in front of the mark. */
  readonly pattern: RegExp
  /** Whether a match is one; by itself every match is. */
  readonly accepts?: ((match: string) => boolean) | undefined
  /** Which parts of a match are secrets, by where they begin and end; by itself the whole of it. */
  readonly parts?: ((match: string) => ReadonlyArray<readonly [begin: number, end: number]>) | undefined
  /** What takes its place: `mark` by default, `hash` for what must stay comparable, `shorten` for addresses. */
  readonly replacement?: "mark" | "hash" | "shorten" | undefined
  readonly matches: ReadonlyArray<string>
  readonly ignores: ReadonlyArray<string>
}

/** Texts of examples in halves, so that this file is no secret to those who look for such. */
const join = (...parts: ReadonlyArray<string>): string => parts.join("")

const hex = "0123456789abcdef"
const mixed = "aZ3kQ9xW7mN2bV5cR8tY1uP4"

/** What vendors begin their keys with. */
const vendors = [
  "(?:AKIA|ASIA|AGPA|AIDA|AROA|ANPA|ABIA|ACCA)[A-Z0-9]{12,}",
  "gh[oprsu]_[A-Za-z0-9]{16,}",
  "github_pat_[A-Za-z0-9_]{16,}",
  "gl(?:pat|dt|rt|cbt|ptt|ft|oas|soat|agent|imt)-[\\w-]{16,}",
  "xox[abceoprs]-[A-Za-z0-9-]{8,}",
  "xapp-[A-Za-z0-9-]{8,}",
  "(?:sk|rk|pk)[_-](?:live|test|prod|ant|proj|svcacct|admin|or)[_-][\\w-]{8,}",
  "sk-[A-Za-z0-9]{16,}",
  "whsec_[\\w+/=-]{16,}",
  "AIza[\\w-]{30,}",
  "ya29\\.[\\w.-]{16,}",
  "GOCSPX-[\\w-]{16,}",
  "npm_[A-Za-z0-9]{30,}",
  "SG\\.[\\w-]{16,}\\.[\\w-]{16,}",
  "(?:AC|SK)[0-9a-f]{32}",
  "(?:standard|dynamic|account|ephemeral|organization)_[0-9a-f]{32,}",
  "do[opr]_v1_[0-9a-f]{32,}",
  "shp(?:at|ss|ca|pa)_[0-9a-fA-F]{16,}",
  "key-[0-9a-f]{32}",
  "hv[sbr]\\.[\\w-]{16,}",
  "pypi-[\\w-]{16,}",
  "(?:dckr_pat|dp\\.pt|lin_api|ntn|secret|figd|sntrys|glsa|rubygems|hf|r8|pscale_tkn|pul|sl\\.|EAA|sq0[a-z]{3})[_.-][\\w-]{24,}",
  "sbp_[0-9a-f]{32,}",
  "NRAK-[A-Z0-9]{20,}",
  "HRKU-[0-9a-fA-F-]{30,}",
  "v1\\.0-[0-9a-f]{16,}-[0-9a-f]{32,}",
  "AGE-SECRET-KEY-1[A-Z0-9]{20,}",
  "access_token\\$[a-z]+\\$[^\\s\"'&;]+",
  "(?:bot)?\\d{8,10}:AA[\\w-]{30,}",
  "[MNO][A-Za-z0-9_-]{22,}\\.[\\w-]{6}\\.[\\w-]{25,}"
]

export const rules = [
  {
    name: "private-key",
    needs: ["rule"],
    pattern:
      /-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|$)/g,
    matches: [
      join("-----BEGIN ", "PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END ", "PRIVATE KEY-----"),
      join("-----BEGIN RSA ", "PRIVATE KEY-----\\nMIIE")
    ],
    ignores: ["-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", "-----BEGIN PUBLIC KEY-----"]
  },
  {
    name: "jwt",
    needs: ["word", "dot", "letterJ"],
    pattern: /(?<![\w-])e(?:yJ|wo)[\w-]{5,}(?:\.[\w-]*){1,4}/g,
    matches: [
      join("eyJhbGciOiJIUzI1NiJ9", ".eyJzdWIiOiIxIn0", ".dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"),
      join("eyJhbGciOiJub25lIn0", ".eyJzdWIiOiIxIn0", ".")
    ],
    ignores: ["eyJ", "keyJar.get", "eyewitness.report"]
  },
  {
    name: "url-credentials",
    needs: ["at", "sign"],
    // A password may hold anything where it is no web address, whose path may hold an @ as well.
    pattern:
      /(?<keep>\bhttps?:\/\/)[^\s/?#"'<>]{1,256}@(?=[^\s@/?#]|$)|(?<keep2>\b(?!https?:)[a-z][a-z0-9+.-]{0,31}:\/\/)[^\s"'<>]{0,384}@(?=[\w.[/-])/gi,
    accepts: (match) => !match.endsWith("://git@"),
    matches: [
      "postgres://ada:hunter2@db.example:5432/app",
      "redis://:hunter2@cache:6379",
      "https://t0ken@git.example/x"
    ],
    ignores: ["https://example.com/@ada", "https://example.com/?to=a:b", "mailto:", "ssh://git@host/x"]
  },
  {
    name: "authorization",
    needs: ["space", "word", "figure"],
    pattern: /(?<keep>\b(?:bearer|basic|apikey|negotiate)[ \t]+)(?:[\w.~+/=:-]{6,}(?:,[ \t]*)?)+/gi,
    accepts: (match) => {
      const value = match.slice(match.search(/[ \t]/)).trim()
      return /\d/.test(value) || value.length >= 24 || (/[a-z][A-Z]/.test(value) && value.endsWith("="))
    },
    matches: [join("Bearer ", "abc123def456"), join("Basic ", "YWRhOmh1bnRlcjI="), join("Bearer ", mixed)],
    ignores: ["bearer token", "Basic authentication", "basic understanding of it", "Bot commands"]
  },
  {
    name: "webhook",
    needs: ["token"],
    pattern:
      /(?<keep>https:\/\/(?:hooks\.slack\.com\/(?:services|workflows|triggers)|(?:\w+\.)?discord(?:app)?\.com\/api\/webhooks|\w+\.webhook\.office\.com)\/)[^\s"'<>]+|(?<keep2>\/services\/)T[A-Z0-9]{5,}\/B[A-Z0-9]{5,}\/[^\s"'<>?#]+|(?<keep3>\/api\/(?:v\d+\/)?webhooks\/)\d{5,}\/[\w-]+/gi,
    matches: [
      join("https://hooks.slack.com/", "services/T0AAAA/B0AAAA/XXXXXXXX"),
      join("/services/", "T02ABCDEFGH/B06ABCDEFGH/KJhskdf"),
      join("/api/webhooks/", "123456789012345678/aBcDeF-gh")
    ],
    ignores: ["https://hooks.slack.com/", "https://slack.com/services/", "/services/Teams/Berlin/list"]
  },
  {
    name: "key",
    needs: ["longWord"],
    pattern: new RegExp(`(?<![A-Za-z0-9])(?:${vendors.join("|")})`, "g"),
    matches: [
      join("AKIA", "IOSFODNN7EXAMPLE"),
      join("ghp_", mixed, mixed.slice(0, 12)),
      join("xoxb-", "123456789012-1234567890123-AbCdEfGhIjKl"),
      join("sk_live_", mixed),
      join("sk-ant-", "api03-", mixed),
      join("AIza", "SyA-", mixed, mixed.slice(0, 10)),
      join("standard_", hex, hex, hex, hex),
      join("SG.", mixed, ".", mixed)
    ],
    ignores: ["sk-learn", "sketch_live", "npm_config_registry", "AKIAMI beach", "ghp_", "standard_deviation"]
  },
  {
    name: "header",
    needs: ["sign"],
    // The rest of the line; of what is quoted, a list, or one of many on a line, only that.
    pattern:
      /(?<keep>(?<![\w-])(?:(?:proxy-)?authorization|(?:set-)?cookie|x-(?!cache|idempotency|rate-?limit|partition|sort|surrogate)[\w-]{0,32}(?:key|token|secret|auth|jwt|session))\\?["']?[ \t]*[:=][ \t]*)(?:\\"(?:[^"\\]|\\\\.){0,4096}\\"|"(?:[^"\\]|\\.){0,4096}"?|'(?:[^'\\]|\\.){0,4096}'?|\[[^\]\r\n]{0,4096}\]?|(?<=["'][ \t]*[:=][ \t]*)[^\s,}\]"']+|(?<==[ \t]*)[^\s"']+|[^\r\n]{1,4096})/gi,
    accepts: isAssigned,
    matches: [
      "x-appwrite-key: hunter2",
      "Cookie: sid=abc; b=c",
      "Authorization: Basic YTpi",
      '{"authorization":"hunter2"}'
    ],
    ignores: [
      "the authorization of users",
      "authorization: string",
      "cookies: many",
      "Authorization: missing",
      "x-cache-key: home",
      '{"authorization":null,"x":1}',
      "authorization=false method=GET path=/users"
    ]
  },
  {
    name: "environment",
    needs: ["sign", "capital"],
    pattern:
      /(?<keep>(?<![A-Za-z0-9_])(?:[A-Z][A-Z0-9_]{0,40})?(?:PASSWORD|PASSWD|SECRET|TOKEN|(?<![A-Z0-9])(?:PASS|DSN|CREDENTIALS)|(?<!(?:PRIMARY|SORT|CACHE|PARTITION|FOREIGN|PUBLIC|UNIQUE)_)(?<=_)KEY)(?:_(?:BASE|\d{1,2}|PROD|PRODUCTION|STAGING|DEV|TEST|LIVE|OLD|NEW|PREVIOUS))?=)(?:"[^"\n]*"?|'[^'\n]*'?|[^\s"']+)/g,
    accepts: (match) => isAssigned(match) && !/=\d{1,4}$/.test(match),
    matches: ["STRIPE_KEY=hunter2", "PGPASSWORD=hunter2 psql", 'SECRET_KEY_BASE="a b"', "SENTRY_DSN=https://x"],
    ignores: [
      "MONKEY=1x",
      "KEYS=many",
      "API_KEY=$KEY",
      "API_KEY=<your>",
      "PWD=/app",
      "SORT_KEY=id",
      "TOKEN_TTL=60",
      "PASS=12 FAIL=3"
    ]
  },
  {
    name: "command",
    needs: ["dash", "space"],
    pattern:
      /(?<keep>(?<![\w-])--[\w-]{0,24}(?:password|passphrase|passwd|secret|token|api-?key|access-?key)[ =]+)(?:"[^"\n]*"?|'[^'\n]*'?|[^\s"']+)|(?<keep2>(?:\s-u|--user)[ =])["']?[^\s:"'-][^\s:"']{0,128}:[^\s"']+["']?/gi,
    accepts: (match) => {
      const [, name = "", value = ""] = /^(?:\s-u|--user)[ =]["']?([^:]*):([^"']*)/.exec(match) ?? []
      // As of docker: a user and its group.
      if (name !== "") return !/^\d+$/.test(value) && name !== value
      return /--[\w-]+=/.test(match) ? isAssigned(match) : /["'\d]/.test(match.slice(match.lastIndexOf(" ")))
    },
    matches: ["mysql --password hunter2", "curl -u ada:hunter2 http://x", "curl -u 'ada:hunter2' x"],
    ignores: [
      "use --token <token>",
      "--password $PASSWORD",
      "run -u root",
      "docker run --user 1000:1000",
      "use --password to set one"
    ]
  },
  {
    name: "assignment",
    needs: ["sign"],
    pattern: new RegExp(
      `(?<keep>(?:pass(?:word|wd|phrase|code)|secret|(?<!(?:page|next|continuation|cursor|sync)_?)token|api[_-]?key|access[_-]?key|account[_-]?key|private[_-]?key|secret[_-]?key|(?:encryption|signing|master|session|hmac|shared)[_-]?key|session[_-]?id|credential|signature|phpsessid|connect\\.sid|(?<![A-Za-z])(?:x-amz-(?:signature|credential|security-token)|pass|auth|jwt|sid|session|pwd|sig|otp|cvv|cvc|pin))s?(?:[_-]?(?:hash|value|confirm(?:ation)?|\\d{1,3}))?\\\\?["']?[ \\t]{0,4}(?:=(?![=>])|:)[ \\t]{0,4})(?:\\\\"(?:[^"\\\\]|\\\\\\\\.){0,1024}\\\\"|"(?:[^"\\\\]|\\\\.){0,1024}"?|'(?:[^'\\\\]|\\\\.){0,1024}'?|(?:[^\\s"'&<>,;}\\]]|[,;](?![\\w-]*["']?[=:]|\\s|$|["'{[])){1,512})`,
      "gi"
    ),
    accepts: isAssigned,
    matches: [
      "password=hunter2",
      '{"password":"hunter2"}',
      "dbPassword=hunter2",
      "https://example.com/?access_key=abc&x=1",
      "token: 9f8e7d",
      '{\\"secret\\":\\"swordfish\\"}',
      '{"accessToken":"opaque-value-1"}',
      '{"password": "correct horse battery"}',
      '{"password":"hun\\"ter2secret"}',
      "password=$ecret123",
      "password = hunter2",
      "{ password: 'swordfish' }",
      "authToken: abc123",
      "pass=hunter2",
      '{"jwt":"hunter2"}',
      '{"password":1234,"x":1}',
      "password=hun,ter2"
    ],
    ignores: [
      "password: string",
      "the secret is out",
      "token=",
      "tokens: many",
      "password = required",
      "token: ${token}",
      "password=true",
      "if (token == null)",
      "(token) => token",
      "passwords: they",
      '{"prompt_tokens":1234,"completion_tokens":567}',
      "max_tokens=4096",
      "where token=? and session_id=$1",
      "nextPageToken=abc123",
      "signature: RS256",
      "sig=SIGTERM",
      "pwd=/home/ada"
    ]
  },
  {
    name: "card",
    needs: ["manyDigits"],
    pattern: /(?<!\d)\d(?:[ \t\n\u00a0._/\u2013-]{0,2}\d){12,60}(?!\d)/g,
    parts: cardNumbers,
    matches: [
      "4111111111111111",
      "4111 1111 1111 1111",
      "5500-0000-0000-0004",
      "378282246310005",
      "20111 4111 1111 1111 1111 17"
    ],
    ignores: [
      "4111111111111112",
      "1700000000000",
      "2024-01-15 10:30:45",
      "1234567890123456",
      "3.141592653589793",
      "4.111111111111111"
    ]
  },
  {
    name: "iban",
    needs: ["digits"],
    pattern:
      /\b(?:[A-Z]{2}\d{2}[A-Z0-9]{11,30}|[A-Za-z]{2}\d{2}(?:[ -][A-Za-z0-9]{4}){2,7}(?:[ -][A-Za-z0-9]{1,3})?)\b/g,
    accepts: (match) => {
      const packed = match.replaceAll(/[ -]/g, "").toUpperCase()
      return packed.length >= 15 && packed.length <= 34 && mod97(packed)
    },
    matches: ["DE89370400440532013000", "GB82 WEST 1234 5698 7654 32", "de89-3704-0044-0532-0130-00"],
    ignores: ["DE89370400440532013001", "AB12 CDEF GHIJ KLMN", "ES2022 MODULES"]
  },
  {
    name: "email",
    needs: ["at"],
    accepts: (match) => !/\.(?:png|jpe?g|svg|gif|webp|js|ts|css|map)$/i.test(match),
    pattern:
      /(?:[\p{L}\p{N}!#$%'*+^_`{|}~.-]{1,64}|"[^"\n]{1,62}")@(?:[\p{L}\p{N}](?:[\p{L}\p{N}_-]{0,61}[\p{L}\p{N}])?\.)+(?:\p{L}{2,63}|xn--[a-z0-9-]{2,59})(?![\p{L}\p{N}])/gu,
    replacement: "hash",
    matches: ["ada@example.com", "Ada.Lovelace+x@mail.example.co.uk", "jörg@exämple.de", '"ada lovelace"@example.com'],
    ignores: ["@effect/vitest", "effect@4.1.0", "user@localhost", "a @ b.com", "icon@2x.png"]
  },
  {
    name: "address",
    needs: ["groups", "digit"],
    pattern:
      /(?<![\w.-])\d{1,3}(?:\.\d{1,3}){3}(?!\.?\d|[\w-])|(?<![\w.:-])(?=[0-9a-f:]*:[0-9a-f]{0,4}:)[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?!\w|[.:]\w)/gi,
    accepts: isPublicAddress,
    replacement: "shorten",
    matches: ["203.0.113.42", "2001:db8:abcd:12::1", "http://203.0.113.42/x", "203.0.113.42.", "::ffff:203.0.113.7"],
    ignores: ["127.0.0.1", "10.1.2.3", "192.168.0.7", "::1", "1.2.3", "10:30:45", "999.1.1.1", "fe80::1"]
  },
  {
    name: "random",
    needs: ["drawn"],
    pattern: /(?<![\w+/=.-])[\w+/-]{20,}={0,2}|[\w+/-]{32,}={0,2}/g,
    accepts: isRandom,
    matches: [
      join("wJalrXUtnFEMI/K7MDENG/", "bPxRfiCYEXAMPLEKEY"),
      join("9f86d081884c7d65", "9a2feaa0c55ad015"),
      join(mixed, mixed),
      join(hex, hex, hex, hex)
    ],
    ignores: [
      "123e4567-e89b-12d3-a456-426614174000",
      "/api/functions/create-recognition",
      "getElementsByTagNameNS",
      "a-very-long-kebab-case-name-of-a-package-2024",
      "src/internal/logging/Serializer.ts",
      "create_recognition_with_evidence_weights_v2",
      "file:///srv/app7/src/RequestLogger.ts:128:22",
      "/home/ada/MyProject2/node_modules/@scope/Pkg/dist/index.js",
      "s3://my-bucket/path/To/File_V2-final.tar.gz",
      "handleUserLoginV2RequestFromIOS17Device"
    ]
  }
] as const satisfies ReadonlyArray<Rule>

/** Names of the rules. */
export type RuleName = (typeof rules)[number]["name"]

export { shortenAddress }

/** What is hidden, beyond and below the rules. */
export interface Options {
  /**
   * Fields to hide by their path, as pino takes them: `user.password`, `headers["x-token"]`, `items[*].price`,
   * `*.secret`. From the data of a line, or from the line itself. Default none.
   */
  readonly paths?: ReadonlyArray<string> | undefined
  /** Names of fields to hide wherever they stand, beyond those that are hidden anyway. Default none. */
  readonly names?: ReadonlyArray<string> | undefined
  /** Fields that these schemas annotate as `sensitive` are hidden by their names, wherever they stand. Default none. */
  readonly schemas?: ReadonlyArray<Schema.Top> | undefined
  /** Look for secrets in texts by the rules. Fields are hidden by their names all the same. Default true. */
  readonly patterns?: boolean | undefined
  /** Rules that don't apply. Default none. */
  readonly disabled?: ReadonlyArray<RuleName> | undefined
  /** Rules of your own. Default none. */
  readonly rules?: ReadonlyArray<Omit<Rule, "matches" | "ignores">> | undefined
  /** Client addresses: `short` (/24 and /48), `full`, or `none`. Default `short`. */
  readonly ip?: "short" | "full" | "none" | undefined
  /** Headers of requests that are logged, in lower case. Default `defaultHeaders`. */
  readonly headers?: ReadonlyArray<string> | undefined
}

/** Headers that say nothing of a person. */
export const defaultHeaders: ReadonlyArray<string> = [
  "accept",
  "accept-encoding",
  "accept-language",
  "content-encoding",
  "content-length",
  "content-type",
  "host",
  "user-agent",
  "x-appwrite-trigger",
  "x-appwrite-event",
  "x-appwrite-country-code",
  "x-appwrite-continent-code",
  "x-appwrite-continent-eu"
]
