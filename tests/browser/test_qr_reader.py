"""The reader of codes in a real browser: every size and level, turned, aslant, in shadow."""

from __future__ import annotations

import base64
import io
import random
from collections.abc import Iterator

import pytest
import segno
from PIL import Image, ImageDraw, ImageFilter
from playwright.sync_api import Browser, Page

from tests.support.served import Served

pytestmark = pytest.mark.browser
READ = """async (picture) => {
  const { readCode } = await import("/static/authenticate/qr.js");
  const bytes = Uint8Array.from(atob(picture), (c) => c.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const drawing = canvas.getContext("2d");
  drawing.drawImage(bitmap, 0, 0);
  return readCode(drawing.getImageData(0, 0, canvas.width, canvas.height));
}"""
ADDRESS = "https://calib.institute.example/c/MzSDwkMkocMbMdve9M_TGw#"


@pytest.fixture(scope="module")
def page(browser: Browser, site: Served) -> Iterator[Page]:
    context = browser.new_context()
    opened = context.new_page()
    opened.goto(f"{site.address}/sign-in")
    yield opened
    context.close()


def drawn(text: str, level: str = "m", version: int | None = None, scale: int = 4) -> Image.Image:
    code = segno.make(text, error=level, version=version, boost_error=False, micro=False)
    file = io.BytesIO()
    code.save(file, kind="png", scale=scale, border=4)
    return Image.open(file).convert("L")


def read(page: Page, picture: Image.Image) -> str | None:
    file = io.BytesIO()
    picture.convert("RGB").save(file, "PNG")
    return page.evaluate(READ, base64.b64encode(file.getvalue()).decode())


def text_of(length: int, seed: int) -> str:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
    chance = random.Random(seed)  # noqa: S311 -- the same every time
    return ADDRESS + "".join(chance.choice(letters) for _ in range(length))


def test_every_size_and_level_is_read(page: Page):
    wrong = []
    for version in range(1, 41):
        level = "lmqh"[version % 4]
        text = text_of(version * 4, version)[: 3 + version * 6 if version < 8 else None]
        found = read(page, drawn(text, level, version, 3))
        if found != text:
            wrong.append((version, level, found))
    assert wrong == []


def test_other_modes_and_other_letters_are_read(page: Page):
    for text in ("1234567", "ABC-123/45:6", "校准证书 №1 °C", "https://例.example/ü"):
        assert read(page, drawn(text)) == text


@pytest.mark.parametrize("angle", [3, 17, 45, 90, 135, 180, 200, 275])
def test_a_turned_code_is_read(page: Page, angle: int):
    text = text_of(300, angle)
    turned = drawn(text, scale=5).rotate(
        angle, Image.Resampling.BICUBIC, expand=True, fillcolor=255
    )
    assert read(page, turned) == text


def test_a_code_seen_from_the_side_is_read(page: Page):
    text = text_of(320, 7)
    flat = drawn(text, scale=8)
    width, height = flat.size
    corners = [(0, 0), (0, height), (width, height), (width, 0)]
    for bent in (
        [(60, 10), (0, height - 20), (width - 10, height), (width - 40, 50)],
        [(0, 80), (90, height), (width, height - 60), (width - 70, 0)],
    ):
        parts = [p for c, b in zip(corners, bent, strict=True) for p in _equations(c, b)]
        seen = flat.transform(
            (width, height), Image.Transform.PERSPECTIVE, _solved(parts), fillcolor=255
        )
        assert read(page, seen) == text


def _equations(source, target):
    (x, y), (u, v) = source, target
    return [[u, v, 1, 0, 0, 0, -x * u, -x * v, x], [0, 0, 0, u, v, 1, -y * u, -y * v, y]]


def _solved(rows):
    import numpy as np

    table = np.array(rows, dtype=float)
    return list(np.linalg.solve(table[:, :8], table[:, 8]))


def test_a_code_in_shadow_noise_and_dirt_is_read(page: Page):
    text = text_of(300, 11)
    picture = drawn(text, scale=6)
    width, height = picture.size
    shade = Image.linear_gradient("L").resize((width, height)).point(lambda p: 90 + p * 165 // 255)
    shaded = Image.composite(picture, Image.new("L", (width, height), 20), shade)
    chance = random.Random(5)  # noqa: S311 -- the same every time
    pixels = [min(255, max(0, p + chance.randrange(-25, 26))) for p in shaded.get_flattened_data()]
    shaded.putdata(pixels)
    ImageDraw.Draw(shaded).ellipse((width // 2, height // 2, width // 2 + 22, height // 2 + 22), 60)
    assert read(page, shaded.filter(ImageFilter.GaussianBlur(1.2))) == text


def test_what_is_no_code_gives_nothing(page: Page):
    chance = random.Random(3)  # noqa: S311 -- the same every time
    noise = Image.new("L", (400, 300))
    noise.putdata([chance.randrange(256) for _ in range(400 * 300)])
    lines = Image.new("L", (400, 300), 255)
    for x in range(0, 400, 14):
        ImageDraw.Draw(lines).line((x, 0, x, 300), 0, 6)
    for picture in (noise, lines, Image.new("L", (300, 300), 255), Image.new("L", (40, 30), 0)):
        assert read(page, picture) is None


def test_a_code_with_too_much_damage_gives_nothing(page: Page):
    picture = drawn(text_of(300, 13), scale=6)
    width, height = picture.size
    ImageDraw.Draw(picture).rectangle((width // 3, height // 3, width * 3 // 4, height * 3 // 4), 0)
    assert read(page, picture) is None
