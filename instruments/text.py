"""One label in several languages with a stated fallback; knows no catalogue and no page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")


@dataclass(frozen=True, slots=True)
class LocalizedText:
    """The same words in English and Chinese; either may be empty, not both."""

    en: str = ""
    """English words."""
    zh: str = ""
    """Chinese words."""

    def __post_init__(self) -> None:
        """Refuse a label that says nothing in any language."""
        if not (self.en or self.zh):
            raise ValueError("a label needs words in at least one language")

    def text(self, language: str) -> str:
        """Return the words in `language`, falling back to the other language."""
        if language == "zh":
            return self.zh or self.en
        return self.en or self.zh

    def as_dict(self) -> dict[str, str]:
        """Return the form stored in frozen inputs."""
        return {"en": self.en, "zh": self.zh}

    @classmethod
    def from_dict(cls, words: Mapping[str, str]) -> LocalizedText:
        """Read back what `as_dict` wrote."""
        return cls(en=words.get("en", ""), zh=words.get("zh", ""))
