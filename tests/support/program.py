"""The installed program, run as its users run it: as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.mail_server import free_port

ROOT = Path(__file__).parents[2]
START = "import sys; from api.cli import main; main()"
SECONDS = 120


def wait_for(port: int) -> None:
    """Wait until a server answers at a port."""
    ends = time.monotonic() + SECONDS
    while time.monotonic() < ends:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/livez").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    pytest.fail("the server did not start")


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    code: int
    out: bytes
    err: str

    def json(self) -> Any:
        """Return the one JSON document on standard output."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Program:
    """The command line in an environment of its own."""

    settings: Mapping[str, str] = field(default_factory=dict)

    def environment(self, **more: str) -> dict[str, str]:
        """Return the variables the program sees."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("CALIB_", "LC_", "LANG"))}
        return kept | {"LANG": "C.UTF-8", "PYTHONPATH": str(ROOT)} | dict(self.settings) | more

    def __call__(self, *arguments: str | int | Path, stdin: bytes = b"", **more: str) -> Done:
        """Run a command to its end."""
        done = subprocess.run(
            [sys.executable, "-c", START, *map(str, arguments)],
            input=stdin,
            capture_output=True,
            env=self.environment(**more),
            timeout=SECONDS,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr.decode())

    def asked(self, *arguments: str | int | Path, token: str = "", stdin: bytes = b"") -> Any:
        """Run a command that must succeed, and return its JSON."""
        done = self(*arguments, "--json", stdin=stdin, CALIB_TOKEN=token)
        assert done.code == 0, done.err
        return done.json()

    @contextmanager
    def running(
        self, *arguments: str | int | Path, heard: int = subprocess.PIPE, **more: str
    ) -> Iterator[subprocess.Popen]:
        """Keep a command running, and end it by what Ctrl-C sends.

        What it says is to be read by whoever runs it for long: a full pipe stops it.
        """
        process = subprocess.Popen(
            [sys.executable, "-c", START, *map(str, arguments)],
            stdout=heard,
            stderr=heard,
            env=self.environment(**more),
        )
        try:
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=SECONDS)

    @contextmanager
    def served(self, **more: str) -> Iterator[httpx.Client]:
        """Serve on a free port, and lend a client that reaches it."""
        port = free_port()
        with self.running("serve", "--port", port, heard=subprocess.DEVNULL, **more):
            wait_for(port)
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=SECONDS) as client:
                yield client
