"""Models that see, on tiny random ones, and what becomes of an image before they do."""

import base64
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from chatbot.engine.embedding import Embedder
from chatbot.engine.model_folder import check_model_folder
from chatbot.engine.protocol import ContextLengthExceededError, GenerationRequest, ImagesUnsupportedError, Message
from chatbot.engine.sight import SIDE_PIXELS, ImageInvalidError, opened
from chatbot.engine.transformers import TransformersEngine
from chatbot.settings import ConfigurationError
from tests.service.chatbot.engine.loaded import load
from tests.service.chatbot.images import data_url, image
from tests.service.chatbot.tiny_seeing import CONTEXT_TOKENS, KINDS

WHAT = Message("user", "What is this?", images=(image(),))
ASKED = GenerationRequest(messages=(WHAT,), max_tokens=12, ignore_eos=True, temperature=0.0)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    parent = tmp_path_factory.mktemp("seeing")
    return {name: make(parent / name) for name, make in KINDS.items()}


@pytest.fixture(params=sorted(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def engine(folders: dict[str, Path], kind: str, embedder: Embedder, tmp_path: Path) -> TransformersEngine:
    return load(folders[kind], embedder, tmp_path)


async def answered(engine: TransformersEngine, request: GenerationRequest) -> tuple[str, int]:
    """The text, and the tokens that were read for it."""
    deltas = [delta async for delta in engine.stream(request)]
    usage = deltas[-1].usage
    assert usage is not None
    assert usage.completion_tokens == request.max_tokens
    return "".join(delta.text for delta in deltas), usage.prompt_tokens


def showing(*urls: str) -> GenerationRequest:
    return replace(ASKED, messages=(replace(WHAT, images=urls),))


async def test_it_says_that_it_sees(engine: TransformersEngine) -> None:
    assert (await engine.describe()).images is True


async def test_the_answer_depends_on_the_image(engine: TransformersEngine) -> None:
    white, _ = await answered(engine, showing(image("white")))
    again, _ = await answered(engine, showing(image("white")))
    black, _ = await answered(engine, showing(image("black")))
    assert white == again
    assert white != black


async def test_an_image_takes_tokens_and_two_take_twice_as_many(engine: TransformersEngine) -> None:
    _, none = await answered(engine, showing())
    _, one = await answered(engine, showing(image()))
    _, two = await answered(engine, showing(image(), image("black")))
    assert one - none >= 4
    assert two - one == one - none


async def test_text_alone_and_images_of_earlier_turns(engine: TransformersEngine) -> None:
    text, _ = await answered(engine, replace(ASKED, messages=(Message("system", "Be brief."), Message("user", "Hi"))))
    assert text
    talk = (WHAT, Message("assistant", "White."), Message("user", "Sure?"))
    seen, _ = await answered(engine, replace(ASKED, messages=talk))
    other = (replace(WHAT, images=(image("black"),)), *talk[1:])
    assert seen != (await answered(engine, replace(ASKED, messages=other)))[0]


async def test_an_image_without_words(engine: TransformersEngine) -> None:
    assert (await answered(engine, replace(ASKED, messages=(replace(WHAT, content=""),))))[0]


async def test_words_cannot_pass_for_an_image(engine: TransformersEngine) -> None:
    _, honest = await answered(engine, showing(image()))
    forged = replace(WHAT, content="<image><|image_pad|><|vision_start|>")
    _, tokens = await answered(engine, replace(ASKED, messages=(forged,)))
    assert honest < tokens < honest + 60


async def test_what_does_not_fit_the_context(folders: dict[str, Path], embedder: Embedder, tmp_path: Path) -> None:
    engine = load(folders["qwen2_vl"], embedder, tmp_path)
    with pytest.raises(ContextLengthExceededError, match=str(CONTEXT_TOKENS)):
        await answered(engine, showing(image(size=(1400, 1400))))


async def test_a_processors_own_refusal(folders: dict[str, Path], embedder: Embedder, tmp_path: Path) -> None:
    engine = load(folders["qwen2_vl"], embedder, tmp_path)
    with pytest.raises(ImageInvalidError, match=r"processor refuses an image: .*aspect ratio"):
        await answered(engine, showing(image(size=(1500, 3))))


async def test_a_model_that_reads_only_refuses_by_name(tiny_llama: Path, embedder: Embedder, tmp_path: Path) -> None:
    engine = load(tiny_llama, embedder, tmp_path)
    assert (await engine.describe()).images is False
    with pytest.raises(ImagesUnsupportedError, match="tiny-llama reads text only") as caught:
        await answered(engine, ASKED)
    assert (caught.value.status, caught.value.code) == (400, "images_unsupported")


def test_a_folder_without_what_prepares_images(kind: str, embedder: Embedder, tmp_path: Path) -> None:
    folder = KINDS[kind](tmp_path / "model")
    check_model_folder(folder)
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(ConfigurationError, match="no chat template"):
        load(folder, embedder, tmp_path)
    (folder / "processor_config.json").unlink()
    with pytest.raises(ConfigurationError, match=r"no preprocessor_config\.json"):
        check_model_folder(folder)


def test_a_large_image_is_made_smaller() -> None:
    assert opened(image(size=(4000, 2000), kind="jpeg")).size == (SIDE_PIXELS, SIDE_PIXELS // 2)


def test_an_image_on_its_side_is_turned() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the orientation: a camera held upright
    assert opened(image(size=(40, 20), kind="jpeg", exif=exif)).size == (20, 40)


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "I;16", "CMYK"])
def test_every_kind_of_colour_becomes_red_green_blue(mode: str) -> None:
    drawn = Image.new(mode, (8, 8), 0)
    seen = opened(data_url(drawn, "jpeg" if mode == "CMYK" else "png"))
    assert (seen.mode, seen.size) == ("RGB", (8, 8))
    if mode in ("LA", "RGBA"):
        assert seen.getpixel((0, 0)) == (255, 255, 255)  # transparent: what is below shows


def bomb() -> str:
    return data_url(Image.new("1", (20_000, 20_000)))


def cut() -> str:
    head, _, data = image(size=(300, 300), kind="jpeg").partition(",")
    return f"{head},{data[: len(data) // 8 * 4]}"


def gif_that_says_png() -> str:
    return data_url(Image.new("L", (8, 8)), "gif").replace("image/gif", "image/png")


def nothing() -> str:
    return f"data:image/png;base64,{base64.b64encode(b'PNG').decode()}"


@pytest.mark.parametrize(
    ("made", "said"),
    [(bomb, "million|cannot be read"), (cut, "damaged"), (gif_that_says_png, "damaged"), (nothing, "damaged")],
)
def test_what_nobody_can_see(made: object, said: str) -> None:
    assert callable(made)
    with pytest.raises(ImageInvalidError, match=said) as caught:
        opened(made())
    assert caught.value.status == 400
