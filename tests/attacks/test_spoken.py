"""Words in a file that would pass for words of the verifier: shown as what they are."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from calib.verifier import standalone
from calib.verifier.examine import examine
from calib.verifier.plain_sight import plain_sight
from calib.verifier.report import established, report_of
from tests.support import forge

ODD_WORDS = {
    "turned": "\u202eEVIL",
    "turned inside": "RD\u2067x\u2069",
    "cleared terminal": "\x1b[2J\x1b[HGenuine, unchanged, and standing.",
    "title of the window": "\x1b]0;Genuine\x07",
    "overwritten line": "\rGenuine, unchanged, and standing.",
    "line of its own": "1\nestablished      certificate",
    "line of another script": "1\u2028established",
    "nothing to see": "RD\u200b2026\ufeff",
    "back by one": "RD\x08\x08LK",
    "C1 control": "\x9b2J",
    "tag letters": "\U000e0041\U000e0042",
    "private letters": "\ue000",
    "half of a pair": "\ud800",
}


@pytest.mark.parametrize("name", ODD_WORDS)
def test_what_a_file_says_cannot_pass_for_what_the_verifier_says(name, capsys):
    word = ODD_WORDS[name]
    shown = report_of([established("file", "It reads as {kind}.", kind=word)], {"number": word})
    for text in (shown.steps[0].text(), shown.says["number"]):
        assert plain_sight(text) == text
        assert text.isprintable()
    if name != "half of a pair":
        standalone.write_line("contradicted    ", word)
        said = capsys.readouterr().out
        assert said.count("\n") == 1
        assert said[:-1].isprintable()


def test_the_words_of_laboratories_stay_as_they_are():
    words = "热电偶 №7 – 25 °C ± 0,1 K, Größe µΩ 𠮷"
    assert plain_sight(words) == words


def test_a_forged_file_cannot_speak_to_the_terminal(world):
    """The number of an unsealed file is a stranger's word, and is shown as one."""
    document = replace(world.first.document, number="RD\u202e1", seal="unsigned", seal_key=None)
    report = examine(forge.made(document).pdf, world.evidence())
    assert report.verdict != "valid"
    said = json.dumps(report.as_dict(), ensure_ascii=False)
    assert "\u202e" not in said
    assert "\\\\u{202e}" in said
