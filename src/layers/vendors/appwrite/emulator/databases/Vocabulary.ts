/** Appwrite's two vocabularies for one store: TablesDB's, and the older one of its Databases API. */

export interface Vocabulary {
  readonly base: "/tablesdb" | "/databases"
  /** How errors of the store name the service. */
  readonly service: string
  readonly databaseType: "tablesdb" | "legacy"
  readonly table: string
  readonly tables: string
  readonly tableId: "tableId" | "collectionId"
  readonly row: string
  readonly rows: "rows" | "documents"
  readonly rowId: "rowId" | "documentId"
  readonly column: string
  readonly columns: "columns" | "attributes"
  readonly columnParameter: "column" | "attribute"
  readonly rowSecurity: "rowSecurity" | "documentSecurity"
  /** The error's type in this vocabulary, from TablesDB's. */
  readonly type: (type: string) => string
}

export const tables: Vocabulary = {
  base: "/tablesdb",
  service: "tablesDB",
  databaseType: "tablesdb",
  table: "Table",
  tables: "tables",
  tableId: "tableId",
  row: "Row",
  rows: "rows",
  rowId: "rowId",
  column: "Column",
  columns: "columns",
  columnParameter: "column",
  rowSecurity: "rowSecurity",
  type: (type) => type
}

const older = (type: string): string =>
  type
    .replace(/^column_index_/, "index_")
    .replace(/^row_/, "document_")
    .replace(/^column_/, "attribute_")
    .replace(/^table_/, "collection_")

export const collections: Vocabulary = {
  base: "/databases",
  service: "databases",
  databaseType: "legacy",
  table: "Collection",
  tables: "collections",
  tableId: "collectionId",
  row: "Document",
  rows: "documents",
  rowId: "documentId",
  column: "Attribute",
  columns: "attributes",
  columnParameter: "attribute",
  rowSecurity: "documentSecurity",
  type: older
}

/** Scopes of one kind of thing, under both names. */
export const scopes = (
  vocabulary: Vocabulary,
  what: "tables" | "rows" | "columns" | "indexes",
  right: "read" | "write"
) => {
  const both: { readonly [K in typeof what]: ReadonlyArray<string> } = {
    tables: [`tables.${right}`, `collections.${right}`],
    rows: [`rows.${right}`, `documents.${right}`],
    columns: [`tables.${right}`, `collections.${right}`, `columns.${right}`, `attributes.${right}`],
    indexes: [`tables.${right}`, `collections.${right}`, `indexes.${right}`]
  }
  return vocabulary.base === "/tablesdb" ? both[what] : both[what].toReversed()
}
