/** What storage refuses, in the server's words. */
import * as ApiFailure from "../ApiFailure.ts"

const { make } = ApiFailure

export const bucketNotFound = make(
  404,
  "storage_bucket_not_found",
  "Storage bucket with the requested ID could not be found."
)
export const bucketExists = make(
  409,
  "storage_bucket_already_exists",
  "A storage bucket with the requested ID already exists. Try again with a different ID or use ID.unique() to generate a unique ID."
)
export const fileNotFound = make(404, "storage_file_not_found", "The requested file could not be found.")
/** The server names the place on its disk. */
export const fileIncomplete = (bucket: string, file: string) =>
  make(404, "storage_file_not_found", `File not found in /storage/uploads/${bucket}/${file}`)
export const fileExists = make(
  409,
  "storage_file_already_exists",
  "A storage file with the requested ID already exists."
)
export const fileEmpty = make(400, "storage_file_empty", "Empty file passed to the endpoint.")
export const fileTypeUnsupported = make(400, "storage_file_type_unsupported", "File extension not allowed")
export const fileTooLarge = make(400, "storage_invalid_file_size", "File size not allowed")
export const contentRangeInvalid = make(
  400,
  "storage_invalid_content_range",
  "The content range is invalid. Please check the value of the Content-Range header."
)
export const appwriteIdInvalid = make(
  400,
  "storage_invalid_appwrite_id",
  "The value for x-appwrite-id header is invalid. Please check the value of the x-appwrite-id header is valid id and not unique()."
)
export const rangeInvalid = make(
  416,
  "storage_invalid_range",
  "The requested range is not satisfiable. Please check the value of the Range header."
)
