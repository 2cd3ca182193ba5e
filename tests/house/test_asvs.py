"""The tables for assessors: every control is there once, and what they name exists."""

from __future__ import annotations

import ast
import re
import time
from collections import Counter
from functools import cache

import pytest

from tests.house.source import HOUSES, ROOT, report, sources

PAGES = ("asvs", "compliance")
STATES = ("met", "not applicable", "open")
LEVELS = {
    "1.1": "22", "1.2": "1111122223", "1.3": "112222222223", "1.4": "222", "1.5": "123",
    "2.1": "122", "2.2": "112", "2.3": "12223", "2.4": "23",
    "3.1": "3", "3.2": "113", "3.3": "12223", "3.4": "11222233", "3.5": "11122333", "3.6": "3",
    "3.7": "22333",
    "4.1": "12233", "4.2": "23333", "4.3": "22", "4.4": "1222",
    "5.1": "2", "5.2": "112333", "5.3": "113", "5.4": "222",
    "6.1": "122", "6.2": "111111112222", "6.3": "11223333", "6.4": "112233", "6.5": "22222333",
    "6.6": "2223", "6.7": "33", "6.8": "2222",
    "7.1": "222", "7.2": "1111", "7.3": "22", "7.4": "11222", "7.5": "223", "7.6": "22",
    "8.1": "1233", "8.2": "1123", "8.3": "133", "8.4": "23",
    "9.1": "111", "9.2": "1222",
    "10.1": "22", "10.2": "223", "10.3": "22223", "10.4": "1111122222233333", "10.5": "22222",
    "10.6": "22", "10.7": "222",
    "11.1": "2233", "11.2": "22233", "11.3": "11233", "11.4": "1222", "11.5": "23", "11.6": "23",
    "11.7": "33",
    "12.1": "12233", "12.2": "11", "12.3": "22223",
    "13.1": "2333", "13.2": "222223", "13.3": "2233", "13.4": "1222233",
    "14.1": "22", "14.2": "12223333", "14.3": "122",
    "15.1": "12233", "15.2": "12233", "15.3": "1222222", "15.4": "3333",
    "16.1": "2", "16.2": "22222", "16.3": "2222", "16.4": "222", "16.5": "2223",
    "17.1": "23", "17.2": "22223333", "17.3": "22",
}  # fmt: skip
"""Level of each control of OWASP ASVS 5.0.0, section by section."""
DROPPED = ("17",)
"""The chapter on WebRTC, of which there is none."""
BEYOND = (
    "1.2.10", "1.3.12", "2.3.5", "5.2.6", "5.3.3", "7.5.3", "8.3.2", "11.2.4", "13.3.3", "15.4.2",
    "16.5.4",
)  # fmt: skip
"""Controls of level 3 that are kept all the same."""


def page(name: str) -> str:
    return (ROOT / "docs" / "operate" / f"{name}.md").read_text("utf-8")


def rows(name: str) -> list[list[str]]:
    lines = re.findall(r"^\| (?!---)(.+) \|$", page(name), re.MULTILINE)
    return [[cell.strip() for cell in line.split(" | ")] for line in lines]


def controls() -> list[list[str]]:
    return [row for row in rows("asvs") if re.fullmatch(r"\d+\.\d+\.\d+", row[0])]


def wanted() -> dict[str, str]:
    every = {
        f"{section}.{place}": level
        for section, levels in LEVELS.items()
        if section.partition(".")[0] not in DROPPED
        for place, level in enumerate(levels, 1)
    }
    return {one: level for one, level in every.items() if level in "12" or one in BEYOND}


@cache
def functions(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / "tests" / path).read_text("utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_the_standard_has_as_many_controls_as_it_says():
    assert Counter("".join(LEVELS.values())) == {"1": 70, "2": 183, "3": 92}


def test_every_control_has_its_row_once_and_in_order():
    assert [(row[0], row[1]) for row in controls()] == list(wanted().items())


def test_every_row_says_how_it_stands_and_why():
    wrong = []
    for row in controls():
        number, _, asks, state, where, test = row
        named = f"{where} {test}"
        good = state in STATES and asks and where
        if not good or (state == "met" and "`" not in named):
            wrong.append(number)
    assert not wrong, report(wrong)


def test_what_is_counted_is_what_the_table_says():
    counted = Counter(row[3] for row in controls())
    said = {
        state: int(number)
        for number, state in re.findall(
            r"^\* (\d+) (met|not applicable|open)", page("asvs"), re.MULTILINE
        )
    }
    assert said == {state: counted[state] for state in STATES}


@pytest.mark.parametrize("name", PAGES)
def test_what_is_named_exists(name):
    missing = []
    for named in re.findall(r"`([\w./-]+\.(?:py|md|html|js|toml|csv|lock)(?:::\w+)?)`", page(name)):
        path, _, function = named.partition("::")
        if function:
            good = (ROOT / "tests" / path).is_file() and function in functions(path)
        else:
            good = (ROOT / path).is_file()
        if not good:
            missing.append(named)
    assert not missing, report(missing)


@pytest.mark.parametrize("name", PAGES)
def test_a_row_has_as_many_cells_as_its_heading(name):
    wrong, width = [], 0
    for line in page(name).splitlines():
        if not line.startswith("|"):
            width = 0
            continue
        cells = line.count("|")
        width = width or cells
        if cells != width:
            wrong.append(line)
    assert not wrong, report(wrong)


def code(*houses: str) -> list[tuple[str, str]]:
    return [(s.path, (ROOT / s.path).read_text("utf-8")) for s in sources(*(houses or HOUSES))]


def scripts() -> list[tuple[str, str]]:
    found = sorted((ROOT / "api" / "static").rglob("*.js"))
    return [(file.relative_to(ROOT).as_posix(), file.read_text("utf-8")) for file in found]


def templates() -> list[tuple[str, str]]:
    found = sorted((ROOT / "api" / "templates").rglob("*.html"))
    return [(file.relative_to(ROOT).as_posix(), file.read_text("utf-8")) for file in found]


def patterns() -> list[tuple[str, str]]:
    """Return the text of every regular expression that is compiled or used, with its place."""
    found = []
    for source in sources(*HOUSES):
        for node in ast.walk(source.tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            owner = node.func.value
            if isinstance(owner, ast.Name) and owner.id == "re" and node.args:
                text = node.args[0]
                if isinstance(text, ast.Constant):
                    value = text.value
                    said = value.decode() if isinstance(value, bytes) else value
                    found.append((f"{source.path}:{node.lineno}", str(said)))
    return found


def seconds(pattern: str, text: str) -> float:
    began = time.process_time()
    re.compile(pattern).search(text)
    return time.process_time() - began


def test_no_pattern_runs_away():
    """One that tries every division of a text takes twice as long for each further letter."""
    assert seconds(r"(a|a)+$", "a" * 20 + "!") > 10 * seconds(r"(a|a)+$", "a" * 10 + "!")
    assert len(patterns()) > 20
    slow = [
        place
        for place, pattern in patterns()
        for piece in ("a", "a.", "a/", "a-", "0", "0.", " ", "a1", "\n", "#", "%", "@a", '"a')
        if seconds(pattern, piece * 25 + "\x00") > 0.1
    ]
    assert not slow, report(slow)


def test_no_weak_algorithm_is_used():
    """SHA-1 stands where others ask for it, and nowhere else; MD5, RC4, DES and ECB nowhere."""
    weak = re.compile(r"\b(md5|MD5|RC4|ARC4|TripleDES|DES3|ECB|SHA1|sha1)\(?")
    places = {path for path, text in code() if weak.search(_without_words(text))}
    assert places <= {
        "instruments/services/totp.py",
        "instruments/services/guessable.py",
    }, report(sorted(places))


def _without_words(text: str) -> str:
    """Return what is left of a module without its comments and strings."""
    return re.sub(r'""".*?"""|"[^"\n]*"|#[^\n]*', "", text, flags=re.DOTALL)


def test_secrets_are_drawn_by_the_operating_system():
    """The module `random` and UUIDs draw nothing outside computing and simulating."""
    pattern = re.compile(r"^\s*(import random|from random)|uuid[14]\b", re.MULTILINE)
    free = ("calib/engine/", "calib/simulation/", "calib/bench/", "calib/evaluation/")
    found = [p for p, text in code() if pattern.search(text) and not p.startswith(free)]
    assert not found, report(found)
    from instruments.services.secrets import new_token
    from instruments.services.totp import new_secret

    assert len({new_token("x_") for _ in range(100)} | {new_secret() for _ in range(100)}) == 200
    assert len(new_token("")) == 43


def test_secrets_are_never_compared_letter_by_letter():
    """They are compared by `hmac.compare_digest`, or looked up by their digest."""
    compared = re.compile(r"\b\w*(passphrase|secret|password)\s*[!=]= (?!again\b|[\"'\d(])")
    found = [
        f"{path}: {line.strip()}"
        for path, text in code("instruments", "api")
        for line in text.splitlines()
        if compared.search(line)
    ]
    assert not found, report(found)


def test_only_what_is_published_is_open_to_other_sites():
    found = [path for path, text in code("api") if "Access-Control-Allow" in text]
    assert found == ["api/pages/publiclog.py"]


def test_text_is_answered_with_its_letters():
    """Starlette adds them to ``text/``; what is set by hand says them."""
    by_hand = re.compile(r"[\"']Content-Type[\"']\s*:\s*[\"'](text/[\w.+-]+)[\"']")
    found = [f"{p} {m}" for p, text in code("api") for m in by_hand.findall(text)]
    assert not found, report(found)


def test_fields_of_passwords_hide_and_take_what_is_pasted():
    fields = [
        (path, field)
        for path, text in templates()
        for field in re.findall(r"<input[^>]*>|f\.text\([^}]*\)", text)
        if re.search(r"name=\"\w*password|f\.text\(\"(\w*password|old|again)\"", field)
    ]
    assert len(fields) > 5
    for path, field in fields:
        assert 'type="password"' in field, (path, field)
        assert re.search(r'autocomplete="(current|new)-password"', field), (path, field)
    assert not [path for path, text in templates() if "onpaste" in text]


def test_every_page_of_the_lab_offers_to_sign_out():
    files = dict(templates())
    assert "{{ menu.own() }}" in files["api/templates/base.html"]
    assert 'action="/sign-out"' in files["api/templates/menu.html"]
    shown = [p for p, t in templates() if "{% block main %}" in t and "public/" not in p]
    assert all("extends" in dict(templates())[path] for path in shown if "base.html" not in path)


def test_browsers_keep_only_what_is_published_and_the_bench():
    """The page that authenticates keeps pins and lists; the bench what waits for a connection."""
    store = re.compile(r"localStorage|sessionStorage|indexedDB|document\.cookie|caches\.")
    found = [path for path, text in scripts() if store.search(text)]
    bench = {f"api/static/bench/{name}.js" for name in ("kept", "offline", "worker")}
    assert bench < set(found)
    others = [path for path in found if path not in bench]
    assert others
    assert all(path.startswith("api/static/authenticate/") for path in others), report(others)
