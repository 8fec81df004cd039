import { expect, test } from "vitest";

import { eventData } from "../src/sse";

function stream(chunks: Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
}

const bytes = (text: string) => new TextEncoder().encode(text);

async function read(chunks: Uint8Array[]): Promise<string[]> {
  const events: string[] = [];
  for await (const data of eventData(stream(chunks))) events.push(data);
  return events;
}

test("events come in order, comments and other fields are passed over", async () => {
  const text = "data: one\n\n: keep-alive\n\nevent: x\nid: 4\ndata:two\n\ndata: first\ndata: second\n\n";
  expect(await read([bytes(text)])).toEqual(["one", "two", "first\nsecond"]);
});

test.each(["\n", "\r\n", "\r"])("a stream cut at every byte, with %j as line break, reads the same", async (newline) => {
  const whole = bytes(`data: 안녕하세요${newline}${newline}data: [DONE]${newline}${newline}`);
  expect(await read([...whole].map((byte) => Uint8Array.of(byte)))).toEqual(["안녕하세요", "[DONE]"]);
});

test("an event that was not closed is dropped", async () => {
  expect(await read([bytes("data: whole\n\ndata: hal")])).toEqual(["whole"]);
});

test("who stops reading closes the stream", async () => {
  let cancelled = false;
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(bytes("data: more\n\n")),
    cancel: () => void (cancelled = true),
  });
  for await (const _ of eventData(endless)) break;
  expect(cancelled).toBe(true);
});
