"""The fonts of certificates and labels, taken from installed packages only.

System fonts are never used: the same document must give the same bytes on every machine. Knows
nothing of documents.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from instruments.errors import Refused, Unavailable

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

LATIN_FACES = ("Regular", "It", "Semibold")
"""The package holds every face twice (OTF and TTF); only these OTF files are used, so that the
choice does not hang on the order of a directory."""
LATIN = "Source Sans Pro"
CHINESE = "Noto Sans SC"


@functools.cache
def latin_files() -> tuple[Path, ...]:
    """Return the files of the Latin font."""
    return tuple(
        _located("font-source-sans-pro", f"font_source_sans_pro/files/SourceSansPro-{face}.otf")
        for face in LATIN_FACES
    )


@functools.cache
def chinese_file() -> Path:
    """Return the variable Noto Sans SC, which also brings Latin and symbols."""
    return _located(
        "justmytype-intl-cjk",
        "justmytype_intl_cjk/fonts/ofl/notosanssc/NotoSansSC[wght].ttf",
    )


@contextmanager
def font_folders() -> Iterator[tuple[str, ...]]:
    """Lend folders that hold the wanted faces and nothing else."""
    with tempfile.TemporaryDirectory(prefix="calib-fonts-") as folder:
        for file in latin_files():
            shutil.copyfile(file, Path(folder) / file.name)
        yield (folder, str(chinese_file().parent))


@functools.cache
def fonts_digest() -> str:
    """Return the SHA-256 over the font files, in the order they are used."""
    total = hashlib.sha256()
    for file in (*latin_files(), chinese_file()):
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


@functools.cache
def printable_characters() -> frozenset[int]:
    """Return every code point the fonts can draw."""
    files = (latin_files()[0], chinese_file())
    return frozenset(code for file in files for code in _face(file).getBestCmap())


@functools.cache
def latin_outline(letter: str) -> tuple[str, float]:
    """Return a letter as the path of an SVG, 1000 units an em, and its width in em.

    Raises
    ------
    Refused
        The font lacks the letter.
    """
    from fontTools.pens.svgPathPen import SVGPathPen  # type: ignore[import-untyped]

    face = _face(latin_files()[0])
    name = face.getBestCmap().get(ord(letter))
    if name is None:
        raise Refused(
            "text-unprintable",
            "The fonts of certificates cannot draw {text}. Replace it by letters of the "
            "Chinese or Latin script.",
            facts={"text": letter},
        )
    glyphs = face.getGlyphSet()
    pen = SVGPathPen(glyphs)
    glyphs[name].draw(pen)
    return pen.getCommands(), glyphs[name].width / 1000


@functools.cache
def _face(file: Path) -> TTFont:
    """Return an open font; only the tables that are asked for are read."""
    from fontTools.ttLib import TTFont

    return TTFont(file, lazy=True)


def _located(distribution: str, path: str) -> Path:
    """Return a file of an installed distribution, found without importing the package."""
    try:
        file = Path(str(importlib.metadata.distribution(distribution).locate_file(path)))
    except importlib.metadata.PackageNotFoundError:
        file = None
    if file is None or not file.is_file():
        raise Unavailable(
            "font-missing",
            "The font file {path} of package {distribution} is not installed. Install the "
            "requirements again.",
            facts={"path": path, "distribution": distribution},
        )
    return file
