"""Document and typst template into deterministic PDF/A-3a and PDF/UA-1, and into page previews.

Data reaches the template as JSON only, never as source. Neither clock, time zone, locale nor
system font plays a part: the same document gives the same bytes. Knows nothing of seals.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import warnings
from collections.abc import Iterator, Mapping
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any

import typst

from calib.certificates.document import CertificateDocument
from calib.certificates.fonts import CHINESE, LATIN, font_folders, fonts_digest
from calib.certificates.layout import view_of
from calib.certificates.setting import rules_needed, set_sections
from instruments.errors import Refused, Unavailable

__all__ = ["compile_pdf", "fonts_digest", "preview_png", "render", "template_digest"]

MARK = "mark.txt"
"""Name of the attachment that holds what stands behind the # of the code."""
_SHAPES = (
    "blocks", "detail_tables", "figures", "fonts", "layout", "plots", "sections", "setting",
    "statement", "tables", "wording", "dcc_details", "dcc_methods", "dcc_parties", "dcc_results",
    "dcc_statements", "dcc_units", "dcc_writing", "dcc_xml",
)  # fmt: skip
"""Modules that decide what stands in the files of a certificate."""
_STANDARDS: list[typst.PDFStandard] = ["a-3a", "ua-1"]
_UNPRINTABLE = re.compile(r"the text `\"?(?P<text>.*?)\"?` could not be displayed", re.DOTALL)


def render(
    document: CertificateDocument,
    attachments: Mapping[str, bytes],
    *,
    preview: bool = False,
) -> bytes:
    """Return the certificate as PDF/A-3a and PDF/UA-1 with its frozen values attached.

    `attachments` are named files, e.g. ``input.json``; ``certificate.json``, the document itself,
    is always attached, and what stands in ``mark.txt`` is drawn into the code. A preview bears a
    watermark, no address and no attachment.

    Raises
    ------
    Refused
        A text holds a character no font of the certificate can draw.
    Unavailable
        The template could not be compiled for another reason.
    """
    files: dict[str, str] = {}
    if not preview:
        everything = {"certificate.json": document.canonical(), **attachments}
        # in the order of their names: whoever takes them out of the file can make it again
        files = {name: everything[name].decode("utf-8") for name in sorted(everything)}
    inputs = {
        "data": _data(document, preview=preview, mark=files.get(MARK, "")),
        "files": json.dumps(files, ensure_ascii=False),
    }
    instant = int(datetime.fromisoformat(document.issued_at).timestamp())
    return compile_pdf("certificate.typ", inputs, instant)


def preview_png(document: CertificateDocument, page: int, *, ppi: float = 110) -> bytes:
    """Return one page of the preview as PNG; page 1 is the first.

    Raises
    ------
    Refused
        There is no such page.
    """
    inputs = {"data": _data(document, preview=True), "files": "{}"}
    pages = _compile("certificate.typ", inputs, 0, format="png", ppi=ppi)
    pages = pages if isinstance(pages, list) else [pages]
    if not 1 <= page <= len(pages):
        raise Refused(
            "page-missing",
            "The preview has {pages} pages; page {page} was asked for.",
            facts={"pages": len(pages), "page": page},
        )
    return bytes(pages[page - 1])


def _data(document: CertificateDocument, *, preview: bool, mark: str = "") -> str:
    view = view_of(document, preview=preview, mark=mark)
    shaped = {**view, **set_sections(view["sections"])}
    words = " ".join(_words({**view, "public": None}))
    return json.dumps({**shaped, **rules_needed(words)}, ensure_ascii=False)


def _words(value: Any) -> Iterator[str]:
    """Give every text of a view but drawings."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key != "svg":
                yield from _words(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _words(inner)


def compile_pdf(template: str, inputs: Mapping[str, str], instant: int) -> bytes:
    """Return the PDF of a template of this package; `instant` is the UTC second of its stamp."""
    made = _compile(template, inputs, instant, pdf_standards=_STANDARDS)
    # a file that ends without a line end would lose PDF/A when a seal is appended to it
    return bytes(made) + b"\n"


@functools.cache
def template_digest() -> str:
    """Return the SHA-256 over templates, layout and words: what shapes a certificate."""
    total = hashlib.sha256()
    here = resources.files("calib")
    words = here / "locale" / "zh" / "LC_MESSAGES"
    sources = [words / "certificate.po", words / "dcc.po"]
    sources += sorted((here / "certificates" / "templates").iterdir(), key=lambda f: f.name)
    sources += [here / "certificates" / f"{name}.py" for name in _SHAPES]
    for source in sources:
        if source.is_file():
            total.update(hashlib.sha256(source.read_bytes()).digest())
    return total.hexdigest()


_EVERY_FACE = f"""
#set text(font: ("{LATIN}", "{CHINESE}"))
Regular #text(weight: 600)[semibold] #text(style: "italic")[italic] 中文
""".encode()


@functools.cache
def every_font() -> typst.Fonts:
    """Return the fonts, each face read once: their folder need not outlive this call."""
    with font_folders() as folders:
        fonts = typst.Fonts(
            include_system_fonts=False, include_embedded_fonts=False, font_paths=list(folders)
        )
        typst.Compiler(_EVERY_FACE, font_paths=fonts).compile(timestamp=0)
    return fonts


def _compile(template: str, inputs: Mapping[str, str], instant: int, **options: Any) -> Any:
    folder = Path(str(resources.files("calib") / "certificates" / "templates"))
    compiler = typst.Compiler(
        str(folder / template), root=str(folder), font_paths=every_font(), sys_inputs=dict(inputs)
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", typst.TypstWarning)
            return compiler.compile(timestamp=instant, **options)
    except typst.TypstError as problem:
        found = _UNPRINTABLE.search(problem.message)
        if found:
            raise Refused(
                "text-unprintable",
                "The fonts of certificates cannot draw {text}. Replace it by letters of the "
                "Chinese or Latin script.",
                facts={"text": found["text"]},
            ) from problem
        raise Unavailable(
            "certificate-not-rendered",
            "The certificate could not be rendered: {reason}. Report this with the document.",
            facts={"reason": problem.message},
        ) from problem
