import tailwindcss from "@tailwindcss/vite";
import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vitest/config";

/** Where `python -m chatbot` listens, for `npm run dev`. */
const service = "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [vue(), tailwindcss()],
  build: {
    // The first versions with `light-dark()`, which style.css rests on.
    target: ["chrome123", "edge123", "firefox120", "safari17.5"],
    // Everything is a file of its own: the page's policy (`default-src 'self'`) knows data: URLs of pictures only.
    assetsInlineLimit: 0,
  },
  server: {
    proxy: { "/api": service, "/v1": service, "/login": service },
  },
  test: {
    environment: "jsdom",
    include: ["tests/**/*.test.ts"],
    restoreMocks: true,
    unstubGlobals: true,
  },
});
