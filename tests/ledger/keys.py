"""Keys for tests: Ed25519 from a seed, so that every run signs the same bytes."""

import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from calib.ledger.checkpoints import Checkpoint
from calib.ledger.notes import (
    COSIGNATURE,
    ED25519,
    Note,
    NoteKey,
    cosigned,
    cosigned_message,
    signed,
)


class Key:
    """A private key under a name."""

    def __init__(self, name, type_=ED25519, seed=None):
        """Make the key from its name, or from another seed."""
        self._key = Ed25519PrivateKey.from_private_bytes(
            hashlib.sha256((seed or name).encode()).digest()
        )
        self.note_key = NoteKey(name, type_, self._key.public_key().public_bytes_raw())

    def line(self, text, seconds=1_700_000_000):
        """Return the signature line of this key over the text."""
        if self.note_key.type == COSIGNATURE:
            raw = self._key.sign(cosigned_message(text, seconds))
            return cosigned(self.note_key, seconds, raw)
        return signed(self.note_key, self._key.sign(text.encode()))


def note(checkpoint: Checkpoint, *keys: Key) -> Note:
    """Return the checkpoint signed by the keys."""
    text = checkpoint.text()
    return Note(text, tuple(key.line(text) for key in keys))
