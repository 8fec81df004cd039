import { reactive } from "vue";

import { ApiError, createConversation, getConversation, streamChat } from "../api";
import { describeError } from "../errors";
import {
  addMessages,
  isEmpty,
  newChat,
  questionAfterFailure,
  requestMessages,
  shown,
  type Chat,
  type ChatMessage,
  type Question,
} from "../chat";

/** Text is shown in steps of this length: every token by itself would redraw the answer a hundred times a second. */
const STEP_MILLISECONDS = 40;

interface Options {
  /** The model to ask. */
  model: () => string;
  /** A new chat has got its id. */
  onCreated: (chat: Chat) => void;
  /** The service has answered, or failed to. */
  onSettled: () => void;
}

/** The chats that are open in this page. An answer goes on while the reader looks at another chat. */
export function useChats({ model, onCreated, onSettled }: Options) {
  const open = new Map<string, Chat>();
  const running = new Map<Chat, AbortController>();

  /** The chat with that id, or a new one. It is loaded, or brought up to date, behind the scenes. */
  function get(id: string | null): Chat {
    if (id === null) return reactive(newChat(null));
    const chat = open.get(id) ?? reactive(newChat(id));
    open.set(id, chat);
    void load(chat);
    return chat;
  }

  async function load(chat: Chat): Promise<void> {
    if (chat.id === null || running.has(chat) || chat.takenBack || questionAfterFailure(chat) !== null) return;
    try {
      const { messages } = await getConversation(chat.id);
      if (running.has(chat)) return; // the reader was faster
      chat.messages = messages.map(shown);
      chat.state = "ready";
    } catch (error) {
      const missing = error instanceof ApiError && error.status === 404;
      if (missing) chat.state = "missing";
      else if (chat.state !== "ready") chat.state = "failed";
    }
  }

  async function send(chat: Chat, text: string, retrieval: boolean, images: string[] = []): Promise<void> {
    const question = { content: text.trim(), images };
    if (isEmpty(question) || running.has(chat)) return;
    const stopping = new AbortController();
    running.set(chat, stopping);
    chat.notices = [];
    chat.busy = true;
    const answer = addMessages(chat, question);
    try {
      await createIfNew(chat);
      await receive(chat, answer, retrieval, stopping.signal);
    } catch (error) {
      if (stopping.signal.aborted) {
        answer.state = "stopped";
      } else {
        answer.state = answer.content ? "interrupted" : "failed";
        answer.error = describeError(error);
      }
    } finally {
      running.delete(chat);
      chat.busy = false;
      onSettled();
    }
  }

  /** Where conversations cannot be kept at the moment, the chat goes on without an id, and sends its own history. */
  async function createIfNew(chat: Chat): Promise<void> {
    if (chat.id !== null || chat.unsaved) return;
    try {
      chat.id = (await createConversation()).id;
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 503)) throw error;
      chat.unsaved = true;
      return;
    }
    open.set(chat.id, chat);
    onCreated(chat);
  }

  async function receive(chat: Chat, answer: ChatMessage, retrieval: boolean, signal: AbortSignal): Promise<void> {
    let unseen = "";
    let timer: ReturnType<typeof setTimeout> | undefined;
    const show = () => {
      answer.content += unseen;
      unseen = "";
      timer = undefined;
    };
    const request = {
      model: model(),
      messages: requestMessages(chat),
      retrieval,
      ...(chat.id !== null && { conversation_id: chat.id }),
      ...(chat.takenBack && chat.questionId !== null && { replaces: chat.questionId }),
    };
    if (!chat.takenBack) chat.questionId = null;
    let end: ChatMessage["state"] = "complete";
    try {
      signal.throwIfAborted();
      for await (const piece of streamChat(request, signal)) {
        if (piece.questionId) Object.assign(chat, { questionId: piece.questionId, takenBack: false });
        if (piece.citations) answer.citations = piece.citations;
        if (piece.notices) chat.notices = [...new Set([...chat.notices, ...piece.notices])];
        if (piece.finishReason === "length") end = "length";
        if (!piece.text) continue;
        answer.state = "streaming";
        unseen += piece.text;
        timer ??= setTimeout(show, STEP_MILLISECONDS);
      }
      answer.state = end;
    } finally {
      clearTimeout(timer);
      show();
    }
  }

  function stop(chat: Chat): void {
    running.get(chat)?.abort();
  }

  /** Take the last question back, with what came of it. */
  function takeBack(chat: Chat): Question {
    const question = questionAfterFailure(chat);
    if (question) {
      chat.messages.splice(-2);
      chat.takenBack = true;
    }
    return question ?? { content: "", images: [] };
  }

  /** Ask the last question, which failed, again. */
  function retry(chat: Chat, retrieval: boolean): Promise<void> {
    const { content, images } = takeBack(chat);
    return send(chat, content, retrieval, images);
  }

  /** The conversation was deleted. */
  function forget(id: string): void {
    const chat = open.get(id);
    if (chat) stop(chat);
    open.delete(id);
  }

  function stopAll(): void {
    for (const stopping of running.values()) stopping.abort();
  }

  return { get, load, send, stop, takeBack, retry, forget, stopAll };
}

export type Chats = ReturnType<typeof useChats>;
