import { ref, watchEffect } from "vue";

import { en } from "./locales/en";
import { ko } from "./locales/ko";
import { recall, remember } from "./storage";

export type MessageKey = keyof typeof en;
export type Language = "en" | "ko";

const MESSAGES: Record<Language, Record<MessageKey, string>> = { en, ko };

/** The language in use; `chooseLanguage` changes it. */
export const language = ref<Language>(preferred());

function preferred(): Language {
  const chosen = recall("language");
  if (chosen === "en" || chosen === "ko") return chosen;
  // The first of the reader's languages that the page speaks.
  const first = navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => tag === "en" || tag === "ko");
  return first === "ko" ? "ko" : "en";
}

export function chooseLanguage(choice: Language): void {
  language.value = choice;
  remember("language", choice);
}

watchEffect(() => {
  document.documentElement.lang = language.value;
});

/** The text of `key` in the reader's language, `{names}` filled in. */
export function t(key: MessageKey, values: Record<string, string | number> = {}): string {
  return MESSAGES[language.value][key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
