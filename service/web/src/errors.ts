/** What went wrong, in the reader's language where the service says it by code, else in the service's own words. */
import { ApiError } from "./api";
import { t, type MessageKey } from "./i18n";

const TOO_LONG = "context_length_exceeded";

const CHAT: Record<string, MessageKey> = {
  unreachable: "error.unreachable",
  interrupted: "error.interrupted",
  [TOO_LONG]: "error.tooLong",
  engine_unavailable: "error.engine",
  images_unsupported: "error.imagesUnsupported",
  image_invalid: "error.imageInvalid",
  missing_api_key: "error.signedOut",
  history_unavailable: "error.store",
  documents_unavailable: "error.store",
};

const UPLOAD: Record<string, MessageKey> = {
  document_empty: "documents.emptyFile",
  document_type: "documents.type",
  document_undecodable: "documents.undecodable",
  document_damaged: "documents.damaged",
  document_without_text: "documents.withoutText",
  document_binary: "documents.undecodable",
  document_protected: "documents.protected",
};

export function describeError(error: unknown): string {
  if (!(error instanceof ApiError)) return String(error);
  const key = CHAT[error.code];
  const sentences = [key ? t(key) : error.message];
  // Only the service knows the figures: how long the question is, and how much fits.
  if (error.code === TOO_LONG) sentences.push(error.message);
  if (error.retryAfterSeconds !== null) sentences.push(t("chat.retryAfter", { seconds: error.retryAfterSeconds }));
  return sentences.join(" ");
}

export function describeUploadError(error: unknown, name: string): string {
  if (error instanceof ApiError && error.status === 413) return t("documents.tooLarge", { name });
  const key = error instanceof ApiError ? UPLOAD[error.code] : undefined;
  return key ? t(key, { name }) : t("documents.refused", { name, reason: describeError(error) });
}
