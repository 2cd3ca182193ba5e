"""Chinese words for the ids of type files in messages; `make docs` writes them.

A message names a measurand, an input or an examination by its id. Where the labels of all types
that use an id agree, or have words in common, these are said; where they differ the id stands.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from instruments.catalogue.loader import load_catalogue
from tests.house.source import ROOT

PAGE = ROOT / "calib" / "locale" / "zh" / "LC_MESSAGES" / "labels.po"
LABELLED = ("examination", "input", "measurand")
_HEAD = """# Written by `make docs` from the instrument types.
msgid ""
msgstr ""
"Project-Id-Version: calib\\n"
"Language: zh_Hans_CN\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"""
_LEAST = 2


def labels() -> dict[str, dict[str, str]]:
    """Return by context the words of each id that has some."""
    found: dict[str, dict[str, set[str]]] = {context: {} for context in LABELLED}
    for type_ in load_catalogue().list():
        for measurand in type_.measurands:
            found["measurand"].setdefault(measurand.id, set()).add(measurand.name.zh)
            for name, quantity in measurand.inputs.items():
                found["input"].setdefault(name, set()).add(quantity.label.zh)
        for examination in type_.examinations:
            found["examination"].setdefault(examination.id, set()).add(examination.name.zh)
    shared = {
        context: {id_: in_common(said) for id_, said in sorted(ids.items())}
        for context, ids in found.items()
    }
    return {c: {id_: words for id_, words in ids.items() if words} for c, ids in shared.items()}


def in_common(labels: Iterable[str]) -> str:
    """Return the longest words that stand in all labels; nothing where they share none."""
    first, *others = sorted(labels, key=lambda label: (len(label), label))
    for length in range(len(first), _LEAST - 1, -1):
        for start in range(len(first) - length + 1):
            words = first[start : start + length]
            whole = words.isalnum() or length == len(first)
            if whole and all(words in other for other in others):
                return words
    return ""


def page() -> str:
    """Return the file of words."""
    entries = [
        f'\nmsgctxt "{context}"\nmsgid "{id_}"\nmsgstr "{words}"\n'
        for context, ids in labels().items()
        for id_, words in ids.items()
    ]
    return _HEAD + "".join(entries)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.exit(0)
