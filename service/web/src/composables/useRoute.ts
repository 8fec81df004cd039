import { onScopeDispose, readonly, ref } from "vue";

const PREFIX = "#/c/";

/** The conversation that the address names (`#/c/ID`), so that reload, back and a bookmark come to the same place. */
export function useRoute() {
  const conversationId = ref(current());
  const update = () => (conversationId.value = current());
  window.addEventListener("hashchange", update);
  onScopeDispose(() => window.removeEventListener("hashchange", update));

  /** Go to a conversation, null: to a new one. `replace` leaves no step to go back to. */
  function go(id: string | null, { replace = false } = {}): void {
    const address = id === null ? location.pathname : PREFIX + encodeURIComponent(id);
    if (replace) history.replaceState(null, "", address);
    else history.pushState(null, "", address);
    update();
  }

  // `pushState` fires nothing; going back over its steps fires `popstate`, not always `hashchange`.
  window.addEventListener("popstate", update);
  onScopeDispose(() => window.removeEventListener("popstate", update));

  return { conversationId: readonly(conversationId), go };
}

function current(): string | null {
  if (!location.hash.startsWith(PREFIX)) return null;
  try {
    return decodeURIComponent(location.hash.slice(PREFIX.length)) || null;
  } catch {
    return null; // not an address that this page wrote
  }
}
