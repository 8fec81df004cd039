import { expect, test } from "vitest";

import { renderBlocks } from "../src/markdown";

const context = {
  titles: new Map([
    [1, "README.md"],
    [2, '<b>"two"</b>'],
  ]),
  copyLabel: "Copy",
  sourceLabel: (number: number, title: string) => `Source ${number}: ${title}`,
};

function render(text: string): HTMLElement {
  const element = document.createElement("div");
  element.innerHTML = renderBlocks(text, context).join("");
  return element;
}

test.each([
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "[click](javascript:alert(1))",
  "[click](data:text/html,x)",
  "![pixel](https://example.org/pixel.png)",
  '<a href="javascript:alert(1)">x</a>',
  '<p style="position:fixed">x</p>',
  "<svg/onload=alert(1)>",
  '```"><img src=x onerror=alert(1)>\ncode\n```',
  "| a |\n|:-:|\n| <iframe src=//example.org> |",
  "<button data-citation=7>x</button>",
])("nothing in %j can run, load or pose as the page", (text) => {
  const element = render(text);
  expect(element.querySelector("script, img, svg, iframe, style, form, input, [style], [onerror], [onload]")).toBeNull();
  expect(element.querySelector("[data-citation='7']")).toBeNull();
  for (const link of element.querySelectorAll("a")) expect(link.protocol).toMatch(/^https?:$/);
});

test("a picture is a link that nobody follows by itself", () => {
  const link = render("![a cat](https://example.org/cat.png)").querySelector("a");
  expect(link?.textContent).toBe("a cat");
  expect(link?.getAttribute("rel")).toBe("noopener noreferrer");
});

test("numbers of citations become buttons, also several at once", () => {
  const buttons = [...render("So it is [1], and so [1, 2][2].").querySelectorAll("button")];
  expect(buttons.map((button) => button.dataset["citation"])).toEqual(["1", "1", "2", "2"]);
  expect(buttons[1]?.getAttribute("aria-label")).toBe("Source 1: README.md");
  expect(buttons[3]?.getAttribute("aria-label")).toBe('Source 2: <b>"two"</b>');
});

test.each(["a list [3] of nothing", "`array[1]`", "```\nx[1]\n```", "[1](https://example.org)", "\\[1]", "[1, 3]"])(
  "%j cites nothing",
  (text) => {
    expect(render(text).querySelector("[data-citation]")).toBeNull();
  },
);

test("a list of sources at the end of an answer is not swallowed", () => {
  expect(render("Yes [1].\n\n[1]: README.md").textContent).toContain(": README.md");
});

test("the name of a file is not a link, an address is", () => {
  const links = [...render("See README.md and https://example.org/a.").querySelectorAll("a")];
  expect(links.map((link) => link.href)).toEqual(["https://example.org/a"]);
});

test("code keeps its text and names its language", () => {
  const element = render('```sh extra\necho "<b>" && ls\n```\n\n    indented');
  expect(element.querySelector("code")?.textContent).toBe('echo "<b>" && ls\n');
  expect(element.querySelector(".code-head span")?.textContent).toBe("sh");
  expect(element.querySelectorAll("[data-copy]")).toHaveLength(2);
});

test("columns keep their alignment without style attributes", () => {
  const cells = [...render("| a | b |\n|:-:|--:|\n| 1 | 2 |").querySelectorAll("td")];
  expect(cells.map((cell) => cell.className)).toEqual(["center", "right"]);
});

test("headings stay below those of the page", () => {
  const names = [...render("# one\n\n## two\n\n###### six").querySelectorAll("h3, h4, h6")].map((item) => item.tagName);
  expect(names).toEqual(["H3", "H4", "H6"]);
});

test("while text is added, only the last block changes", () => {
  const text = "First *paragraph*.\n\n- one\n- two\n\n```py\nprint(1)\n```\n\nThe last one";
  const before = renderBlocks(text, context);
  const after = renderBlocks(`${text} goes on`, context);
  expect(before).toHaveLength(4);
  expect(after.slice(0, 3)).toEqual(before.slice(0, 3));
  expect(after[3]).not.toBe(before[3]);
});
