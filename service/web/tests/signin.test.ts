import { expect, test } from "vitest";

import { organisationPath, signOut } from "../src/api";
import { json, stubFetch } from "./support";

test.each([
  ["", "/login/start"],
  ["#/", "/login/start"],
  ["#/c/conv_0123456789abcdef", "/login/start?conversation=conv_0123456789abcdef"],
  ["#/c/conv_0123456789abcdef&x=y", "/login/start"],
  ["#/c/../../evil", "/login/start"],
])("from the address %s one leaves by %s", (hash, path) => expect(organisationPath(hash)).toBe(path));

test("signing out says where to sign out of the organisation, if anywhere", async () => {
  const elsewhere = "https://id.example.org/end";
  stubFetch(() => json({ end_session_url: elsewhere }));
  expect(await signOut()).toBe(elsewhere);
  stubFetch(() => new Response(null, { status: 204 }));
  expect(await signOut()).toBeNull();
});
