import { readonly, ref, shallowRef } from "vue";

import { deleteConversation, listConversations, renameConversation } from "../api";
import type { ConversationSummary } from "../types";

/** The list of conversations, the most recently used first. */
export function useConversations() {
  const list = shallowRef<readonly ConversationSummary[]>([]);
  const state = ref<"loading" | "ready" | "failed">("loading");
  let asked = 0;

  /** Never throws: the list says that it failed, and keeps what it had. */
  async function refresh(): Promise<void> {
    const ask = ++asked;
    try {
      const found = await listConversations();
      if (ask !== asked) return; // a later answer is on its way
      list.value = found.toSorted((one, other) => other.updated_at.localeCompare(one.updated_at));
      state.value = "ready";
    } catch {
      if (ask === asked) state.value = "failed";
    }
  }

  async function rename(id: string, title: string): Promise<void> {
    const before = list.value;
    list.value = before.map((item) => (item.id === id ? { ...item, title } : item));
    try {
      await renameConversation(id, title);
    } catch (error) {
      list.value = before;
      throw error;
    }
  }

  async function remove(id: string): Promise<void> {
    await deleteConversation(id);
    list.value = list.value.filter((item) => item.id !== id);
  }

  return { list: readonly(list), state: readonly(state), refresh, rename, remove };
}

export type Conversations = ReturnType<typeof useConversations>;
