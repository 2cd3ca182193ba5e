"""Forms of pages: what a person typed, and the same form shown again with what is wrong beside it.

The name of a field is the JSON pointer a use case names it by, without the first slash. Everything
typed stays text until a use case reads it; only whole numbers and dates are read here.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Annotated, TypeVar

from fastapi import Depends, Request
from starlette.datastructures import FormData, UploadFile

from api.denied import is_denial
from api.deps import REFUSED
from api.problems import say, status_of
from instruments.context import Context
from instruments.errors import Conflict, DomainError, Invalid

Done = TypeVar("Done")
MAX_KEPT = 24 * 1024 * 1024
"""A file that a page keeps between dry run and import travels as a field."""


@dataclass(frozen=True, slots=True)
class Typed:
    """The fields of a form as they arrived."""

    parts: FormData

    def text(self, name: str) -> str:
        """Return the text of a field, empty when it was not sent."""
        value = self.parts.get(name, "")
        return value.replace("\r\n", "\n") if isinstance(value, str) else ""

    def optional(self, name: str) -> str | None:
        """Return the trimmed text of a field, None when nothing was typed."""
        return self.text(name).strip() or None

    def many(self, name: str) -> tuple[str, ...]:
        """Return every value of a field that may be sent several times."""
        return tuple(v for v in self.parts.getlist(name) if isinstance(v, str))

    def flag(self, name: str) -> bool:
        """Answer whether a box was ticked."""
        return bool(self.text(name))

    def whole(self, name: str) -> int | None:
        """Return the whole number typed, None for none.

        Raises Invalid when it is none.
        """
        text = self.text(name).strip()
        if not text:
            return None
        if not (text.isascii() and text.isdecimal()) or len(text) > 9:
            raise Invalid(
                "whole-number-expected",
                "Got {got}, expected a whole number. Write it in digits, like 12.",
                at=f"/{name}",
                facts={"got": text},
            )
        return int(text)

    def chosen(self, name: str) -> int:
        """Return the id chosen from a list.

        Raises Invalid when nothing was chosen.
        """
        number = self.whole(name)
        if number is None:
            raise Invalid(
                "choice-missing", "Nothing is chosen. Choose one from the list.", at=f"/{name}"
            )
        return number

    def day(self, name: str) -> date | None:
        """Return the day typed, None for none.

        Raises Invalid when there is no such day.
        """
        text = self.text(name).strip()
        if not text:
            return None
        try:
            day = date.fromisoformat(text)
        except ValueError:
            day = None
        if day is None or day.isoformat() != text:  # other spellings of ISO 8601 are slips here
            raise Invalid(
                "day-malformed",
                "{got} is no date. Write it like 2026-03-31.",
                at=f"/{name}",
                facts={"got": text},
            )
        return day

    def needed_day(self, name: str) -> date:
        """Return the day typed.

        Raises Invalid when none was typed, or there is no such day.
        """
        day = self.day(name)
        if day is None:
            raise Invalid(
                "day-missing", "A date is missing. Write it like 2026-03-31.", at=f"/{name}"
            )
        return day

    def version(self) -> int:
        """Return the version of the record the person saw; 0 when it was not sent."""
        return self.whole("version") or 0

    def under(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Return the rest of the name and the trimmed text of every filled field under a prefix."""
        for name, value in self.parts.multi_items():
            if name.startswith(prefix) and isinstance(value, str) and value.strip():
                yield name.removeprefix(prefix), value.strip()

    def rows(self, prefix: str) -> list[dict[str, str]]:
        """Return the rows of a table of fields (``prefix/0/column``) that hold anything."""
        found: dict[int, dict[str, str]] = {}
        for rest, text in self.under(f"{prefix}/"):
            number, _, column = rest.partition("/")
            if number.isdecimal() and column:
                found.setdefault(int(number), {})[column] = text
        return [found[number] for number in sorted(found)]

    def file(self, name: str) -> tuple[str, bytes]:
        """Return name and content of the file chosen.

        Raises Invalid when none was.
        """
        value = self.parts.get(name)
        if not isinstance(value, UploadFile) or not value.filename:
            raise Invalid("file-missing", "No file is chosen. Choose one.", at=f"/{name}")
        value.file.seek(0)
        return value.filename, value.file.read()

    def file_or_kept(self, name: str) -> tuple[str, bytes]:
        """Return the file chosen, or else the one the page has carried along since the first press.

        Raises Invalid when there is neither.
        """
        value = self.parts.get(name)
        if not self.text("kept") or (isinstance(value, UploadFile) and value.filename):
            return self.file(name)
        try:
            return self.text("name"), base64.b64decode(self.text("kept"), validate=True)
        except binascii.Error as problem:
            raise Invalid(
                "file-damaged",
                "The file kept by the page is damaged. Choose it again.",
                at=f"/{name}",
            ) from problem

    def form(self, problem: DomainError | None = None, language: str = "en") -> Form:
        """Return the form as it was typed, with what is wrong."""
        values = {
            name: tuple(v for v in self.parts.getlist(name) if isinstance(v, str))
            for name in self.parts
        }
        return Form(values, *_sorted_out(problem, language))


async def _typed(request: Request) -> AsyncIterator[Typed]:
    async with request.form(max_fields=6000, max_part_size=MAX_KEPT) as parts:
        yield Typed(parts)


AsTyped = Annotated[Typed, Depends(_typed)]


@dataclass(frozen=True, slots=True)
class Form:
    """What the fields of a form show."""

    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    problems: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Sentences by name of field; the empty name holds what concerns no single field."""
    code: str = ""
    theirs: Mapping[str, str] = field(default_factory=dict)
    """What somebody else saved meanwhile, by name of field."""

    def value(self, name: str, default: str = "") -> str:
        """Return what a field shows."""
        found = self.values.get(name, ())
        return found[0] if found else default

    def has(self, name: str, value: str) -> bool:
        """Answer whether a choice is made."""
        return value in self.values.get(name, ())

    def with_rows(self, prefix: str, rows: Sequence[Mapping[str, str]]) -> Form:
        """Return the form with the rows of a table closed up, so that problems point at them."""
        values = {k: v for k, v in self.values.items() if not k.startswith(f"{prefix}/")}
        for number, row in enumerate(rows):
            values |= {f"{prefix}/{number}/{column}": (text,) for column, text in row.items()}
        return replace(self, values=values)

    def apart(self, ending: str) -> Form:
        """Return the form as one of several alike on a page: the names of its fields end so."""
        values = {f"{name}{ending}": found for name, found in self.values.items()}
        problems = {name and f"{name}{ending}": said for name, said in self.problems.items()}
        return replace(self, values=values, problems=problems)

    def count(self, prefix: str) -> int:
        """Return how many rows of a table of fields hold anything."""
        numbers = {
            name.removeprefix(f"{prefix}/").partition("/")[0]
            for name in self.values
            if name.startswith(f"{prefix}/")
        }
        return len(numbers)

    def status(self) -> int:
        """Return the HTTP status of a page that shows this form."""
        return 422 if self.problems else 200


def form_of(**values: object) -> Form:
    """Return a form filled with what is known: text as it is, None and False as nothing."""
    return Form({name: _shown(value) for name, value in values.items()})


def shown_again(
    typed: Typed, problem: DomainError, ctx: Context, current: Form | None = None
) -> Form:
    """Return the typed form again; after a clash it also shows what somebody else saved.

    `current` is the record as it stands now: sending the form once more then changes that version.
    """
    form = typed.form(problem, ctx.language)
    if current is None or not isinstance(problem, Conflict) or form.code != "changed-meanwhile":
        return form
    theirs = {
        name: current.value(name)
        for name in current.values
        if name != "version" and current.value(name) != form.value(name).strip()
    }
    values = {**form.values, "version": (current.value("version"),)}
    return Form(values, form.problems, form.code, theirs)


def attempt(ctx: Context, act: Callable[[], Done]) -> Done | DomainError:
    """Return what the act returns, or why it was refused; then nothing of it stays written."""
    try:
        with ctx.session.begin_nested():
            return act()
    except DomainError as problem:
        if status_of(problem) in (403, 404) and not problem.at:
            raise
        if is_denial(problem):
            ctx.session.info[REFUSED] = problem
        return problem


def _sorted_out(problem: DomainError | None, language: str) -> tuple[dict[str, list[str]], str]:
    if problem is None:
        return {}, ""
    said: dict[str, list[str]] = {}
    for found in problem.findings or (problem,):
        sentence = say(found.message, found.facts, language)
        if found.clause:
            sentence = f"{sentence} ({found.clause})"
        said.setdefault(found.at.removeprefix("/"), []).append(sentence)
    return said, problem.code


def _shown(value: object) -> tuple[str, ...]:
    if isinstance(value, list | tuple):
        return tuple(str(v) for v in value)
    if value is None or value is False:
        return ()
    return ("1",) if value is True else (str(value),)
