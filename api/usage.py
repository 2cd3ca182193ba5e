"""Wrong usage of the command line or the environment: exit code 3, before anything was tried."""

from __future__ import annotations

from instruments.errors import Invalid


class WrongUsage(Invalid):
    """The command cannot be carried out as it was given."""
