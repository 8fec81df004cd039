import { readonly, ref, watch } from "vue";

import { MAX_PICTURES, type Chat } from "../chat";
import { t } from "../i18n";
import { readPicture } from "../pictures";
import type { Me } from "../types";

/** Pictures beside a draft, where the model sees them. */
export function usePictures(me: () => Me) {
  const seen = ref(false);
  let queue: Promise<void> = Promise.resolve();

  // While the engine is away nobody can tell: then it stays as it was.
  watch(
    me,
    ({ model, services }) => {
      if (services.engine === "ok") seen.value = model.images === true;
    },
    { immediate: true },
  );

  /** Takes the pictures in one after the other; what cannot be one is said by name, and the rest goes on. */
  function add(chat: Chat, files: readonly File[]): Promise<void> {
    chat.refused = [];
    for (const file of files) {
      chat.reading += 1;
      queue = queue.then(() => take(chat, file));
    }
    return queue;
  }

  async function take(chat: Chat, file: File): Promise<void> {
    const full = chat.pictures.length >= MAX_PICTURES;
    const url = full ? null : await readPicture(file).catch(() => null);
    chat.reading -= 1;
    if (url !== null) return void chat.pictures.push(url);
    const message = t(full ? "pictures.tooMany" : "pictures.unreadable", { name: file.name, most: MAX_PICTURES });
    if (!chat.refused.includes(message)) chat.refused.push(message);
  }

  return { seen: readonly(seen), add };
}
