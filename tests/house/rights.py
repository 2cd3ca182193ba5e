"""The table of rights that people review; `make docs` writes it from the policy."""

from __future__ import annotations

import csv

from instruments.policy import as_table
from tests.house.source import ROOT

PAGE = ROOT / "docs" / "operate" / "rights.csv"


def write() -> None:
    """Write the table."""
    with PAGE.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(as_table())


if __name__ == "__main__":
    write()
