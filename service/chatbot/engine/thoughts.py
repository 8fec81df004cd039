"""The reasoning that some models write before an answer, in `<think>` and `</think>`; it is no part of the answer."""

OPEN, CLOSE = "<think>", "</think>"


class Thoughts:
    """Takes such blocks from the head of an answer as it comes; tags further on are the answer's own text."""

    def __init__(self, *, is_open: bool = False) -> None:
        """`is_open`: the prompt has opened a block already, so that only its end will be written."""
        self._is_inside = is_open
        self._is_over = False
        self._has_thought = is_open
        self._held = ""

    def feed(self, text: str) -> str:
        """What of the answer can be shown now."""
        self._held += text
        while not self._is_over:
            if self._is_inside:
                _, end, after = self._held.partition(CLOSE)
                if not end:
                    self._held = self._held[1 - len(CLOSE) :]  # may be the beginning of the tag
                    return ""
                self._is_inside, self._held = False, after
            head = self._held.lstrip()
            if head.startswith(OPEN):
                self._is_inside = self._has_thought = True
                self._held = head.removeprefix(OPEN)
            elif OPEN.startswith(head):
                return ""
            else:
                self._is_over = True
                self._held = head if self._has_thought else self._held
        return self._taken()

    def rest(self) -> str:
        """What was held back when the model ended; nothing of reasoning that has no end."""
        return "" if self._is_inside else self._taken()

    def _taken(self) -> str:
        taken, self._held = self._held, ""
        return taken


def without_thoughts(content: str) -> str:
    """An earlier answer as the next prompt has it."""
    _, end, answer = content.rpartition(CLOSE)
    return answer.lstrip() if end else content
