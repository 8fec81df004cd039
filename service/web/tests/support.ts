import { vi } from "vitest";

export type Answer = (request: { method: string; path: string; body: unknown; signal: AbortSignal | null }) => Response;

/** Puts `answer` in the place of the network; gives back what was asked, as `METHOD path`. */
export function stubFetch(answer: Answer): string[] {
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (path: string, init: RequestInit = {}) => {
    const method = init.method ?? "GET";
    asked.push(`${method} ${path}`);
    const body: unknown = typeof init.body === "string" ? JSON.parse(init.body) : init.body;
    return answer({ method, path, body, signal: init.signal ?? null });
  });
  return asked;
}

export const json = (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers });

export const refusal = (status: number, code: string, headers: Record<string, string> = {}) =>
  json({ error: { message: `refused: ${code}`, type: "t", param: null, code } }, status, headers);

export const event = (body: unknown) => `data: ${JSON.stringify(body)}\n\n`;
export const text = (content: string) => event({ choices: [{ delta: { content }, finish_reason: null }] });
export const DONE = "data: [DONE]\n\n";

export const stream = (...parts: string[]) => new Response(parts.join(""));
