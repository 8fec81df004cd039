import { beforeEach, expect, test, vi } from "vitest";
import { effectScope, nextTick, reactive, shallowRef } from "vue";

import { newChat } from "../src/chat";
import { usePictures } from "../src/composables/usePictures";
import { chooseLanguage } from "../src/i18n";
import { fitted, kindOf } from "../src/pictures";
import type { Me } from "../src/types";

beforeEach(() => chooseLanguage("en"));

test.each([
  [1536, 1536, 1536, 1536],
  [800, 600, 800, 600],
  [3072, 2048, 1536, 1024],
  [1000, 2000, 768, 1536],
  [9000, 2, 1536, 1],
])("%i x %i pixels become %i x %i", (width, height, wide, high) =>
  expect(fitted(width, height)).toEqual({ width: wide, height: high }),
);

const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

test.each([
  ["\x89PNG\r\n\x1a\n\0\0\0\r", "image/png"],
  ["\xff\xd8\xff\xe1\0\0Exif\0\0", "image/jpeg"],
  ["RIFF\x10\0\0\0WEBP", "image/webp"],
  ["RIFF\x10\0\0\0WAVE", null],
  ["GIF89a\x01\0\x01\0\0\0", null],
  ["", null],
])("the kind is told by the first bytes: %j", (head, kind) => expect(kindOf(bytes(head))).toBe(kind));

const ME: Me = {
  auth: "key",
  name: null,
  role: "admin",
  model: { id: "eyes", engine: "transformers", images: true },
  services: { history: "ok", documents: "ok", engine: "ok" },
};

/** The composable for whoever talks to this model. */
function open(me: Me = ME) {
  const current = shallowRef(me);
  const pictures = effectScope().run(() => usePictures(() => current.value))!;
  return { pictures, current };
}

const talkingTo = (images: boolean | null): Me => ({ ...ME, model: { ...ME.model, images } });

test.each([
  [true, true],
  [false, false],
  [null, false],
])("of a model that says %j it sees pictures: %j", (images, seen) => {
  expect(open(talkingTo(images)).pictures.seen.value).toBe(seen);
});

test("while the engine is away it stays as it was, and follows another model", async () => {
  const { pictures, current } = open(talkingTo(true));
  current.value = { ...talkingTo(null), services: { ...ME.services, engine: "unavailable" } };
  await nextTick();
  expect(pictures.seen.value).toBe(true);
  current.value = talkingTo(false);
  await nextTick();
  expect(pictures.seen.value).toBe(false);
});

/** A browser that makes a small picture of everything but what is named `broken`. */
function stubDecoder(): void {
  vi.stubGlobal("createImageBitmap", async (file: File) => {
    if (file.name.startsWith("broken")) throw new DOMException("cannot be decoded", "InvalidStateError");
    return { width: 2, height: 2, close: () => undefined };
  });
}

const png = (name: string) => new File([bytes(`\x89PNG\r\n\x1a\n${name}`)], name, { type: "text/plain" });

test("what is no picture is refused by name, and the rest goes on", async () => {
  stubDecoder();
  const { pictures } = open();
  const chat = reactive(newChat(null));
  const adding = pictures.add(chat, [png("one.png"), png("broken.png"), png("two.png")]);
  expect(chat.reading).toBe(3);
  await adding;
  expect(chat.reading).toBe(0);
  expect(chat.pictures).toEqual(["one.png", "two.png"].map((name) => `data:image/png;base64,${btoa(`\x89PNG\r\n\x1a\n${name}`)}`));
  expect(chat.refused).toEqual(["broken.png is not a picture that can be read."]);
  await pictures.add(chat, [png("three.png")]);
  expect(chat.refused).toEqual([]);
});

test("a message carries four, also where they come at the same time", async () => {
  stubDecoder();
  const { pictures } = open();
  const chat = reactive(newChat(null));
  await Promise.all(["a", "b", "c"].map((name) => pictures.add(chat, [png(`${name}1`), png(`${name}2`)])));
  expect(chat.pictures).toHaveLength(4);
  expect(chat.refused).toEqual(["c1", "c2"].map((name) => `${name} was left out: a message carries 4 pictures at most.`));
});
