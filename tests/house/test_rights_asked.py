"""Every use case asks for the right itself: a page that forgets to ask opens no door."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.house.source import Source, report, sources

SERVICES = ("instruments/services/", "calib/services/")
ASKS = {"need", "may", "decision"}
_STEP = "a step of an act that has asked"
_RULE = "a rule about the act itself"
_TYPES = "what types and documents say; anybody who works here may read them"
UNASKED: dict[str, str] = {
    "open_amendment": "a number beside a certificate that the reader was shown",
    "failed_mails": "shown on the dashboard, which asks",
    "get_lab": "every certificate and every page says it",
    **dict.fromkeys(
        (
            "set_due", "subject_of", "supersede", "told", "with_chain", "frozen_with", "opened",
            "waiting", "freeze_record", "once", "ground_of",
            "replaced_certificate", "seal_words", "append", "finish_when_issued",
            "certified_standards", "record",
            "understand", "write_rows",
            "first_status", "lines_of", "take_number", "take_numbers", "end_sign_ins",
            "in_state", "confirm", "key_of_lab",
            "readings_of", "locked", "in_force", "change", "get_row", "certificates",
            "check_site", "owned_since",
        ),
        _STEP,
    ),
    **dict.fromkeys(
        (
            "performers", "need_second", "need_past", "actor_today", "name_of", "need", "is_kept",
            "rules",
            "need_another_definition", "need_other_person",
            "need_sound", "misfits", "may_see", "own_customer",
        ),
        _RULE,
    ),
    **dict.fromkeys(
        (
            "ended_documents", "standing_notes", "with_standing", "confirmed",
            "limits_with_confirmations", "known_to", "recorded_by", "approved_version", "base_of",
            "changes_of", "forget_catalogue", "lab_catalogue",
        ),
        _TYPES,
    ),
}  # fmt: skip
"""Functions that are handed a context and ask nothing, with the reason."""


def functions(source: Source) -> Iterator[ast.FunctionDef]:
    """Yield the functions of a module that are handed a context."""
    for node in source.tree.body:
        if isinstance(node, ast.FunctionDef) and any(
            each.arg == "ctx" for each in (*node.args.args, *node.args.kwonlyargs)
        ):
            yield node


def called(function: ast.FunctionDef) -> set[str]:
    """Return the names of what a function calls with a context."""
    found = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            target = node.func
            owner = target.value if isinstance(target, ast.Attribute) else None
            if isinstance(owner, ast.Name) and owner.id == "ctx" and target.attr in ASKS:
                found.add("ctx.need")
            elif any(isinstance(each, ast.Name) and each.id == "ctx" for each in node.args):
                found.add(target.attr if isinstance(target, ast.Attribute) else ast.unparse(target))
    return found


def unasked() -> dict[str, str]:
    """Return path and name of every public function that neither asks nor calls what asks."""
    known = {
        (source.path, function.name): called(function)
        for source in sources("instruments", "calib")
        if source.path.startswith(SERVICES)
        for function in functions(source)
    }
    asking = {"ctx.need"}
    while True:
        more = {name for (_, name), calls in known.items() if calls & asking} - asking
        if not more:
            break
        asking |= more
    return {
        name: path
        for (path, name), calls in known.items()
        if not name.startswith("_") and not calls & asking
    }


def test_every_use_case_asks_for_the_right_itself():
    found = unasked()
    forgotten = [f"{path} {name}" for name, path in found.items() if name not in UNASKED]
    assert not forgotten, report(forgotten)


def test_what_is_excused_is_there_and_says_why():
    found = unasked()
    assert all(reason for reason in UNASKED.values())
    assert UNASKED.keys() <= found.keys()
