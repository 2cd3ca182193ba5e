"""What the page for authenticating says in the browser; the scripts hold the same sentences.

A sentence that a verifier step says stands where the verifier makes the step, and is found there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from calib.services.public import KIND_WORDS, VERDICT_WORDS

PAGE_WORDS: Final = (
    "Code from the camera or a picture",
    "Typed or pasted code",
    "Certificate",
    "Proof that it stands in the log",
    "Status list",
    "Take out",
    "established",
    "contradicted",
    "not established",
    "The code is genuine, and its certificate stands.",
    "What to do next",
    "Compare it with what lies before you",
    (
        "A genuine code or file can be copied onto another item or another paper. Tick what "
        "is the same."
    ),
    "Compared: {done} of {count}.",
    "Everything you compared is the same.",
    "Whatever differs was changed: then the paper or the item is not what was issued.",
    (
        "The browser looked at the bytes, the log and the status. What the file says inside, "
        "and its seal, is examined by the server: press the button above."
    ),
    "Looking at it …",
    (
        "Pinned on {day}, when this page was first opened here. That is trust on first use: "
        "compare the fingerprint with one you were given by another way, on paper or by "
        "telephone."
    ),
    "Pinned on {day} from a file that you chose.",
    "Fingerprint of the trust bundle (SHA-256)",
    "Compare with the fingerprint you were given",
    "The same: this is the bundle you were told of.",
    ("Not the same: do not trust it. Ask the laboratory again, by a telephone number you know."),
    "Go on: {count} of 64 characters.",
    "Laboratories",
    "Status list of {at}, good until {until}.",
    (
        "The status list was good until {until}. What was withdrawn since is not known: load "
        "it again."
    ),
    "No status list yet: whether a certificate still stands cannot be told.",
    "Stop trusting",
    (
        "Nothing is pinned. Add the trust bundle of a laboratory: a file that it hands out by"
        " another way than the certificate."
    ),
    "Another bundle for {host}",
    (
        "The bundle of {host} is not the one you pinned. Either keys were renewed, or "
        "somebody answers in the laboratory's place. Compare the fingerprint with one you are"
        " given by telephone before you take it."
    ),
    "New bundle for {host}",
    "Trust it from now on",
    "Do not take it",
    (
        "This page came from {here}, but its bundle is of {host}. Whoever serves it is not "
        "that installation: do not rely on this page."
    ),
    "Kept on this device: this page works without a network.",
    "This page is not kept on this device yet: open it once with a network, by HTTPS.",
    "Your browser keeps no pages: this one works with a network only.",
    "No code was found in the picture. Hold it straight, fill the frame, avoid glare.",
    "The camera cannot be used ({reason}). Choose a photo of the code instead.",
    "Hold the code before the camera.",
    "The file could not be read.",
    "The file is larger than {limit} MB; no certificate is.",
    (
        "Which code belongs to this address is not said: nothing stands behind its #. Scan "
        "the code on the paper itself."
    ),
    "What the code itself says",
    (
        "The code on the paper carries this, signed by the laboratory. This page, which may "
        "be a clone, cannot vouch for it: check it with the page that you installed before."
    ),
    "The code that led here carries no signed mark.",
)
"""Sentences of the scripts that no step of the verifier says."""
SAYS_WORDS: Final[Mapping[str, str]] = {
    "number": "Number",
    "laboratory": "Laboratory",
    "customer": "Customer",
    "item": "Item",
    "maker": "Maker",
    "model": "Model",
    "serial": "Serial number",
    "performed_on": "Done on",
    "issued_on": "Issued on",
    "valid_until": "Valid until",
    "verdict": "Verdict",
    "host": "Website",
}
"""What a certificate says of itself, in the order in which it is compared."""
ENDED_WORDS: Final[Mapping[str, str]] = {
    "superseded": "Replaced",
    "withdrawn": "Withdrawn",
    "void": "Void",
}
FACT_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "kind": KIND_WORDS,
    "verdict": {**VERDICT_WORDS, "simulated": "Simulated readings"},
    "state": ENDED_WORDS,
}
