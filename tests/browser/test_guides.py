"""The guides say what the pages say: each is followed in a browser, and its pictures are made.

Pictures of every run lie in ``build/pictures``; ``make pictures`` takes them into the guides.
"""

from __future__ import annotations

import io
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from PIL import Image
from playwright.sync_api import Browser, Page

from api import cli
from tests.support.every_page import STRANGER, World, a_world
from tests.support.guides import FOLDER, LANGUAGES, VIEWS, guides, steps

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parents[2]
MADE = FOLDER / "pictures" if os.environ.get("GUIDE_PICTURES") else ROOT / "build" / "pictures"
QUALITY = 60


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with a_world(tmp_path_factory.mktemp("guides") / "world") as running:
        running.accounts["reviewer"] = "reviewer@lj.example"
        yield running


@pytest.mark.parametrize("guide", guides(), ids=lambda path: path.stem)
def test_every_word_of_a_guide_stands_on_the_page_it_shows(
    browser: Browser, world: World, guide: Path
) -> None:
    _, language = guide.stem.split(".")
    before, missing = "", []
    for step in steps(guide):
        name, shown_in, kind = step.picture.split(".")
        assert (shown_in, kind) == (language, "webp")
        page, said = _opened(browser, world, name, language)
        missing += [f"{step.picture}: {w}" for w in step.words if w.casefold() not in before + said]
        _keep(page, step.picture)
        page.context.close()
        before = said
    assert missing == []


def test_each_guide_is_told_in_both_languages_with_the_same_pictures() -> None:
    told: dict[str, list[list[str]]] = {}
    for guide in guides():
        told.setdefault(guide.stem.split(".")[0], []).append(
            [step.picture.split(".")[0] for step in steps(guide)]
        )
    assert len(told) == 6
    for role, (english, chinese) in told.items():
        assert english == chinese, role
        assert english, role


def test_no_picture_lies_unused_and_none_is_missing() -> None:
    used = {step.picture for guide in guides() for step in steps(guide)}
    assert used == {f"{name}.{language}.webp" for name in VIEWS for language in LANGUAGES}
    kept = {path.name for path in (FOLDER / "pictures").glob("*")}
    assert kept == used
    assert sum(path.stat().st_size for path in (FOLDER / "pictures").glob("*")) < 2_500_000


def test_every_command_of_a_guide_is_one() -> None:
    commands = _commands()
    assert len(commands) > 8
    for command in commands:
        group = typer.main.get_command(cli.app)
        words = iter(command)
        while hasattr(group, "commands"):
            group = group.commands[next(words)]
        known = {name for parameter in group.params for name in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known, command


def _opened(browser: Browser, world: World, name: str, language: str) -> tuple[Page, str]:
    """Return the page of a picture and what was said there and on the way to it."""
    view = VIEWS[name]
    context = browser.new_context(
        viewport={"width": view.size[0], "height": view.size[1]},
        color_scheme="light",
        reduced_motion="reduce",
        locale="zh-CN" if language == "zh" else "en-GB",
    )
    cookies = {"calib_language": language}
    if view.role != STRANGER:
        with world.client(view.role, language) as client:
            cookies["calib_session"] = client.cookies["calib_session"]
    context.add_cookies([{"name": k, "value": v, "url": world.address} for k, v in cookies.items()])
    page = context.new_page()
    return page, view.open(page, world.address, world.tokens[-1])


def _keep(page: Page, name: str) -> None:
    MADE.mkdir(parents=True, exist_ok=True)
    with Image.open(io.BytesIO(page.screenshot())) as picture:
        assert len(picture.getcolors(picture.width * picture.height)) > 20, "an empty page"
        picture.convert("RGB").save(MADE / name, quality=QUALITY, method=6)


def _commands() -> list[list[str]]:
    """Return the words of every command in a block of a guide, without its program."""
    found = []
    for guide in guides():
        for block in re.findall(r"```\n(.*?)```", guide.read_text("utf-8"), re.DOTALL):
            found += [shlex.split(line) for line in block.splitlines() if line.startswith("calib ")]
    return [words[1:] for words in found]
