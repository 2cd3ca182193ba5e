# ruff: noqa: E501, Q003 -- payloads as they are
"""Texts of strangers in the renderer: shown as they are, nothing read, fetched or begun by them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from calib.certificates.pdf import render
from calib.certificates.pdf import template_digest as digest_of_templates
from instruments.text import LocalizedText
from tests.support.documents import digital_certificate

pytestmark = pytest.mark.slow
PAYLOADS = (
    '#read("/etc/passwd")', '#read("certificate.typ")', '#read("../pdf.py")', '#include "label.typ"',
    '#import "label.typ": *', '#import "@preview/cetz:0.3.4"', '#import "@local/x:0.1.0"',
    '#image("/etc/hostname")', '#image("file:///etc/passwd")', '#image("http://127.0.0.1:9/x.png")',
    '#csv("/etc/passwd")', '#json("../../pyproject.toml")', '#toml("x")', '#yaml("x")', '#xml("x")',
    '#cbor("x")', '#bibliography("x.bib")', '#plugin("x.wasm")', '#raw(read("/proc/self/environ"))',
    "#while true {}", "#let f() = f(); #f()", "#for i in range(999999999) {}", '#eval("1+1")',
    "#sys.inputs", "#context here()", "#link(\"file:///etc/passwd\")[x]", "#panic()", "#pagebreak()",
    "$ sum_(i=0)^infinity i $", "*bold* _it_ @ref <label>", "```typ #read(\"x\")```", "= heading",
    "#set page(width: 1cm)", "#metadata(read(\"/etc/passwd\"))", "\\u{41}", "// comment", "/* x */",
)  # fmt: skip


_LOOPS = """
import os
from pathlib import Path

from calib.certificates.pdf import preview_png
from tests.certificates.test_renderer_attacks import PAYLOADS, hostile

spent = sum(os.times()[:4])
loops = ("#while true {}", "#let f() = f(); #f()", *PAYLOADS[19:22])
picture = preview_png(hostile(loops), 1)
words = Path("/proc/self/status").read_text()
most = words.partition("VmHWM:")[2].split()[0]  # what it took itself, not who began it
print(sum(os.times()[:4]) - spent, most, picture[:4].hex())
"""


def hostile(texts):
    """Return a document that bears a text in each of the places strangers write."""
    document, (a, b, c, d, e) = digital_certificate(), texts
    return replace(
        document,
        customer=replace(document.customer, name=LocalizedText(en=a, zh=b), address=c),
        item=replace(document.item, maker=d, model=e, serial=a, asset_number=b),
    )


def words_of(content, folder):
    file = folder / "made.pdf"
    file.write_bytes(content)
    done = subprocess.run(
        ["pdftotext", "-layout", str(file), "-"], capture_output=True, check=True, text=True
    )
    return done.stdout


def groups():
    padded = (*PAYLOADS, *PAYLOADS[:5])
    return [padded[i : i + 5] for i in range(0, len(PAYLOADS), 5)]


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext is not installed")
def test_texts_are_drawn_as_they_are_and_reach_nothing(tmp_path, monkeypatch):
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "TYPST_PACKAGE_CACHE_PATH"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setenv("CALIB_SECRET_CANARY", "canary-31337-secret")

    def refused(*_of):
        raise AssertionError("the renderer asks the network")

    monkeypatch.setattr(socket.socket, "connect", refused)
    before = digest_of_templates()
    for texts in groups():
        spent = sum(os.times()[:4])
        content = render(hostile(texts), {}, preview=True)
        assert sum(os.times()[:4]) - spent <= 10
        words = "".join(words_of(content, tmp_path).split())
        for text in texts:
            assert "".join(text.split())[:12] in words, text
        for leaked in ("root:x:", "canary-31337-secret", "#letview=json", "frompathlib"):
            assert leaked not in words
    assert not (tmp_path / "home").exists()  # no package was looked for
    assert digest_of_templates() == before


def test_a_loop_in_a_text_costs_nothing_and_little_memory():
    """In a process of its own: this one has held other tests."""
    done = subprocess.run(
        [sys.executable, "-c", _LOOPS], capture_output=True, text=True, check=False, timeout=120,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seconds, kilobytes, begins = done.stdout.split()
    assert begins == "89504e47"  # a picture (PNG) was drawn
    assert float(seconds) <= 10
    assert int(kilobytes) <= 1024 * 1024
