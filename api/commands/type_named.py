"""The instrument type that somebody named at the terminal: a file, an id, or a draft of the lab."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from api.commands.acting import acting
from api.commands.terminal import read_input, tell

if TYPE_CHECKING:
    from instruments.catalogue.loader import Catalogue
    from instruments.procedure import InstrumentType

_DRAFT = "draft"


@dataclass(frozen=True, slots=True)
class Named:
    """A type and the text it was read from, where that is known."""

    type: InstrumentType
    known: Catalogue | None = None
    """Set: it is one of these."""
    text: str = ""

    def toml(self) -> str:
        """Return the text of the file; NotFound where there is none."""
        if self.known is None:
            return self.text
        return self.known.text_of(self.type.id, self.type.version)


def known_types(token: str) -> Catalogue:
    """Return the types as the lab behind the token works by them; without one, those installed."""
    from instruments.catalogue.loader import load_catalogue
    from instruments.services.method_views import lab_catalogue

    if not token:
        return load_catalogue()
    with acting(token, read_only=True) as (ctx, wired):
        return lab_catalogue(ctx, wired.catalogue)


def named_type(given: str, token: str = "", version: str | None = None) -> Named:
    """Return the type of a file, of an id or ``id@version``; ``id@draft`` is what is worked on.

    A type that the lab has only a draft of is that draft.

    Raises
    ------
    Invalid
        The file is broken; its findings are told.
    NotFound
        There is no such type, version or draft.
    """
    if given.endswith(".toml"):
        return _of_file(given)
    id_, _, named = given.partition("@")
    wanted = version or named or None
    known = known_types(token)
    if Path(given).is_file() and id_ not in known:
        return _of_file(given)
    if token and (wanted == _DRAFT or (wanted is None and id_ not in known)):
        draft = _draft(id_, token)
        if draft is not None:
            return draft
    return Named(known.get(id_, wanted), known)


def _of_file(name: str) -> Named:
    from instruments.catalogue.own import decode
    from instruments.catalogue.schema import read_type
    from instruments.errors import Invalid

    found = read_type(decode(read_input(name), name), name)
    if found.type is None:
        raise Invalid(
            "type-files-broken",
            "The instrument types cannot be read ({count} findings). First: {first}",
            facts={"count": len(found.findings), "first": found.findings[0]},
            findings=found.findings,
        )
    return Named(found.type, None, found.text)


def _draft(id_: str, token: str) -> Named | None:
    """Return what the lab works on, and say that nobody approved it."""
    from instruments.services.method_checks import need_definition
    from instruments.services.method_views import get_method, list_methods

    with acting(token, read_only=True) as (ctx, _):
        lines = [one for one in list_methods(ctx, id_) if one.state in ("draft", "submitted")]
        if not lines:
            return None
        method = get_method(ctx, max(lines, key=lambda line: line.revision).id)
        definition = need_definition(method)
    tell("Method {number} is a draft: nobody has approved it yet.", number=method.line.id)
    return Named(definition, None, method.text)
