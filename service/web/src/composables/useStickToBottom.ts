import { onBeforeUnmount, onMounted, ref, type Ref } from "vue";

/** Nearer to the end than this counts as being there. */
const NEAR_PIXELS = 48;

/** Keeps the end of a growing text in sight, until the reader scrolls up to read. */
export function useStickToBottom(viewport: Ref<HTMLElement | null>, content: Ref<HTMLElement | null>) {
  const atEnd = ref(true);
  const observer = new ResizeObserver(() => {
    if (atEnd.value) toEnd();
  });

  function toEnd(): void {
    atEnd.value = true;
    viewport.value?.scrollTo({ top: viewport.value.scrollHeight });
  }

  function onScroll(): void {
    const view = viewport.value;
    if (view) atEnd.value = view.scrollHeight - view.scrollTop - view.clientHeight < NEAR_PIXELS;
  }

  onMounted(() => {
    if (content.value) observer.observe(content.value);
    if (viewport.value) observer.observe(viewport.value);
  });
  onBeforeUnmount(() => observer.disconnect());
  return { atEnd, toEnd, onScroll };
}
