/**
 * An answer's markdown as safe HTML, in top-level blocks: while an answer streams in, only its last block changes, and
 * what a reader selected or focused in the others stays.
 */
import DOMPurify from "dompurify";
import MarkdownIt, { type Env, type RendererRule, type StateInline, type Token } from "markdown-it";

export interface MarkdownContext {
  /** Title of each citation by its number; a number that is not here stays plain text. */
  titles: ReadonlyMap<number, string>;
  copyLabel: string;
  sourceLabel: (number: number, title: string) => string;
}

const ALLOWED = {
  ALLOWED_TAGS: [
    ..."p br hr strong em s code pre blockquote ul ol li a button span div".split(" "),
    ..."h3 h4 h5 h6 table thead tbody tr th td".split(" "),
  ],
  ALLOWED_ATTR: [
    ..."href title target rel start type class tabindex aria-label".split(" "),
    ..."data-citation data-copy".split(" "),
  ],
  ALLOW_DATA_ATTR: false,
};

const md = new MarkdownIt({ html: false, linkify: true, breaks: true });
// `[1]: ...` is an answer's own list of sources, not a definition that disappears.
md.disable("reference");
// `README.md` is a file, not a host in Moldova.
md.linkify.set({ fuzzyLink: false, fuzzyEmail: false });
md.inline.ruler.before("link", "citation", citation);

const escape = (text: string) => md.utils.escapeHtml(text);
const contextOf = (env: Env | undefined) => env?.["context"] as MarkdownContext;

/** `[1]`, or `[1, 2]`, where every number names a citation. */
function citation(state: StateInline, silent: boolean): boolean {
  const match = /^\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\](?!\()/.exec(state.src.slice(state.pos, state.pos + 40));
  const { titles } = contextOf(state.env);
  const numbers = (match?.[1] ?? "").split(",").map(Number);
  if (!match || !numbers.every((number) => titles.has(number))) return false;
  if (!silent) for (const number of numbers) state.push("citation", "button", 0).content = String(number);
  state.pos += match[0].length;
  return true;
}

const rules: Record<string, RendererRule> = {
  citation(tokens, index, _options, env) {
    const number = Number(tokens[index]?.content);
    const { titles, sourceLabel } = contextOf(env);
    const label = escape(sourceLabel(number, titles.get(number) ?? ""));
    return `<button type="button" class="citation" data-citation="${number}" aria-label="${label}" title="${label}">${number}</button>`;
  },

  fence(tokens, index, _options, env) {
    const { content = "", info = "" } = tokens[index] ?? {};
    const language = escape(info.trim().split(/\s+/)[0] ?? "");
    const label = escape(contextOf(env).copyLabel);
    return (
      `<div class="code"><div class="code-head"><span>${language}</span>` +
      `<button type="button" data-copy="code">${label}</button></div>` +
      `<pre tabindex="0"><code>${escape(content)}</code></pre></div>\n`
    );
  },

  /** A picture would be fetched from wherever the answer says, and tell that host about it: a link instead. */
  image(tokens, index) {
    const token = tokens[index];
    const href = escape(String(token?.attrGet("src") ?? ""));
    return `<a href="${href}" target="_blank" rel="noopener noreferrer">${escape(token?.content || href)}</a>`;
  },

  link_open(tokens, index, options, _env, self) {
    tokens[index]?.attrSet("target", "_blank");
    tokens[index]?.attrSet("rel", "noopener noreferrer");
    return self.renderToken(tokens, index, options);
  },

  // Below the page's own headings.
  heading_open: (tokens, index) => `<h${headingLevel(tokens[index])}>`,
  heading_close: (tokens, index) => `</h${headingLevel(tokens[index])}>\n`,

  table_open: () => '<div class="table" tabindex="0"><table>',
  table_close: () => "</table></div>\n",
  th_open: (tokens, index) => `<th${alignment(tokens[index])}>`,
  td_open: (tokens, index) => `<td${alignment(tokens[index])}>`,
};
rules["code_block"] = rules["fence"]!;
Object.assign(md.renderer.rules, rules);

const headingLevel = (token: Token | undefined) => Math.min(Number(token?.tag.slice(1)) + 2, 6);

/** A column's alignment as a class: the page's policy allows no style attributes. */
function alignment(token: Token | undefined): string {
  const side = /text-align:(left|center|right)/.exec(String(token?.attrGet("style") ?? ""))?.[1];
  return side ? ` class="${side}"` : "";
}

/** The HTML of each top-level block, in order. */
export function renderBlocks(text: string, context: MarkdownContext): string[] {
  const env: Env = { context };
  const tokens = md.parse(text, env);
  return topLevel(tokens).map((block) => DOMPurify.sanitize(md.renderer.render(block, md.options, env), ALLOWED));
}

function topLevel(tokens: Token[]): Token[][] {
  const blocks: Token[][] = [];
  let depth = 0;
  for (const token of tokens) {
    if (depth === 0) blocks.push([]);
    blocks.at(-1)?.push(token);
    depth += token.nesting;
  }
  return blocks;
}
