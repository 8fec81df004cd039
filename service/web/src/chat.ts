/** One chat as the page holds it, and the pure steps on it. */
import type { ChatRequest, Citation, Part, Role, StoredMessage } from "./types";

/** The service takes no more of them in one message. */
export const MAX_PICTURES = 4;
/** Of all pictures in one request: the service takes 20 MiB with all else. */
const MAX_PICTURE_CHARACTERS = 16 * 1024 ** 2;

/**
 * waiting: nothing has come yet; streaming: text is coming; the others are final.
 * stopped: by the reader; interrupted: after some text; failed: before any.
 */
export type MessageState = "waiting" | "streaming" | "complete" | "length" | "stopped" | "interrupted" | "failed";

export interface ChatMessage {
  role: Role;
  content: string;
  /** The pictures of a question, as `data:` URLs. */
  images: string[];
  citations: Citation[];
  state: MessageState;
  /** Why it was interrupted or failed, in the reader's language; "" where that is not known. */
  error: string;
}

export interface Chat {
  /** null: not kept by the service (yet). */
  id: string | null;
  /** Under which the service keeps the last question, once it has said so. */
  questionId: string | null;
  /** The last question was taken back here: where the service keeps it, the next one takes its place there. */
  takenBack: boolean;
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
  /** The pictures that go with the draft, as `data:` URLs. */
  pictures: string[];
  /** How many pictures are still being read. */
  reading: number;
  /** What could not be taken as a picture, and why, in the reader's language. */
  refused: string[];
}

/** What was asked: text, pictures, or both. */
export type Question = Pick<ChatMessage, "content" | "images">;

export function newChat(id: string | null): Chat {
  const state = id === null ? "ready" : "loading";
  const draft = { draft: "", pictures: [], reading: 0, refused: [] };
  return { id, questionId: null, takenBack: false, unsaved: false, state, messages: [], busy: false, notices: [], ...draft };
}

/** A stored message as it is shown. */
export function shown(message: StoredMessage): ChatMessage {
  const { role, content, images, citations, status } = message;
  const state = !status || status === "complete" ? "complete" : "interrupted";
  return { role, content, images: images ?? [], citations: citations ?? [], state, error: "" };
}

/** Adds a question and the place for its answer, which is returned. */
export function addMessages(chat: Chat, { content, images }: Question): ChatMessage {
  chat.messages.push(
    { role: "user", content, images, citations: [], state: "complete", error: "" },
    { role: "assistant", content: "", images: [], citations: [], state: "waiting", error: "" },
  );
  return chat.messages.at(-1)!; // read back, not the literal above: where the chat is reactive, so is this
}

/** What to send for the last question: itself; the whole chat where the service does not keep it. */
export function requestMessages(chat: Chat): ChatRequest["messages"] {
  const asked = chat.messages.slice(0, -1); // without the empty answer
  const answered = asked.filter((message, index) => !isEmpty(message) && asked[index + 1]?.content !== "");
  const needed = chat.id === null ? newestThatFit(answered) : asked.slice(-1);
  return needed.map((message) => ({ role: message.role, content: parts(message) }));
}

export const isEmpty = ({ content, images }: Question) => content === "" && images.length === 0;

/** Without the older turns whose pictures would make the request too large. */
function newestThatFit(messages: ChatMessage[]): ChatMessage[] {
  let room = MAX_PICTURE_CHARACTERS;
  const tooOld = messages.findLastIndex(({ images }) => {
    for (const url of images) room -= url.length;
    return room < 0;
  });
  return tooOld < 0 ? messages : messages.slice(tooOld + 2); // nor its answer
}

function parts({ content, images }: Question): string | Part[] {
  if (images.length === 0) return content;
  const pictures = images.map((url): Part => ({ type: "image_url", image_url: { url } }));
  return content === "" ? pictures : [{ type: "text", text: content }, ...pictures];
}

/** The last question, where its answer failed or was cut short by an error; else null. */
export function questionAfterFailure(chat: Chat): Question | null {
  const [question, answer] = chat.messages.slice(-2);
  if (!question || question.role !== "user" || !answer || answer.error === "") return null;
  return { content: question.content, images: question.images };
}
