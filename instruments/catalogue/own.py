"""A lab's own form of an instrument type: read like every type file, and held to what it is of.

The text bears a plain version like any file; the definition that records are opened with ends in
the revision, ``1.2.0+lab.3``. Knows no database and no lab.
"""

from __future__ import annotations

from dataclasses import replace

from instruments.catalogue.lines import dotted, line_of, locate
from instruments.catalogue.loader import OWN_VERSION
from instruments.catalogue.schema import TypeFile, read_type
from instruments.errors import Finding, Invalid

MAX_TEXT = 256 * 1024
"""The longest of the files that come with the program has an eighth of this."""


def plain_version(version: str) -> str:
    """Return the version without the revision of a lab."""
    return version.partition(OWN_VERSION)[0]


def own_version(version: str, revision: int) -> str:
    """Return the version of a lab's own method."""
    return f"{plain_version(version)}{OWN_VERSION}{revision}"


def file_name(type_id: str, revision: int) -> str:
    """Return what the text of a revision is called in messages and when it is saved."""
    return f"{type_id}-{revision}.toml"


def read_own(text: str, type_id: str, revision: int, version: str = "") -> TypeFile:
    """Return the definition with the version of the revision, or everything wrong with the text.

    `version` is the one of the catalogue that it is a form of; empty: a type of the lab's own.
    """
    file = file_name(type_id, revision)
    found = read_type(text, file)
    if found.type is None:
        return found
    wrong = []
    if found.type.id != type_id:
        message = (
            "{file}, line {line}, {key}: got {got}, expected {expected}: a method keeps the type it"
            " is of. Import the text as a new type instead."
        )
        facts = _place("id", text, file, found.type.id, type_id)
        wrong.append(Finding("method-id-fixed", message, at="/id", facts=facts))
    if version and found.type.version != version:
        message = (
            "{file}, line {line}, {key}: got {got}, expected {expected}: the version says which "
            "one of the catalogue was changed; the revision is added to it. Write {expected}."
        )
        facts = _place("version", text, file, found.type.version, version)
        wrong.append(Finding("method-version-fixed", message, at="/version", facts=facts))
    if wrong:
        return TypeFile(file, None, tuple(wrong), text)
    return replace(
        found, type=replace(found.type, version=own_version(found.type.version, revision))
    )


def _place(key: str, text: str, file: str, got: str, expected: str) -> dict[str, object]:
    line = line_of(locate(text), (key,))
    return {
        "file": file, "line": line, "key": dotted((key,)), "got": got, "expected": expected,
    }  # fmt: skip


def need_text(text: str, at: str = "/text") -> str:
    """Return the text with plain line ends.

    Raises
    ------
    Invalid
        It is empty, longer than any type needs, or holds characters no database keeps.
    """
    if len(text.encode("utf-8", "replace")) > MAX_TEXT:
        raise Invalid(
            "method-text-too-long",
            "The text has {got} bytes, at most {most} are taken. One type stands in one text: "
            "take out what belongs to others.",
            at=at,
            facts={"got": len(text.encode("utf-8", "replace")), "most": MAX_TEXT},
        )
    if not text.strip():
        raise Invalid(
            "method-text-empty",
            "The text is empty. Write the definition, or copy one of the catalogue.",
            at=at,
        )
    if any(c == "\0" or "\ud800" <= c <= "\udfff" for c in text):
        raise Invalid(
            "method-text-unreadable",
            "The text holds a character that stands for nothing (U+0000 or half of a pair). "
            "Type the line again.",
            at=at,
        )
    return text.replace("\r\n", "\n")


def decode(content: bytes, name: str) -> str:
    """Return the text of a file somebody sent.

    Raises
    ------
    Invalid
        It is no UTF-8, or `need_text` refuses it.
    """
    if len(content) > MAX_TEXT:
        content = content[: MAX_TEXT + 1]  # long enough to be refused, not to be worked on
        return need_text(content.decode("utf-8", "replace"), "/file")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise Invalid(
            "method-file-unreadable",
            "{file} is no UTF-8 text (byte {place}). Save it as UTF-8 and send it again.",
            at="/file",
            facts={"file": name, "place": problem.start},
        ) from problem
    return need_text(text, "/file")
