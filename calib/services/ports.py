"""What use cases need from outside, as protocols; the adapters are wired in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from calib.certificates.signing import Linted, Rendered, Sealed

Algorithm = Literal["ed25519", "ecdsa-p256"]
Form = Literal["xml", "pdf", "mark", "log", "status", "preview"]
"""What is signed: the seal of an XML or PDF certificate, the mark of a QR code, a head of the log,
a status list, a preview."""


class FileStore(Protocol):
    """A content-addressed store: what is in it never changes and never vanishes."""

    def put(self, content: bytes) -> str:
        """Store the bytes durably (file and directory synced) and return their SHA-256."""

    def get(self, sha256: str) -> bytes:
        """Return the bytes; raises Unavailable when they are missing or no longer match."""

    def has(self, sha256: str) -> bool:
        """Answer whether the bytes are stored."""


class Sealer(Protocol):
    """Seals a certificate at two moments: its XML before the page is made, its PDF at the end.

    And signs what its code says, so that the code speaks without any server.
    """

    def seal_data(self, linted: Linted, xml: bytes) -> bytes:
        """Return the XML of the certificate sealed; as it is when the certificate bears no seal."""

    def mark(self, linted: Linted, place: int) -> str:
        """Return what stands behind the # of the code; empty when the lab signs no codes.

        `place` is that of the reservation in the log.
        """

    def seal(self, rendered: Rendered) -> Sealed:
        """Return the sealed certificate, or one that says in words that it bears no seal."""


@dataclass(frozen=True, slots=True)
class SigningRequest:
    """What is to be signed, with which key, and for which certificate."""

    key_id: int
    form: Form
    content: bytes
    """The bytes the signature is over."""
    token: str = ""
    """Token of the certificate; empty where none is meant."""


class Signer(Protocol):
    """Signs by the rule; whoever asks never sees a key."""

    def sign(self, request: SigningRequest) -> bytes:
        """Return the signature (64 bytes of Ed25519, or the DER of ECDSA).

        Raises Refused when the rule says no, Unavailable when the keys cannot be reached.
        """


class Vault(Protocol):
    """Keeps private keys; they never leave it."""

    def make(self, algorithm: Algorithm, label: str) -> tuple[str, bytes]:
        """Make a key; return where it is found again, and its public side (DER)."""

    def sign(self, reference: str, algorithm: Algorithm, content: bytes) -> bytes:
        """Return the signature; raises Unavailable when the key is missing or locked."""

    def check(self) -> None:
        """Find out whether the keys can be used, without signing; raises Unavailable, Refused."""


class Journal(Protocol):
    """What was signed and refused, one line after the other, chained; never changed."""

    def held(self) -> AbstractContextManager[Sequence[Mapping[str, Any]]]:
        """Let users take turns; give every line so far.

        Raises Refused when a line was changed or removed.
        """

    def append(self, line: Mapping[str, Any]) -> None:
        """Put a line at the end, synced; only while it is held."""


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


class Courier(Protocol):
    """Brings a message to an address outside, and nowhere inside."""

    def send(self, address: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Send the message and return the status answered; redirects are not followed.

        Raises Invalid or Refused when the address leads inside, Unavailable when nobody answers.
        """
