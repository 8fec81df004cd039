import { onBeforeUnmount, onMounted, ref, type Ref } from "vue";

/** Nearer to the end than this counts as being there. */
const NEAR_PIXELS = 48;

/** Keeps the end of a growing text in sight, until the reader scrolls up to read. */
export function useStickToBottom(viewport: Ref<HTMLElement | null>, content: Ref<HTMLElement | null>) {
  const atEnd = ref(true);
  let lastTop = 0;
  const observer = new ResizeObserver(() => {
    if (atEnd.value) toEnd();
  });

  function toEnd(): void {
    atEnd.value = true;
    viewport.value?.scrollTo({ top: viewport.value.scrollHeight });
  }

  function onScroll(): void {
    const view = viewport.value;
    if (!view) return;
    if (view.scrollHeight - view.scrollTop - view.clientHeight < NEAR_PIXELS) atEnd.value = true;
    // Farther away without a step up: the text has grown, or its place has shrunk, since `toEnd`.
    else if (view.scrollTop < lastTop) atEnd.value = false;
    lastTop = view.scrollTop;
  }

  onMounted(() => {
    if (content.value) observer.observe(content.value);
    if (viewport.value) observer.observe(viewport.value);
  });
  onBeforeUnmount(() => observer.disconnect());
  return { atEnd, toEnd, onScroll };
}
