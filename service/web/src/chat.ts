/** One chat as the page holds it, and the pure steps on it. */
import type { ChatRequest, Citation, Role, StoredMessage } from "./types";

/**
 * waiting: nothing has come yet; streaming: text is coming; the others are final.
 * stopped: by the reader; interrupted: after some text; failed: before any.
 */
export type MessageState = "waiting" | "streaming" | "complete" | "length" | "stopped" | "interrupted" | "failed";

export interface ChatMessage {
  role: Role;
  content: string;
  citations: Citation[];
  state: MessageState;
  /** Why it was interrupted or failed, in the reader's language; "" where that is not known. */
  error: string;
}

export interface Chat {
  /** null: not kept by the service (yet). */
  id: string | null;
  /** The service could not keep it: it stays without an id. */
  unsaved: boolean;
  state: "loading" | "ready" | "missing" | "failed";
  messages: ChatMessage[];
  /** An answer is on its way. */
  busy: boolean;
  /** What the service had to do without for the last answer. */
  notices: string[];
  /** Typed, not sent. */
  draft: string;
}

export function newChat(id: string | null): Chat {
  const state = id === null ? "ready" : "loading";
  return { id, unsaved: false, state, messages: [], busy: false, notices: [], draft: "" };
}

/** A stored message as it is shown. */
export function shown(message: StoredMessage): ChatMessage {
  const { role, content, citations, status } = message;
  const state = !status || status === "complete" ? "complete" : "interrupted";
  return { role, content, citations: citations ?? [], state, error: "" };
}

/** Adds a question and the place for its answer, which is returned. */
export function addMessages(chat: Chat, question: string): ChatMessage {
  chat.messages.push(
    { role: "user", content: question, citations: [], state: "complete", error: "" },
    { role: "assistant", content: "", citations: [], state: "waiting", error: "" },
  );
  return chat.messages.at(-1)!; // read back, not the literal above: where the chat is reactive, so is this
}

/** What to send for the last question: itself; the whole chat where the service does not keep it. */
export function requestMessages(chat: Chat): ChatRequest["messages"] {
  const asked = chat.messages.slice(0, -1); // without the empty answer
  const answered = asked.filter(({ content }, index) => content !== "" && asked[index + 1]?.content !== "");
  const needed = chat.id === null ? answered : asked.slice(-1);
  return needed.map(({ role, content }) => ({ role, content }));
}

/** The last question, where its answer failed or was cut short by an error; else null. */
export function questionAfterFailure(chat: Chat): string | null {
  const [question, answer] = chat.messages.slice(-2);
  if (!question || question.role !== "user" || !answer || answer.error === "") return null;
  return question.content;
}
