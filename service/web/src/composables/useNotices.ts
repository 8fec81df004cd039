import { computed, onScopeDispose, ref, watch } from "vue";

import { t, type MessageKey } from "../i18n";
import type { Me } from "../types";

/** How often to look whether what is away has come back. */
const LOOK_MILLISECONDS = 15_000;

const AWAY: Record<keyof Me["services"], MessageKey> = {
  history: "notice.history",
  documents: "notice.documents",
  engine: "notice.engine",
};

/**
 * What the reader should know: the notices that came with the last answer, else what the service lacks now.
 * While something is away, `look` asks again from time to time; it must never throw.
 */
export function useNotices(me: () => Me | null, answerNotices: () => readonly string[], look: () => Promise<void>) {
  const dismissed = ref(new Set<string>());

  const away = computed(() => {
    const services = me()?.services;
    return services ? (Object.keys(AWAY) as (keyof typeof AWAY)[]).filter((name) => services[name] !== "ok") : [];
  });
  const all = computed(() => (answerNotices().length > 0 ? answerNotices() : away.value.map((name) => t(AWAY[name]))));
  const notices = computed(() => all.value.filter((notice) => !dismissed.value.has(notice)));

  // What went and came back may be told again.
  watch(all, (now) => {
    dismissed.value = new Set([...dismissed.value].filter((notice) => now.includes(notice)));
  });

  const timer = setInterval(() => {
    if (away.value.length > 0 && !document.hidden) void look();
  }, LOOK_MILLISECONDS);
  onScopeDispose(() => clearInterval(timer));

  return { notices, dismiss: (notice: string) => void dismissed.value.add(notice) };
}
