import { ref, watchEffect } from "vue";

import { recall, remember } from "../storage";

export type Theme = "system" | "light" | "dark";

export const THEMES: readonly Theme[] = ["system", "light", "dark"];

const theme = ref<Theme>(THEMES.find((name) => name === recall("theme")) ?? "system");

watchEffect(() => {
  // style.css turns this into `color-scheme`, from which every colour follows.
  document.documentElement.dataset["theme"] = theme.value;
});

/** The reader's choice of light or dark. */
export function useTheme() {
  function choose(choice: Theme): void {
    theme.value = choice;
    remember("theme", choice);
  }
  return { theme, choose };
}
