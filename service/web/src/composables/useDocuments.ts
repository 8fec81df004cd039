import { computed, readonly, ref, shallowRef } from "vue";

import { deleteDocument, listDocuments, uploadDocument } from "../api";
import { describeUploadError } from "../errors";
import { t } from "../i18n";
import type { StoredDocument } from "../types";

export const MAX_DOCUMENT_BYTES = 20 * 1024 ** 2;

export interface Upload {
  id: number;
  name: string;
  state: "waiting" | "reading" | "refused";
  /** Why it was refused, in the reader's language. */
  message: string;
}

/** The documents that answers rest on, and the files on their way to become some. */
export function useDocuments() {
  const list = shallowRef<readonly StoredDocument[]>([]);
  const state = ref<"loading" | "ready" | "failed">("loading");
  const uploads = ref<Upload[]>([]);
  /** Said to screen readers. */
  const announcement = ref("");
  let lastId = 0;
  let queue: Promise<void> = Promise.resolve();

  async function refresh(): Promise<void> {
    try {
      list.value = await listDocuments();
      state.value = "ready";
    } catch {
      state.value = "failed";
    }
  }

  /** Takes the files in one after the other: the service reads one at a time. */
  function add(files: Iterable<File>): Promise<void> {
    for (const file of files) {
      const id = ++lastId;
      const tooLarge = file.size > MAX_DOCUMENT_BYTES;
      const message = tooLarge ? t("documents.tooLarge", { name: file.name }) : "";
      uploads.value.push({ id, name: file.name, state: tooLarge ? "refused" : "waiting", message });
      if (tooLarge) announcement.value = message;
      else queue = queue.then(() => take(id, file));
    }
    return queue;
  }

  async function take(id: number, file: File): Promise<void> {
    change(id, { state: "reading" });
    try {
      const added = await uploadDocument(file);
      dismiss(id);
      list.value = [added, ...list.value.filter((item) => item.id !== added.id && item.name !== added.name)];
      announcement.value = t("documents.added", { name: added.name });
    } catch (error) {
      const message = describeUploadError(error, file.name);
      change(id, { state: "refused", message });
      announcement.value = message;
    }
  }

  function change(id: number, values: Partial<Upload>): void {
    uploads.value = uploads.value.map((item) => (item.id === id ? { ...item, ...values } : item));
  }

  function dismiss(id: number): void {
    uploads.value = uploads.value.filter((item) => item.id !== id);
  }

  async function remove(id: string): Promise<void> {
    await deleteDocument(id);
    list.value = list.value.filter((item) => item.id !== id);
  }

  const busy = computed(() => uploads.value.some((item) => item.state !== "refused"));
  return {
    list: readonly(list),
    state: readonly(state),
    uploads: readonly(uploads),
    announcement: readonly(announcement),
    busy,
    refresh,
    add,
    dismiss,
    remove,
  };
}

export type Documents = ReturnType<typeof useDocuments>;
