"""The words of a question that say what it is about."""

import re

from chatbot.language import is_hangul

WORD = re.compile(r"\w+")
ENGLISH_FILLERS = (
    "a about an and any are as at be been by can could describe did do does explain for from get give had has have "
    "hello hi how i if in into is it its know like me my need of on or our please should show so some tell than that "
    "the their them there these they this those to us use used uses using was we were what when where which who whose "
    "why will with would you your"
)
KOREAN_FILLERS = (
    "무엇 무엇인가 무엇인가요 뭐 뭐야 뭔가요 어떻게 어떤 어느 어디 언제 누구 왜 얼마 얼마나 며칠 며칠인가 "
    "며칠인가요 몇 알려줘 알려주세요 설명해줘 설명해 설명해주세요 해줘 해주세요 주세요 대해 대해서 관해 관련 "
    "있나요 있어 있어요 있습니까 인가요 하나요 되나요 합니까 입니까 됩니까 안녕하세요 안녕 그리고 또는 이것 그것 "
    "저것 방법 경우"
)
FILLERS = frozenset(f"{ENGLISH_FILLERS} {KOREAN_FILLERS}".split())
KOREAN_ENDINGS_TEXT = (
    "되나요 하나요 됩니까 합니까 되는가 하는가 인가요 에서는 으로는 에게는 까지는 에서 으로 에게 까지 부터 "
    "처럼 하고 이나 에는 은 는 이 가 을 를 의 에 와 과 도 로 만"
)
KOREAN_ENDINGS = tuple(KOREAN_ENDINGS_TEXT.split())
ENGLISH_ENDINGS = ("ing", "ed", "es", "s", "e")
SHORTEST_STEM = {True: 2, False: 4}
"""Letters that must remain, Korean and other."""


def content_words(text: str) -> list[str]:
    """The stems of the words that are no fillers, in order, each once."""
    words = [stem(word) for word in WORD.findall(text.lower()) if word not in FILLERS]
    return [word for word in dict.fromkeys(words) if len(word) > 1 and word not in FILLERS]


def stem(word: str) -> str:
    """`word` (lower case) without its most common ending, if enough remains."""
    is_korean = is_hangul(word[-1])
    least = SHORTEST_STEM[is_korean]
    endings = KOREAN_ENDINGS if is_korean else ENGLISH_ENDINGS
    ending = next((end for end in endings if word.endswith(end) and len(word) - len(end) >= least), "")
    return word.removesuffix(ending)
