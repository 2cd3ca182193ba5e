"""What signing keys are for and how they stand, in words of the pages; translated when shown."""

from __future__ import annotations

from collections.abc import Mapping

PURPOSE_WORDS: Mapping[str, str] = {
    "root": "Certificates of seals",
    "seal": "Certificates of this laboratory",
    "mark": "Codes on certificates",
    "log": "The public log",
    "status": "The status list",
    "preview": "Trials, believed by nobody",
}
STATE_WORDS: Mapping[str, str] = {
    "usable": "in use",
    "uncertified": "waits for its certificate",
    "early": "not valid yet",
    "rotated": "followed by another",
    "expired": "run out",
    "retired": "signs no more",
    "compromised": "given up: perhaps in other hands",
}
