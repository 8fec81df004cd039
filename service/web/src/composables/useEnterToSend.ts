import { onScopeDispose } from "vue";

const HANGUL = /\p{Script=Hangul}/u;
/** The key code of a key that an input method has taken for itself. */
const TAKEN_BY_INPUT_METHOD = 229;

/**
 * Enter sends, exactly once, also while an input method composes.
 *
 * A Korean writer presses Enter with the last syllable still open. Browsers then report, in an order of their own:
 *   Chrome, macOS:    keydown (229, composing), compositionend, keydown (Enter)
 *   Chrome, Windows:  keydown (229, composing), compositionend
 *   Safari:           compositionend, keydown (229)
 * In each the syllable must be whole before the text is sent, and the text must go once. With Japanese and Chinese the
 * same key only picks a candidate, so nothing is sent where the composed text is not Hangul.
 *
 * `send` reads the text itself and does nothing when there is none: a second Enter that follows is then harmless.
 */
export function useEnterToSend(send: () => void) {
  let composing = false;
  let composed = "";
  let waiting: ReturnType<typeof setTimeout> | undefined;
  let enterTaken = false;

  function cancel(): void {
    clearTimeout(waiting);
    waiting = undefined;
  }

  /** The field's value is final only after the browser has finished with the event at hand. */
  function sendSoon(): void {
    cancel();
    waiting = setTimeout(() => {
      waiting = undefined;
      send();
    });
  }

  function onKeydown(event: KeyboardEvent): void {
    if (event.key !== "Enter" && event.code !== "Enter" && event.code !== "NumpadEnter") return;
    if (event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    if (composing || event.isComposing) {
      enterTaken = true;
    } else if (event.keyCode === TAKEN_BY_INPUT_METHOD) {
      if (HANGUL.test(composed)) sendSoon();
    } else if (!event.repeat) {
      cancel();
      send();
    }
    composed = "";
  }

  function onCompositionstart(): void {
    composing = true;
    enterTaken = false;
    cancel();
  }

  function onCompositionend(event: CompositionEvent): void {
    composing = false;
    composed = event.data;
    if (enterTaken && HANGUL.test(composed)) sendSoon();
    enterTaken = false;
  }

  onScopeDispose(cancel);
  return { onKeydown, onCompositionstart, onCompositionend };
}
