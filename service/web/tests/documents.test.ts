import { beforeEach, expect, test } from "vitest";

import { MAX_DOCUMENT_BYTES, useDocuments } from "../src/composables/useDocuments";
import { chooseLanguage } from "../src/i18n";
import { json, refusal, stubFetch } from "./support";

beforeEach(() => chooseLanguage("en"));

const file = (name: string, bytes = 4) => new File([new Uint8Array(bytes)], name);
const stored = (id: string, name: string) => ({ id, name, bytes: 4, passages: 1, created_at: "" });

test("a new version of a document takes the place of the old one", async () => {
  stubFetch(({ method }) =>
    method === "GET" ? json({ data: [stored("1", "a.md"), stored("2", "b.md")] }) : json(stored("3", "a.md"), 201),
  );
  const documents = useDocuments();
  await documents.refresh();
  await documents.add([file("a.md")]);
  expect(documents.list.value.map(({ id }) => id)).toEqual(["3", "2"]);
  expect(documents.uploads.value).toEqual([]);
});

test.each([
  [400, "document_empty", "x.md is empty."],
  [415, "document_type", "x.md is of a kind that cannot be read. Can be read: .md, .txt, .html, .pdf, .docx."],
  [413, "request_too_large", "x.md is larger than 20 MiB."],
  [400, "something_new", "x.md was not added: refused: something_new"],
])("a refusal (%i %s) names the file", async (status, code, message) => {
  stubFetch(() => refusal(status, code));
  const documents = useDocuments();
  await documents.add([file("x.md")]);
  expect(documents.uploads.value.map((item) => item.message)).toEqual([message]);
  expect(documents.announcement.value).toBe(message);
});

test("one refused file does not keep the others out, and too large a one is not even sent", async () => {
  const asked = stubFetch(({ body }) => {
    const { name } = (body as FormData).get("file") as File;
    return name === "bad.md" ? refusal(400, "document_empty") : json(stored(name, name), 201);
  });
  const documents = useDocuments();
  await documents.add([file("bad.md"), file("huge.md", MAX_DOCUMENT_BYTES + 1), file("good.md")]);
  expect(documents.list.value.map(({ name }) => name)).toEqual(["good.md"]);
  expect(documents.uploads.value.map(({ name }) => name)).toEqual(["bad.md", "huge.md"]);
  expect(asked).toHaveLength(2);
});
