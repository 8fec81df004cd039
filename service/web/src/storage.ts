/** The reader's choices, kept by the browser where it allows that. */

export function recall(key: string): string | null {
  try {
    return localStorage.getItem(`aihub.${key}`);
  } catch {
    return null; // storage can be switched off; the choice then lasts as long as the page
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(`aihub.${key}`, value);
  } catch {
    // see above
  }
}
