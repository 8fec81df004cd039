/** Sizes and dates as people read them. */
import { language, type MessageKey } from "./i18n";

const UNITS = ["B", "KiB", "MiB", "GiB"];

export function formatBytes(bytes: number): string {
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), UNITS.length - 1);
  const number = new Intl.NumberFormat(language.value, { maximumFractionDigits: power > 1 ? 1 : 0 });
  return `${number.format(bytes / 1024 ** power)} ${UNITS[power]}`;
}

export function formatPercent(share: number): string {
  return new Intl.NumberFormat(language.value, { style: "percent" }).format(share);
}

const DAY_MILLISECONDS = 86_400_000;

/** The heading under which a conversation of that time is listed. */
export function period(time: string, now = new Date()): MessageKey {
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  const then = Date.parse(time);
  if (then >= midnight) return "nav.today";
  return then >= midnight - 6 * DAY_MILLISECONDS ? "nav.week" : "nav.older";
}
