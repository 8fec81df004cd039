/** What the service's HTTP API sends. Times are RFC 3339, UTC. */

export type Role = "user" | "assistant";

export interface Citation {
  /** From 1, as `[1]` in the text. */
  index: number;
  document_id: string;
  title: string;
  passage: string;
  /** 0 to 1. */
  score: number;
  location: string | null;
}

export interface ConversationSummary {
  id: string;
  title: string;
  created_at: string;
  updated_at: string;
  message_count: number;
}

export interface StoredMessage {
  role: Role;
  content: string;
  created_at: string;
  citations?: Citation[] | null;
  /** The pictures of a question, as `data:` URLs. */
  images?: string[];
  /** Anything but "complete" is an answer that was cut short. */
  status?: string | null;
}

export interface Conversation extends ConversationSummary {
  messages: StoredMessage[];
}

export interface StoredDocument {
  id: string;
  name: string;
  bytes: number;
  passages: number;
  created_at: string;
}

export type Availability = "ok" | "unavailable";

export interface Me {
  auth: "key" | "session";
  /** Who signed in through the organisation; null for whoever has the API key. */
  name: string | null;
  /** Only an admin may change the documents. */
  role: "admin" | "user";
  /** `images`: whether it sees pictures; null: another server answers, which does not say. */
  model: { id: string; engine: "transformers" | "quotation" | "upstream"; images: boolean | null };
  services: { history: Availability; documents: Availability; engine: Availability };
}

/** How one may sign in. */
export interface SignInWays {
  api_key: boolean;
  organisation: boolean;
}

export type Part = { type: "text"; text: string } | { type: "image_url"; image_url: { url: string } };

export interface ChatRequest {
  model: string;
  messages: { role: Role; content: string | Part[] }[];
  conversation_id?: string;
  /** The id of a question in the conversation: this one takes its place, and what came after it goes. */
  replaces?: string;
  retrieval: boolean;
}

/** One piece of a streamed answer. */
export interface ChatPiece {
  text: string;
  citations?: Citation[];
  notices?: string[];
  /** Under which the service keeps the question. */
  questionId?: string;
  finishReason?: string;
}
