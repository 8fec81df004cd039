import { expect, test, vi } from "vitest";
import { createApp, defineComponent, h, ref } from "vue";

import { useStickToBottom } from "../src/composables/useStickToBottom";

/** A view whose measures a test sets, since jsdom lays nothing out. */
function open(measures: { scrollTop: number; clientHeight: number; scrollHeight: number }) {
  const observed: (() => void)[] = [];
  vi.stubGlobal(
    "ResizeObserver",
    class {
      constructor(resized: () => void) {
        observed.push(resized);
      }
      observe(): void {}
      disconnect(): void {}
    },
  );
  const scrollTo = ({ top }: { top: number }) => (measures.scrollTop = top - measures.clientHeight);
  const view = Object.assign(measures, { scrollTo }) as unknown as HTMLElement;
  let stick: ReturnType<typeof useStickToBottom>;
  const Host = defineComponent(() => {
    stick = useStickToBottom(ref(view), ref(null));
    return () => h("div");
  });
  createApp(Host).mount(document.createElement("div"));
  return { stick: stick!, resized: () => observed.forEach((tell) => tell()) };
}

test("the end stays in sight, also where its place shrinks before the browser has told of the scroll", () => {
  const measures = { scrollTop: 0, clientHeight: 500, scrollHeight: 600 };
  const { stick, resized } = open(measures);
  resized();
  expect(measures.scrollTop).toBe(100);
  measures.clientHeight = 400;
  stick.onScroll(); // of the step above
  resized();
  expect(measures.scrollTop).toBe(200);
  expect(stick.atEnd.value).toBe(true);
});

test("a reader who scrolls up is left there, and followed again at the end", () => {
  const measures = { scrollTop: 1000, clientHeight: 500, scrollHeight: 1500 };
  const { stick, resized } = open(measures);
  stick.onScroll();
  measures.scrollTop = 300;
  stick.onScroll();
  measures.scrollHeight = 2000;
  resized();
  expect([stick.atEnd.value, measures.scrollTop]).toEqual([false, 300]);
  measures.scrollTop = 600; // down again, not to the end
  stick.onScroll();
  expect(stick.atEnd.value).toBe(false);
  measures.scrollTop = 1480;
  stick.onScroll();
  expect(stick.atEnd.value).toBe(true);
});
