import { beforeEach, expect, test } from "vitest";

import { formatBytes, period } from "../src/format";
import { chooseLanguage, t } from "../src/i18n";
import { en } from "../src/locales/en";
import { ko } from "../src/locales/ko";

beforeEach(() => chooseLanguage("en"));

const names = (text: string) => (text.match(/\{\w+\}/g) ?? []).toSorted();

test.each(Object.keys(en) as (keyof typeof en)[])("%s is there in both languages, with the same values", (key) => {
  expect(ko[key].trim()).not.toBe("");
  expect(names(ko[key])).toEqual(names(en[key]));
});

test("choosing a language changes the texts and the page's own language", async () => {
  chooseLanguage("ko");
  await Promise.resolve();
  expect(t("composer.send")).toBe("보내기");
  expect(document.documentElement.lang).toBe("ko");
});

test("values are filled in as they are", () => {
  expect(t("documents.tooLarge", { name: "$& {name}" })).toBe("$& {name} is larger than 20 MiB.");
});

test.each([
  [0, "0 B"],
  [1023, "1,023 B"],
  [1024, "1 KiB"],
  [2_500_000, "2.4 MiB"],
])("%i bytes are %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));

test.each([
  ["2026-03-10T00:00:00", "nav.today"],
  ["2026-03-09T23:59:59", "nav.week"],
  ["2026-03-04T00:00:00", "nav.week"],
  ["2026-03-03T23:59:59", "nav.older"],
])("on 10 March, %s is listed under %s", (time, heading) =>
  expect(period(time, new Date("2026-03-10T09:00:00"))).toBe(heading),
);
