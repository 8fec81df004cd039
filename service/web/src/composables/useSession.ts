import { readonly, ref, shallowRef } from "vue";

import { ApiError, getMe, signIn as openSession, signOut as closeSession, whenSignedOut } from "../api";
import type { Me } from "../types";

/**
 * loading: not asked yet; unreachable: asked in vain; out: sign-in needed; in: signed in;
 * expired: it was `in` until the service said otherwise, and what is on the screen must not be lost.
 */
export type SessionState = "loading" | "unreachable" | "out" | "in" | "expired";

/** Who is signed in, and what the service can do now. */
export function useSession() {
  const state = ref<SessionState>("loading");
  const me = shallowRef<Me | null>(null);

  whenSignedOut(() => {
    state.value = state.value === "in" || state.value === "expired" ? "expired" : "out";
  });

  /** Ask again. While somebody is signed in, a failure changes nothing: the chat reports its own. */
  async function refresh(): Promise<void> {
    try {
      const now = await getMe();
      // Somebody else has signed in over this one's chats.
      if (me.value && me.value.name !== now.name) return location.reload();
      me.value = now;
      state.value = "in";
    } catch (error) {
      const signedOut = error instanceof ApiError && error.status === 401; // told through whenSignedOut
      if (!signedOut && state.value !== "in" && state.value !== "expired") state.value = "unreachable";
    }
  }

  /** Throws an `ApiError`, status 401 for a wrong key. */
  async function signIn(apiKey: string): Promise<void> {
    await openSession(apiKey);
    await refresh();
  }

  async function signOut(): Promise<void> {
    // A session that has ended already is a session that has ended.
    const elsewhere = await closeSession().catch((error: unknown) => {
      if (!(error instanceof ApiError && error.status === 401)) throw error;
      return null;
    });
    state.value = "out";
    me.value = null;
    if (elsewhere) location.assign(elsewhere);
  }

  return { state: readonly(state), me: readonly(me), refresh, signIn, signOut };
}

export type Session = ReturnType<typeof useSession>;
