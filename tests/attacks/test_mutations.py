"""Bits flipped, bytes cut out, put in and exchanged, anywhere in all that is handed over."""

from __future__ import annotations

import functools
import json
import os
import random
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from calib.verifier import standalone
from calib.verifier.evidence import log_steps, sha256, status_step
from calib.verifier.examine import examine
from calib.verifier.report import verdict_of
from tests.support import forge
from tests.support.forge import NOW, TRUST

PARTS = ("pdf", "dcc", "code", "proof", "status")
Files = dict[str, bytes]


def files_of(world: forge.World) -> Files:
    """Return all that is handed over with a certificate."""
    return {
        "pdf": world.first.pdf,
        "dcc": world.first.dcc,
        "code": world.first.code.encode(),
        "proof": world.proof(world.first).text().encode(),
        "status": forge.listed({world.first.document.token: "withdrawn"}),
    }


def mutated(draw: random.Random, content: bytes, others: Files) -> bytes:
    """Return the content with one change."""
    place, kind = draw.randrange(len(content)), draw.randrange(8)
    size = draw.choice((1, 1, 2, 8, 64, 4096))
    if kind < 4:
        bit = bytes([content[place] ^ 1 << draw.randrange(8)])
        return content[:place] + bit + content[place + 1 :]
    if kind == 4:
        return content[:place] + content[place + size :]
    if kind == 5:
        return content[:place] + draw.randbytes(size) + content[place:]
    if kind == 6:
        source = others[draw.choice(PARTS)]
        start = draw.randrange(len(source))
        return content[:place] + source[start : start + size] + content[place + size :]
    other = draw.randrange(len(content))
    low, high = sorted((place, other))
    size = min(size, high - low)
    return (
        content[:low] + content[high : high + size] + content[low + size : high]
        + content[low : low + size] + content[high + size :]
    )  # fmt: skip


def accepted(world: forge.World, files: Files, name: str, content: bytes) -> str:
    """Return by whom a mutation was accepted; empty: by nobody.

    The certificate is withdrawn: whatever is believed of it must end in that or in nothing.
    """
    document, entry = world.first.document, forge.entry_of(world.first.document.token)
    if name in ("pdf", "dcc", "code"):
        proof = files["proof"] if name != "code" else None
        report = examine(content, world.evidence(status=world.status, proof=proof))
        bad = report.verdict == "valid" or (
            name == "dcc" and report.step("log") and report.step("log").state == "established"
        )
        if name == "code" and report.verdict == "valid":
            # white space around a code is no part of it, nor are the scheme and the folder of its
            # address: whoever installs under a folder of the host may move it
            bad = _led(content) != _led(files["code"])
        return "program" if bad else ""
    if name == "proof":
        evidence = world.evidence(proof=content)
        digests = {"pdf": sha256(files["pdf"])}
        steps = log_steps(evidence, digests, document.number, document)
        steps.append(status_step(evidence, document.token))
        same = _says_the_same(world, content)
        if verdict_of(steps) == "valid" and not same:
            return "program"
        return "file alone" if _alone_log(content, files) and not same else ""
    evidence = world.evidence(status=content)
    if status_step(evidence, document.token).state == "established":
        return "program"
    try:
        code = standalone.check_status(json.loads(TRUST.canonical()), content, entry, NOW)[0]
    except (standalone.Wrong, ValueError):
        code = 2
    return "file alone" if code == 0 else ""


def _led(code: bytes) -> tuple[str, ...]:
    """Return the host, the token and the mark of a code."""
    address, _, mark = code.decode().strip().partition("#")
    host = address.removeprefix("https://").removeprefix("http://").partition("/")[0]
    return host, address.rpartition("/c/")[2], mark


def _alone_log(content: bytes, files: Files) -> bool:
    try:
        standalone.check_log(json.loads(TRUST.canonical()), content, files["pdf"], NOW)
    except (standalone.Wrong, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return False
    return True


def _says_the_same(world: forge.World, content: bytes) -> bool:
    """Answer whether nothing but a line of signatures that nobody asked for was changed."""
    genuine = world.proof(world.first).text().encode()
    return content.rpartition(b"\n\n")[0] == genuine.rpartition(b"\n\n")[0]


def run(seed: int, count: int, parts: tuple[str, ...]) -> list[str]:
    """Try so many mutations; return the accepted ones."""
    world = _world()
    files = files_of(world)
    draw = random.Random(seed)  # noqa: S311
    return [
        f"seed {seed}, {n}: {name} by {by}"
        for n, name, content in _drawn(draw, files, count, parts)
        if (by := accepted(world, files, name, content))
    ]


def _drawn(
    draw: random.Random, files: Files, count: int, parts: tuple[str, ...]
) -> Iterator[tuple[int, str, bytes]]:
    for n in range(count):
        name = draw.choice(parts)
        content = mutated(draw, files[name], files)
        if content != files[name]:
            yield n, name, content


@functools.cache
def _world() -> forge.World:
    return forge.a_world()


@pytest.mark.slow
def test_nothing_that_was_changed_is_accepted():
    """Two thousand; of the pages few, because each takes a second."""
    assert run(1, 1950, ("dcc", "code", "proof", "status")) == []
    assert run(2, 50, ("pdf",)) == []


@pytest.mark.nightly
def test_nothing_of_a_hundred_thousand_is_accepted():
    workers = min(4, os.cpu_count() or 1)
    cheap, dear = ("code", "proof", "status", "dcc"), ("pdf",)
    jobs = [(n, 2475, cheap) for n in range(100, 140)] + [(n, 25, dear) for n in range(200, 240)]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        found = list(pool.map(run, *zip(*jobs, strict=True)))
    assert sum(count for _, count, _ in jobs) == 100_000
    assert [one for some in found for one in some] == []
