"""Copies of certificates for the printer: one file out of many, marked on every page.

Joining breaks seals, so no seal is carried along and every page says where the original is. The
originals are never touched. Knows nothing of rows and rights.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pypdfium2  # type: ignore[import-untyped]
import typst

from calib.certificates.fonts import CHINESE, LATIN
from calib.certificates.pdf import every_font
from calib.certificates.reread import PDFIUM

_STAMPS = f"""
#let stamps = json(bytes(sys.inputs.data))
#set page(width: 210mm, height: 297mm, margin: 0mm, fill: none)
#set text(font: ("{LATIN}", "{CHINESE}"), size: 6.6pt)
#for stamp in stamps {{
  page(place(bottom + center, dy: -3mm, text(
    fill: if stamp.grave {{ rgb("#a02219") }} else {{ rgb("#4c5b58") }},
    weight: if stamp.grave {{ 700 }} else {{ 400 }},
    stamp.words,
  )))
}}
""".encode()
"""Beneath the foot of a certificate; a file of its own among the templates would change what they
are known by."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A certificate to print and what stands under each of its pages."""

    pdf: bytes
    words: str
    is_grave: bool = False
    """It no longer stands: the words are red."""


def joined(copies: Sequence[Copy], made_at: datetime) -> bytes:
    """Return all pages of the certificates in one file, each marked as a copy, without seals."""
    stamps = _stamps(copies, made_at)
    with PDFIUM:
        return _joined(copies, stamps)


def _joined(copies: Sequence[Copy], stamped: bytes) -> bytes:
    stamps = pypdfium2.PdfDocument(stamped)
    made = pypdfium2.PdfDocument.new()
    for place, copy in enumerate(copies):
        original = pypdfium2.PdfDocument(copy.pdf)
        stamp = stamps.page_as_xobject(place, made)
        for number in range(len(original)):
            page = made.new_page(*original.get_page_size(number))
            # what is drawn alone: fields and annotations, among them the seal, stay behind
            drawn = original.page_as_xobject(number, made)
            page.insert_obj(drawn.as_pageobject())
            page.insert_obj(stamp.as_pageobject())
            page.gen_content()
            drawn.close()
            page.close()
        stamp.close()
        original.close()
    out = io.BytesIO()
    made.save(out)
    made.close()
    stamps.close()
    return out.getvalue()


def _stamps(copies: Sequence[Copy], made_at: datetime) -> bytes:
    data = [{"words": copy.words, "grave": copy.is_grave} for copy in copies]
    compiler = typst.Compiler(
        _STAMPS, font_paths=every_font(), sys_inputs={"data": json.dumps(data)}
    )
    made: Any = compiler.compile(timestamp=int(made_at.timestamp()))
    return bytes(made)
