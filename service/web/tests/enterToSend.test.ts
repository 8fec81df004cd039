import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { effectScope } from "vue";

import { useEnterToSend } from "../src/composables/useEnterToSend";

let field: HTMLTextAreaElement;
let sent: string[];
const scope = effectScope();

beforeEach(() => {
  vi.useFakeTimers();
  field = document.createElement("textarea");
  sent = [];
  const { onKeydown, onCompositionstart, onCompositionend } = scope.run(() =>
    useEnterToSend(() => {
      if (!field.value.trim()) return;
      sent.push(field.value.trim());
      field.value = "";
    }),
  )!;
  field.addEventListener("keydown", onKeydown);
  field.addEventListener("compositionstart", onCompositionstart);
  field.addEventListener("compositionend", onCompositionend);
});
afterEach(() => vi.useRealTimers());

function key(init: KeyboardEventInit = {}): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key: "Enter", code: "Enter", keyCode: 13, cancelable: true, ...init });
  field.dispatchEvent(event);
  return event;
}

const taken = (isComposing: boolean) => key({ key: "Process", keyCode: 229, isComposing });
const start = () => field.dispatchEvent(new CompositionEvent("compositionstart"));

/** The last syllable becomes part of the text. */
function end(data: string): void {
  field.value += data;
  field.dispatchEvent(new CompositionEvent("compositionend", { data }));
}

const ORDERS: Record<string, () => void> = {
  "Chrome on macOS": () => {
    taken(true);
    end("요");
    key();
  },
  "Chrome on macOS, with time between": () => {
    taken(true);
    end("요");
    vi.runAllTimers();
    key();
  },
  "Chrome on Windows": () => {
    taken(true);
    end("요");
  },
  Safari: () => {
    end("요");
    taken(false);
  },
  "Safari, with a key name": () => {
    end("요");
    key({ keyCode: 229 });
  },
};

test.each(Object.entries(ORDERS))("Hangul, one Enter, sent once and whole: %s", (_, events) => {
  field.value = "안녕하세";
  start();
  events();
  vi.runAllTimers();
  expect(sent).toEqual(["안녕하세요"]);
  expect(field.value).toBe("");
});

test("a line break that slips in while the syllable closes is not sent", () => {
  field.value = "네";
  start();
  taken(true);
  end("요");
  field.value += "\n";
  vi.runAllTimers();
  expect(sent).toEqual(["네요"]);
});

test("Enter that picks a Japanese candidate sends nothing, the next one does", () => {
  start();
  taken(true);
  end("日本");
  vi.runAllTimers();
  expect(sent).toEqual([]);
  key();
  expect(sent).toEqual(["日本"]);
});

test("writing on after a syllable that Enter closed does not send later", () => {
  start();
  taken(true);
  end("가");
  start();
  vi.runAllTimers();
  expect(sent).toEqual([]);
});

test("a syllable that ends without Enter sends nothing", () => {
  start();
  end("가");
  vi.runAllTimers();
  expect(sent).toEqual([]);
});

test("Enter without composition sends at once, Shift and Enter does not", () => {
  field.value = "hello";
  expect(key({ shiftKey: true }).defaultPrevented).toBe(false);
  expect(sent).toEqual([]);
  expect(key().defaultPrevented).toBe(true);
  expect(sent).toEqual(["hello"]);
});

test("a key that is held down sends once", () => {
  field.value = "hello";
  key();
  field.value = "next";
  expect(key({ repeat: true }).defaultPrevented).toBe(true);
  expect(sent).toEqual(["hello"]);
});
