"""What use cases need from outside, as protocols; the adapters are wired in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from calib.certificates.signing import Rendered, Sealed


class FileStore(Protocol):
    """A content-addressed store: what is in it never changes and never vanishes."""

    def put(self, content: bytes) -> str:
        """Store the bytes durably (file and directory synced) and return their SHA-256."""

    def get(self, sha256: str) -> bytes:
        """Return the bytes; raises Unavailable when they are missing or no longer match."""

    def has(self, sha256: str) -> bool:
        """Answer whether the bytes are stored."""


class Sealer(Protocol):
    """Seals a rendered certificate; the only port that touches keys."""

    def seal(self, rendered: Rendered) -> Sealed:
        """Return the sealed certificate, or one that says in words that it bears no seal."""


class LogStore(Protocol):
    """The files of the log as they are served; what a signed head covers never changes."""

    def read(self, path: str) -> bytes | None:
        """Return the bytes of a file, None when there is none."""

    def write(self, path: str, content: bytes) -> None:
        """Put a file there durably; no signed head may cover another content."""

    def publish(self, checkpoint: bytes) -> None:
        """Put the newest head in the place of the one before."""

    def held(self) -> AbstractContextManager[None]:
        """Let whoever publishes take turns."""


class Anchor(Protocol):
    """Keeps the last signed head where no backup of the database reaches."""

    def load(self) -> bytes | None:
        """Return what is anchored, None when nothing ever was."""

    def replace(self, old: bytes | None, new: bytes) -> None:
        """Anchor `new`, synced; raises Conflict when `old` is no longer what is anchored."""


class Mailer(Protocol):
    """Hands one mail to a mail server."""

    def send(
        self,
        *,
        recipient: str,
        subject: str,
        body: str,
        message_id: str,
        calendar: str | None,
    ) -> None:
        """Send the mail; raises Unavailable when the server did not take it, Refused for good."""
