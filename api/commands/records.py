"""``calib record``: a record of work from the first reading to its authorisation."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.commands.acting import Token, acting
from api.commands.signing import MEANINGS, signed
from api.commands.terminal import AsJSON, Reason, answer, pairs, print_json, tell_findings, words
from api.usage import WrongUsage

if TYPE_CHECKING:
    from calib.evaluation.result import CalibrationResult
    from calib.services.calibration_views import CalibrationView

app = typer.Typer(no_args_is_help=True, help="Records of work: readings to authorisation.")
Record = Annotated[int, typer.Argument(help="Id of the record.", show_default=False)]
Comment = Annotated[str, typer.Option(help="What the reviewer or signatory says.")]


def _line(record: CalibrationView) -> str:
    done = record.performed_on or "-"
    return f"{record.id}  {record.state}  {record.kind}  {record.definition.name.en}  {done}"


def _tell(record: CalibrationView, *, as_json: bool) -> None:
    answer(record, _line(record), as_json=as_json)


@app.command()
def show(record_id: Record, token: Token = "", as_json: AsJSON = False) -> None:
    """Show a record with what was entered so far."""
    from calib.services import readings

    with acting(token, read_only=True) as (ctx, _):
        record = readings.get_calibration(ctx, record_id)
    lines = [_line(record)]
    lines += [
        f"  {r.measurand}  {r.stage}  {r.piece}  {r.point}  {r.input} {r.place + 1}  "
        f"{r.value} {r.unit}  {r.person_name}"
        for r in record.readings()
    ]
    answer(record, "\n".join(lines), as_json=as_json)


@app.command()
def facts(
    record_id: Record,
    *,
    performed_on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day of the work.")
    ] = None,
    place: Annotated[str | None, typer.Option(help="Where it was done.")] = None,
    acclimatisation_minutes: Annotated[int | None, typer.Option(min=0)] = None,
    examination: Annotated[
        list[str] | None, typer.Option(help="name=passed or name=failed; repeat for more.")
    ] = None,
    adjustment: Annotated[str | None, typer.Option(help="What was adjusted.")] = None,
    remark: Annotated[str | None, typer.Option(help="Printed on the certificate.")] = None,
    simulated: Annotated[
        bool, typer.Option("--simulated", help="The readings are simulated; never taken back.")
    ] = False,
    token: Token = "",
    as_json: AsJSON = False,
) -> None:
    """Note the circumstances of the work; what is not named stays."""
    from calib.services import circumstances, readings

    given: dict[str, Any] = {
        "performed_on": performed_on.date() if performed_on else None,
        "place": place,
        "acclimatisation_minutes": acclimatisation_minutes,
        "adjustment": adjustment,
        "remark": remark,
        "simulated": simulated or None,
        "examinations": _examinations(examination) if examination else None,
    }
    with acting(token) as (ctx, _):
        seen = readings.get_calibration(ctx, record_id)
        record = circumstances.set_facts(ctx, record_id, seen.version, **given)
    _tell(record, as_json=as_json)


def _examinations(given: list[str]) -> dict[str, dict[str, object]]:
    found = pairs(given, "--examination")
    for name, outcome in found.items():
        if outcome not in ("passed", "failed"):
            raise WrongUsage(
                "option-malformed",
                "{option} {given} cannot be read. Write it as name=value, each name once.",
                facts={"option": "--examination", "given": repr(f"{name}={outcome}")},
            )
    return {
        name: {"passed": outcome == "passed", "remark": "", "rejected_pieces": []}
        for name, outcome in found.items()
    }


@app.command()
def condition(
    record_id: Record,
    quantity: Annotated[str, typer.Argument(help="temperature, relative_humidity, pressure.")],
    value: Annotated[str, typer.Argument(help="As read, e.g. 21.30.")],
    unit: Annotated[str, typer.Argument(help="degC, %RH, kPa, hPa or Pa.")],
    moment: Annotated[str, typer.Option(help="start or end of the work.")] = "start",
    reason: Annotated[str, typer.Option(help="Why a value is corrected.")] = "",
    token: Token = "",
    as_json: AsJSON = False,
) -> None:
    """Enter an influence quantity, or correct one with a reason."""
    from calib.services import readings

    with acting(token) as (ctx, _):
        stands = readings.get_calibration(ctx, record_id).conditions
        seen = next((c.revision for c in stands if (c.quantity, c.moment) == (quantity, moment)), 0)
        entry = readings.ConditionEntry(quantity, moment, value, unit, seen, reason)
        view = readings.enter_condition(ctx, record_id, entry)
    answer(view, f"{view.quantity} {view.moment}  {view.value} {view.unit}", as_json=as_json)


@app.command()
def evaluate(record_id: Record, token: Token = "", as_json: AsJSON = False) -> None:
    """Say what the record gives now, with every finding; stores nothing."""
    from api.commands.terminal import language
    from api.problems import finding_document
    from calib.services import evaluation

    with acting(token, read_only=True) as (ctx, _):
        draft = evaluation.evaluate_draft(ctx, record_id)
    if as_json:
        found = [finding_document(f, language()) for f in draft.findings]
        result = draft.result.as_dict()["result"] if draft.result else None
        print_json({"result": result, "findings": found})
    else:
        tell_findings(draft.findings)
        typer.echo(_verdict(draft.result) if draft.result else words("no result"))
    raise typer.Exit(0 if draft.result else 1)


def _verdict(result: CalibrationResult) -> str:
    """Return the verdict; of a batch also how many pieces pass, for it speaks of the rest."""
    if result.passed_of is None:
        return result.verdict
    passed, pieces = result.passed_of
    said = words("{passed} of {all} pieces pass", passed=passed, all=pieces)
    return said if result.verdict == "pass" else f"{result.verdict}  {said}"


@app.command()
def accept_warning(
    record_id: Record,
    warning: Annotated[str, typer.Argument(help="code@place as evaluate names it.")],
    reason: Reason,
    token: Token = "",
    as_json: AsJSON = False,
) -> None:
    """Accept a warning with the reason why the work stands."""
    from calib.services import circumstances, readings

    with acting(token) as (ctx, _):
        version = readings.get_calibration(ctx, record_id).version
        record = circumstances.accept_warning(ctx, record_id, version, warning, reason)
    _tell(record, as_json=as_json)


@app.command()
def submit(record_id: Record, token: Token = "", as_json: AsJSON = False) -> None:
    """Submit a draft for review: it is evaluated and stored."""
    _act("submit", record_id, (), token, as_json=as_json)


@app.command()
def review(
    record_id: Record, comment: Comment = "", token: Token = "", as_json: AsJSON = False
) -> None:
    """Mark the record as reviewed by a second person."""
    _act("review", record_id, (comment,), token, as_json=as_json)


@app.command()
def authorise(
    record_id: Record, comment: Comment = "", token: Token = "", as_json: AsJSON = False
) -> None:
    """Mark the record as authorised for issue."""
    _act("authorise", record_id, (comment,), token, as_json=as_json)


@app.command()
def give_back(
    record_id: Record, reason: Reason, token: Token = "", as_json: AsJSON = False
) -> None:
    """Return the record to the bench with a reason."""
    _act("give_back", record_id, (reason,), token, as_json=as_json)


def _act(name: str, record_id: int, said: tuple[str, ...], token: str, *, as_json: bool) -> None:
    from calib.services import readings
    from calib.services import review as reviewing

    acts: dict[str, Any] = {
        "submit": reviewing.submit,
        "review": reviewing.review,
        "authorise": reviewing.authorise,
        "give_back": reviewing.give_back,
    }
    proof = signed(token, record_id, MEANINGS[name]) if name in MEANINGS else None
    more = {} if proof is None else {"signing": proof}
    with acting(token) as (ctx, _):
        seen = readings.get_calibration(ctx, record_id)
        acts[name](ctx, record_id, seen.version, *said, **more)
        record = readings.get_calibration(ctx, record_id)
    _tell(record, as_json=as_json)


@app.command(name="input")
def input_(record_id: Record, token: Token = "") -> None:
    """Write the frozen input of the newest stored evaluation: a task for calib compute."""
    sys.stdout.buffer.write(_stored(record_id, token)[0])


@app.command()
def result(record_id: Record, token: Token = "") -> None:
    """Write the newest stored result as its canonical bytes."""
    sys.stdout.buffer.write(_stored(record_id, token)[1])


def _stored(record_id: int, token: str) -> tuple[bytes, bytes]:
    from calib.services import evaluation

    with acting(token, read_only=True) as (ctx, _):
        stored = evaluation.get_evaluation(ctx, record_id)
    return stored.input_json.encode(), stored.result_json.encode()
