/** The service's HTTP API. Every failure is an `ApiError`, or an `AbortError` where the caller stopped it. */
import { eventData } from "./sse";
import type {
  ChatPiece,
  ChatRequest,
  Citation,
  Conversation,
  ConversationSummary,
  Me,
  SignInWays,
  StoredDocument,
} from "./types";

export class ApiError extends Error {
  override name = "ApiError";

  constructor(
    /** The HTTP status; 0 where no answer came, or a stream ended before its time. */
    readonly status: number,
    message: string,
    readonly code: string = "",
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(message);
  }
}

interface ErrorBody {
  error?: { message?: string; code?: string | null };
}

interface Chunk extends ErrorBody {
  choices?: { delta?: { content?: string | null }; finish_reason?: string | null }[];
  citations?: Citation[];
  notices?: string[];
  question_id?: string;
}

let onSignedOut: () => void = () => undefined;

/** Called when a request finds that the session is over. */
export function whenSignedOut(handler: () => void): void {
  onSignedOut = handler;
}

async function send(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: "same-origin", ...init });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiError(0, "The service did not answer.", "unreachable");
  }
  if (response.ok) return response;
  const error = await failure(response);
  if (error.status === 401 && path !== "/api/sessions") onSignedOut();
  throw error;
}

async function failure(response: Response): Promise<ApiError> {
  const body = (await response.json().catch(() => ({}))) as ErrorBody;
  const seconds = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  return new ApiError(
    response.status,
    body.error?.message ?? `The service answered ${response.status}.`,
    body.error?.code ?? "",
    Number.isNaN(seconds) ? null : seconds,
  );
}

const json = (method: string, body: unknown): RequestInit => ({
  method,
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
});

async function get<T>(path: string): Promise<T> {
  return (await (await send(path)).json()) as T;
}

const conversationPath = (id: string) => `/api/conversations/${encodeURIComponent(id)}`;

export const getMe = () => get<Me>("/api/me");
export const signIn = async (apiKey: string) => void (await send("/api/sessions", json("POST", { api_key: apiKey })));
/** Where to sign out of the organisation, too; null where that is not possible, or not needed. */
export async function signOut(): Promise<string | null> {
  const response = await send("/api/sessions", { method: "DELETE" });
  if (response.status === 204) return null;
  return ((await response.json()) as { end_session_url: string }).end_session_url;
}

export const getSignInWays = () => get<SignInWays>("/api/sign-in");

/** Leads to the organisation's own page and back to the conversation in the address. */
export function organisationPath(hash: string): string {
  const conversation = /^#\/c\/(conv_[0-9a-f]{16})$/.exec(hash)?.[1];
  return conversation ? `/login/start?conversation=${conversation}` : "/login/start";
}

export const listConversations = async () =>
  (await get<{ data: ConversationSummary[] }>("/api/conversations")).data;
export const getConversation = (id: string) => get<Conversation>(conversationPath(id));
export const createConversation = async () =>
  (await (await send("/api/conversations", json("POST", {}))).json()) as ConversationSummary;
export const renameConversation = async (id: string, title: string) =>
  void (await send(conversationPath(id), json("PATCH", { title })));
export const deleteConversation = async (id: string) =>
  void (await send(conversationPath(id), { method: "DELETE" }));

export const listDocuments = async () => (await get<{ data: StoredDocument[] }>("/api/documents")).data;
export const deleteDocument = async (id: string) =>
  void (await send(`/api/documents/${encodeURIComponent(id)}`, { method: "DELETE" }));

export async function uploadDocument(file: File): Promise<StoredDocument> {
  const body = new FormData();
  body.append("file", file, file.name);
  return (await (await send("/api/documents", { method: "POST", body })).json()) as StoredDocument;
}

/** The answer, piece by piece; ends after the service's `[DONE]`, else throws. */
export async function* streamChat(request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatPiece> {
  const body = { ...request, stream: true };
  const response = await send("/v1/chat/completions", { ...json("POST", body), signal });
  if (!response.body) throw new ApiError(0, "The service sent no answer.", "interrupted");
  try {
    for await (const data of eventData(response.body)) {
      if (data === "[DONE]") return;
      yield piece(JSON.parse(data) as Chunk);
    }
  } catch (error) {
    if (signal.aborted || error instanceof ApiError) throw error;
    throw new ApiError(0, "The connection was lost.", "interrupted");
  }
  throw new ApiError(0, "The answer ended before it was complete.", "interrupted");
}

function piece(chunk: Chunk): ChatPiece {
  if (chunk.error) throw new ApiError(200, chunk.error.message ?? "The answer failed.", chunk.error.code ?? "");
  const choice = chunk.choices?.[0];
  return {
    text: choice?.delta?.content ?? "",
    ...(chunk.citations && { citations: chunk.citations }),
    ...(chunk.notices && { notices: chunk.notices }),
    ...(chunk.question_id && { questionId: chunk.question_id }),
    ...(choice?.finish_reason && { finishReason: choice.finish_reason }),
  };
}
