import { onScopeDispose, readonly, ref } from "vue";

/** Files that are dropped anywhere on the page. `over` says that some hover above it now. */
export function useFileDrop(onFiles: (files: File[]) => void) {
  const over = ref(false);
  /** A pointer enters a child before it leaves its parent: only the balance tells. */
  let depth = 0;

  const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
  const listeners: Record<string, (event: DragEvent) => void> = {
    dragenter: () => (over.value = ++depth > 0),
    dragover: (event) => event.preventDefault(), // else the browser opens the file in place of the page
    dragleave: () => (over.value = --depth > 0),
    drop: (event) => {
      end();
      if (event.defaultPrevented) return; // a drop area of its own has taken them
      event.preventDefault();
      onFiles([...(event.dataTransfer?.files ?? [])]);
    },
  };

  function end(): void {
    depth = 0;
    over.value = false;
  }

  function handle(event: Event): void {
    if (event instanceof DragEvent && hasFiles(event)) listeners[event.type]?.(event);
  }

  for (const type of Object.keys(listeners)) window.addEventListener(type, handle);
  onScopeDispose(() => {
    for (const type of Object.keys(listeners)) window.removeEventListener(type, handle);
  });
  return { over: readonly(over) };
}
