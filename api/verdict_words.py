"""Verdicts in the words of pages and of the terminal; only ids, nothing is looked up."""

from __future__ import annotations

from collections.abc import Mapping

VERDICT_WORDS: Mapping[str, str] = {
    "pass": "Pass",
    "conditional_pass": "Conditional pass",
    "undetermined": "Undetermined",
    "conditional_fail": "Conditional fail",
    "fail": "Fail",
    "cannot_be_stated": "Cannot be stated",
    "not_stated": "No statement",
    "not_calibratable": "Not calibratable",
}
REST_PASSES = "Pass without the pieces that do not"
"""Of a batch: the verdict speaks of the other pieces."""
