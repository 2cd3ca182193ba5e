"""The command line in this process, with an environment and a captured output of its own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from api import cli


class Terminal:
    """Where commands are typed; what the last one said stands in `out` and `err`."""

    def __init__(self, captured: pytest.CaptureFixture[bytes], patch: pytest.MonkeyPatch) -> None:
        self._captured = captured
        self.patch = patch
        self.err = ""
        self.out = b""

    def __call__(self, *arguments: object) -> int:
        """Run a command and return its exit code."""
        given = [str(argument) for argument in arguments]
        self.patch.setattr("sys.argv", ["calib", *given])
        code = cli.run(given)
        self.out, err = self._captured.readouterr()
        self.err = err.decode()
        return code

    def asked(self, *arguments: object) -> Any:
        """Return the JSON of a command that must succeed."""
        assert self(*arguments, "--json") == 0, self.err
        return json.loads(self.out)

    def said(self, *arguments: object) -> str:
        """Return the words of a command that must succeed."""
        assert self(*arguments) == 0, self.err
        return self.out.decode()
