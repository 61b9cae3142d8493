/** What can go wrong with an operation on a database: one error, with a tagged reason. */
import * as Schema from "effect/Schema"

/** What an operation speaks of. */
export const Resource = Schema.Literals(["database", "collection", "attribute", "index", "document", "transaction"])
export type Resource = typeof Resource.Type

const type = { /** Appwrite's own name for the error. */ type: Schema.String }

/** It is not there. */
export class NotFound extends Schema.TaggedError<NotFound>()("NotFound", {
  ...type,
  resource: Resource,
  id: Schema.String
}) {
  override get message() {
    return `there is no ${this.resource} ${JSON.stringify(this.id)}. Check the id, or create it first`
  }
}
/** An id or key is taken. Ids and keys compare without case. */
export class AlreadyExists extends Schema.TaggedError<AlreadyExists>()("AlreadyExists", {
  ...type,
  resource: Resource,
  id: Schema.String
}) {
  override get message() {
    return `${this.resource} ${JSON.stringify(this.id)} exists already (ids and keys compare without case). Choose another, or update that one`
  }
}
/** Another document has the same values under a unique index. */
export class UniqueConflict extends Schema.TaggedError<UniqueConflict>()("UniqueConflict", {
  ...type,
  index: Schema.String,
  id: Schema.String
}) {
  override get message() {
    return `document ${JSON.stringify(this.id)} has values that another document holds under the unique index ${JSON.stringify(this.index)} (compared without case, accents and trailing spaces). Change the values, or the other document`
  }
}
/** A unique index can't be made over documents that break it. */
export class DuplicateValues extends Schema.TaggedError<DuplicateValues>()("DuplicateValues", {
  ...type,
  index: Schema.String,
  /** Documents that share their values, some of them. */
  documents: Schema.Array(Schema.String)
}) {
  override get message() {
    return `the unique index ${JSON.stringify(this.index)} can't be made: documents ${this.documents.join(", ")} hold the same values (compared without case, accents and trailing spaces). Make them different, then create it`
  }
}
/** A parameter is out of its range or shape. */
export class InvalidArgument extends Schema.TaggedError<InvalidArgument>()("InvalidArgument", {
  ...type,
  argument: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${this.argument}: ${this.detail}`
  }
}
/** The data of a document does not fit its collection. */
export class InvalidDocument extends Schema.TaggedError<InvalidDocument>()("InvalidDocument", {
  ...type,
  id: Schema.String,
  attribute: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `document ${JSON.stringify(this.id)}, ${JSON.stringify(this.attribute)}: ${this.detail}`
  }
}
/** A query names what is not there or compares what can't be compared. */
export class InvalidQuery extends Schema.TaggedError<InvalidQuery>()("InvalidQuery", {
  ...type,
  detail: Schema.String
}) {
  override get message() {
    return `invalid query: ${this.detail}`
  }
}
/** Somebody else was first: a document has changed since, or a transaction meets what others have done. */
export class Conflict extends Schema.TaggedError<Conflict>()("Conflict", { ...type, detail: Schema.String }) {
  override get message() {
    return `${this.detail}. Read again, then decide`
  }
}
/** The caller's roles do not allow it. */
export class Unauthorized extends Schema.TaggedError<Unauthorized>()("Unauthorized", {
  ...type,
  detail: Schema.String
}) {
  override get message() {
    return this.detail
  }
}
/** A limit of the server is reached. */
export class LimitExceeded extends Schema.TaggedError<LimitExceeded>()("LimitExceeded", {
  ...type,
  detail: Schema.String
}) {
  override get message() {
    return this.detail
  }
}
/** A part of Appwrite that this layer does not have. */
export class Unsupported extends Schema.TaggedError<Unsupported>()("Unsupported", { ...type, feature: Schema.String }) {
  override get message() {
    return `${this.feature} is not supported here. Do it through Migration.step, or without it`
  }
}
/** The store itself failed; nothing is known to be changed by the operation. */
export class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", {
  ...type,
  detail: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message() {
    return `the database can't be used: ${this.detail}`
  }
}

export const Reason = Schema.Union([
  NotFound,
  AlreadyExists,
  UniqueConflict,
  DuplicateValues,
  InvalidArgument,
  InvalidDocument,
  InvalidQuery,
  Conflict,
  Unauthorized,
  LimitExceeded,
  Unsupported,
  Unavailable
])
export type Reason = typeof Reason.Type

/** An operation that was not done. `path` is where: `database/collection/attribute or document`. */
export class DatabasesError extends Schema.TaggedError<DatabasesError>()("DatabasesError", {
  operation: Schema.String,
  path: Schema.String,
  reason: Reason
}) {
  override get message() {
    return `${this.operation} ${this.path}: ${this.reason.message}`
  }
}
