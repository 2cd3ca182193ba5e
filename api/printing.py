"""Many certificates in one go: a file to print, or the sealed originals to keep.

What is handed out is written down before: a row of the trail names every certificate.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from urllib.parse import urlsplit

from api.bootstrap import Wiring
from api.deps import MakeContext
from calib.certificates.copies import Copy, joined
from calib.i18n import translate
from calib.services import lookup
from instruments.errors import Refused
from instruments.services import audit, fields

MOST = 100
"""Certificates in one file."""
MOST_BYTES = 64 * 1024**2
"""Of originals: they are held in memory while the file is made."""
PRINT, PACK = "access:certificates:print", "access:certificates:pack"
GRAVE = {
    "superseded": "REPLACED by a newer certificate: do not use this one",
    "withdrawn": "WITHDRAWN: do not rely on this certificate",
}


def copies(act: MakeContext, wired: Wiring, ids: Sequence[int]) -> bytes:
    """Return one PDF of all pages, marked as copies without seals.

    Raises NotFound, Refused when none or too many are chosen or one has no file.
    """
    chosen = _taken(act, ids, "pdf", PRINT)
    host = urlsplit(wired.settings.public_url).netloc
    return joined(
        [
            Copy(wired.store.get(file.sha256), _words(one, host), one.state in GRAVE)
            for one, file in chosen
        ],
        wired.clock(),
    )


def originals(act: MakeContext, wired: Wiring, ids: Sequence[int]) -> bytes:
    """Return a ZIP of the sealed originals, byte for byte.

    Raises as `copies` does.
    """
    chosen = _taken(act, ids, "pdf", PACK)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as pack:  # PDFs are packed already
        for _, file in chosen:
            pack.writestr(zipfile.ZipInfo(file.name), wired.store.get(file.sha256))
    return out.getvalue()


def _words(one: lookup.CertificateView, host: str) -> str:
    said = GRAVE.get(one.state) or "Copy for printing, carries no seal"
    in_both = " / ".join(translate(said, language) for language in ("zh", "en"))
    return f"{one.number}  ·  {in_both}  ·  {host}/c/{one.token}"


def _taken(
    act: MakeContext, ids: Sequence[int], role: str, what: str
) -> list[tuple[lookup.CertificateView, lookup.FileView]]:
    """Return certificates with their file once the trail knows that they are handed out."""
    with act() as ctx:
        fields.few(ids, "/id", MOST)
        chosen = lookup.chosen_certificates(ctx, ids)
        if not chosen:
            raise Refused("nothing-chosen", "No certificate is chosen. Tick some in the list.")
        found = [(one, file) for one in chosen for file in one.files if file.role == role]
        if len(found) < len(chosen):
            have = {one.id for one, _ in found}
            missing = next(one for one in chosen if one.id not in have)
            raise Refused(
                "certificate-without-file",
                "The certificate {number} has no file yet. Leave it out.",
                facts={"number": missing.number},
            )
        size = sum(file.size for _, file in found)
        if size > MOST_BYTES:
            raise Refused(
                "files-too-large",
                "The chosen files have {got} MB together, at most {most} MB are handed out at "
                "once. Choose fewer.",
                facts={"got": size // 1024**2 + 1, "most": MOST_BYTES // 1024**2},
            )
        facts = {"numbers": [one.number for one in chosen]}
        audit.record(ctx, what, "certificates", None, facts)
    return found
