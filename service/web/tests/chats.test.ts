import { beforeEach, expect, test, vi } from "vitest";

import type { Chat } from "../src/chat";
import { useChats } from "../src/composables/useChats";
import { chooseLanguage } from "../src/i18n";
import { DONE, event, json, refusal, stream, stubFetch, text, type Answer } from "./support";

beforeEach(() => chooseLanguage("en"));

const bodies: Record<string, unknown>[] = [];

/** A service that keeps conversations, and answers chats with `chat`. */
function serve(chat: Answer, others: Answer = () => json({ id: "c1" }, 201)): string[] {
  bodies.length = 0;
  return stubFetch((request) => {
    if (request.path !== "/v1/chat/completions") return others(request);
    bodies.push(request.body as Record<string, unknown>);
    return chat(request);
  });
}

function open() {
  const created = vi.fn<(chat: Chat) => void>();
  const chats = useChats({ model: () => "m", onCreated: created, onSettled: () => undefined });
  return { chats, created, chat: chats.get(null) };
}

const states = (chat: Chat) => chat.messages.map(({ role, content, state }) => [role, content, state]);

test("a first question makes a conversation, and its answer comes in with citations and notices", async () => {
  const citation = { index: 1, document_id: "d", title: "a.md", passage: "p", score: 0.5, location: "" };
  serve(() => stream(event({ choices: [], citations: [citation], notices: ["slow"] }), text("Yes "), text("[1]."), DONE));
  const { chats, chat, created } = open();
  await chats.send(chat, "  Is it?  ", true);
  expect(states(chat)).toEqual([
    ["user", "Is it?", "complete"],
    ["assistant", "Yes [1].", "complete"],
  ]);
  expect(chat.messages[1]?.citations).toEqual([citation]);
  expect(chat.notices).toEqual(["slow"]);
  expect(created).toHaveBeenCalledExactlyOnceWith(chat);
  expect(bodies).toEqual([
    { model: "m", stream: true, retrieval: true, conversation_id: "c1", messages: [{ role: "user", content: "Is it?" }] },
  ]);
});

test("a second question sends only itself", async () => {
  serve(() => stream(text("ok"), DONE));
  const { chats, chat, created } = open();
  await chats.send(chat, "one", true);
  await chats.send(chat, "two", false);
  expect(bodies[1]).toMatchObject({ messages: [{ role: "user", content: "two" }], retrieval: false });
  expect(created).toHaveBeenCalledOnce();
});

test("where conversations cannot be kept the chat goes on, and carries its own history", async () => {
  serve(
    () => stream(text("ok"), DONE),
    () => refusal(503, "history_unavailable"),
  );
  const { chats, chat } = open();
  await chats.send(chat, "one", true);
  await chats.send(chat, "two", true);
  expect(bodies[1]).not.toHaveProperty("conversation_id");
  expect(bodies[1]?.["messages"]).toEqual([
    { role: "user", content: "one" },
    { role: "assistant", content: "ok" },
    { role: "user", content: "two" },
  ]);
});

test("a refused question stays, and can be asked again", async () => {
  let refused = true;
  serve(() => (refused ? refusal(503, "engine_unavailable", { "Retry-After": "10" }) : stream(text("now"), DONE)));
  const { chats, chat } = open();
  await chats.send(chat, "one", true);
  expect(states(chat)[1]).toEqual(["assistant", "", "failed"]);
  expect(chat.messages[1]?.error).toBe("The model is not available at the moment. It may work again in about 10 seconds.");
  refused = false;
  await chats.retry(chat, true);
  expect(states(chat)).toEqual([
    ["user", "one", "complete"],
    ["assistant", "now", "complete"],
  ]);
});

test("a question that failed can be taken back and changed", async () => {
  serve(() => refusal(400, "context_length_exceeded"));
  const { chats, chat } = open();
  await chats.send(chat, "far too long", true);
  expect(chat.messages[1]?.error).toContain("refused: context_length_exceeded");
  expect(chats.takeBack(chat)).toEqual({ content: "far too long", images: [] });
  expect(chat.messages).toEqual([]);
});

test("a question that was accepted and taken back is replaced at the service, too", async () => {
  let number = 0;
  const accepted = () => event({ choices: [], question_id: `q${++number}` });
  const answers = [
    () => stream(accepted(), text("half")),
    () => refusal(503, "engine_unavailable"),
    () => stream(accepted(), text("half")),
    () => stream(accepted(), text("whole"), DONE),
    () => stream(accepted(), text("whole"), DONE),
    () => refusal(503, "engine_unavailable"),
    () => stream(accepted(), text("whole"), DONE),
  ];
  serve(() => answers.shift()!());
  const { chats, chat } = open();
  await chats.send(chat, "one", true);
  await chats.retry(chat, true); // refused: the service still has the first
  await chats.retry(chat, true);
  chats.takeBack(chat);
  await chats.send(chat, "changed", true);
  await chats.send(chat, "two", true);
  await chats.send(chat, "three", true); // refused: nothing was kept of it
  await chats.retry(chat, true);
  expect(bodies.map((body) => body["replaces"])).toEqual([undefined, "q1", "q1", "q2", undefined, undefined, undefined]);
  expect(states(chat).map(([, content]) => content)).toEqual(["changed", "whole", "two", "whole", "three", "whole"]);
});

const PICTURE = "data:image/png;base64,AAAA";
const part = (url: string) => ({ type: "image_url", image_url: { url } });

test("pictures go with the text, or alone", async () => {
  serve(() => stream(text("ok"), DONE));
  const { chats, chat } = open();
  await chats.send(chat, " What is it? ", true, [PICTURE]);
  await chats.send(chat, "", true, [PICTURE, PICTURE]);
  await chats.send(chat, "", true, []); // nothing
  expect(bodies.map((body) => body["messages"])).toEqual([
    [{ role: "user", content: [{ type: "text", text: "What is it?" }, part(PICTURE)] }],
    [{ role: "user", content: [part(PICTURE), part(PICTURE)] }],
  ]);
  expect(chat.messages.map(({ images }) => images.length)).toEqual([1, 0, 2, 0]);
});

test("a question that failed keeps its pictures, asked again or taken back", async () => {
  serve(() => refusal(400, "images_unsupported"));
  const { chats, chat } = open();
  await chats.send(chat, "", true, [PICTURE]);
  await chats.retry(chat, true);
  expect(bodies[1]?.["messages"]).toEqual(bodies[0]?.["messages"]);
  expect(chat.messages[1]?.error).toContain("The model reads text only.");
  expect(chats.takeBack(chat)).toEqual({ content: "", images: [PICTURE] });
  expect(chat.messages).toEqual([]);
});

test("where conversations cannot be kept, older pictures are left out before the request is too large", async () => {
  serve(
    () => stream(text("ok"), DONE),
    () => refusal(503, "history_unavailable"),
  );
  const { chats, chat } = open();
  const large = `data:image/png;base64,${"A".repeat(7 * 1024 ** 2)}`;
  for (const question of ["one", "two", "three"]) await chats.send(chat, question, true, [large]);
  const sent = (bodies[2]?.["messages"] ?? []) as { role: string; content: unknown }[];
  expect(sent.map(({ role, content }) => [role, Array.isArray(content) ? (content[0] as unknown) : content])).toEqual([
    ["user", { type: "text", text: "two" }],
    ["assistant", "ok"],
    ["user", { type: "text", text: "three" }],
  ]);
});

test("the pictures of an opened conversation are there", async () => {
  const messages = [{ role: "user", content: "", images: [PICTURE], created_at: "" }];
  serve(
    () => stream(DONE),
    () => json({ messages }),
  );
  const chat = open().chats.get("c9");
  await vi.waitFor(() => expect(chat.state).toBe("ready"));
  expect(chat.messages[0]?.images).toEqual([PICTURE]);
});

test.each([
  ["a connection that is lost", () => stream(text("half"))],
  ["an error in the middle", () => stream(text("half"), event({ error: { message: "m", code: "engine_unavailable" } }), DONE)],
])("%s keeps what had come", async (_, chat_) => {
  serve(chat_);
  const { chats, chat } = open();
  await chats.send(chat, "one", true);
  expect(states(chat)[1]).toEqual(["assistant", "half", "interrupted"]);
  expect(chat.messages[1]?.error).not.toBe("");
});

test("stop keeps what had come, and frees the service", async () => {
  let signal: AbortSignal | null = null;
  serve((request) => {
    signal = request.signal;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(text("half")));
        request.signal?.addEventListener("abort", () => controller.error(request.signal?.reason));
      },
    });
    return new Response(body);
  });
  const { chats, chat } = open();
  const sending = chats.send(chat, "one", true);
  await vi.waitFor(() => expect(chat.messages[1]?.content).toBe("half"));
  await chats.send(chat, "impatient", true); // one answer at a time
  chats.stop(chat);
  await sending;
  expect(states(chat)).toEqual([
    ["user", "one", "complete"],
    ["assistant", "half", "stopped"],
  ]);
  expect(signal!.aborted).toBe(true);
});

test("an opened conversation is loaded, an unknown one is missing", async () => {
  serve(
    () => stream(DONE),
    ({ path }) =>
      path.endsWith("/c9")
        ? json({ messages: [{ role: "assistant", content: "cut", created_at: "", status: "interrupted" }] })
        : refusal(404, "not_found"),
  );
  const { chats } = open();
  const known = chats.get("c9");
  const unknown = chats.get("c0");
  await vi.waitFor(() => expect(unknown.state).toBe("missing"));
  expect(known.state).toBe("ready");
  expect(states(known)).toEqual([["assistant", "cut", "interrupted"]]);
});
