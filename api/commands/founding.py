"""``calib lab`` and ``calib person``: what the operator of a new installation does first.

These act on the database that the environment names, without a token: who may run them may read
the database anyway. Everything further is done by the lab's manager on the pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.acting import installation
from api.commands.terminal import AsJSON, answer, language
from instruments.errors import NotFound

if TYPE_CHECKING:
    from instruments.tenancy import InstallationSession

labs_app = typer.Typer(
    no_args_is_help=True, help="Open a laboratory or an authority on this installation."
)
people_app = typer.Typer(no_args_is_help=True, help="Open an account, appoint, make a token.")
Lab = Annotated[str, typer.Option("--lab", help="Code of the laboratory.")]
Email = Annotated[str, typer.Option(help="Mail address; the person signs in with it.")]


@labs_app.command("new")
def new_lab(
    code: Annotated[str, typer.Argument(help="2 to 8 capital letters and digits.")],
    name_en: Annotated[str, typer.Option(help="Name in English.")] = "",
    name_zh: Annotated[str, typer.Option(help="Name in Chinese.")] = "",
    address_en: Annotated[str, typer.Option(help="Address; certificates print it.")] = "",
    address_zh: Annotated[str, typer.Option(help="Address in Chinese.")] = "",
    time_zone: Annotated[str, typer.Option(help="Zone of its dates.")] = "Asia/Shanghai",
    *,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict/--lenient",
            help="Competence is kept, signatures are demanded, three persons approve; the quality "
            "manager changes each later.",
        ),
    ] = True,
    authority: Annotated[
        bool, typer.Option("--authority", help="It oversees laboratories and is none itself.")
    ] = False,
    as_json: AsJSON = False,
) -> None:
    """Open a laboratory, or an authority that oversees laboratories."""
    from instruments.services import approval_rules, labs
    from instruments.tenancy import installation_session

    with installation(may_begin=True) as wired, installation_session(wired.engine) as session:
        lab = labs.create_lab(
            session,
            code=code,
            name_en=name_en,
            name_zh=name_zh,
            now=wired.clock(),
            address_en=address_en,
            address_zh=address_zh,
            time_zone=time_zone,
            kind="authority" if authority else "laboratory",
        )
        if strict and not authority:
            approval_rules.begin_with(session, lab.id, approval_rules.STRICT_RULES)
    answer(lab, f"{lab.id}  {lab.code}", as_json=as_json)


@labs_app.command()
def suspend(
    code: Annotated[str, typer.Argument(help="Code of the laboratory.")],
    reason: Annotated[str, typer.Option(help="Why; the trail keeps it.")],
    as_json: AsJSON = False,
) -> None:
    """Let nobody work in a laboratory from the next request on."""
    from instruments.services import lifecycle
    from instruments.tenancy import installation_session

    with installation() as wired, installation_session(wired.engine) as session:
        lifecycle.suspend_lab(session, code, reason, wired.clock())
    answer({"code": code, "suspended": True}, code, as_json=as_json)


@labs_app.command()
def resume(
    code: Annotated[str, typer.Argument(help="Code of the laboratory.")],
    reason: Annotated[str, typer.Option(help="Why; the trail keeps it.")],
    as_json: AsJSON = False,
) -> None:
    """Open a suspended laboratory again."""
    from instruments.services import lifecycle
    from instruments.tenancy import installation_session

    with installation() as wired, installation_session(wired.engine) as session:
        lifecycle.resume_lab(session, code, reason, wired.clock())
    answer({"code": code, "suspended": False}, code, as_json=as_json)


@labs_app.command()
def retention(
    code: Annotated[str, typer.Argument(help="Code of the laboratory.")],
    years: Annotated[int, typer.Argument(help="How long it keeps the names on its records.")],
    as_json: AsJSON = False,
) -> None:
    """Say how many years a laboratory keeps the names on its records."""
    from instruments.services import lifecycle
    from instruments.tenancy import installation_session

    with installation() as wired, installation_session(wired.engine) as session:
        lifecycle.set_retention(session, code, years, wired.clock())
    answer({"code": code, "years": years}, f"{code}  {years}", as_json=as_json)


@people_app.command()
def erase(
    email: Email,
    reason: Annotated[str, typer.Option(help="Why; the trail keeps it.")],
    as_json: AsJSON = False,
) -> None:
    """Erase the name, mail address and keys of an account whose time is over."""
    from instruments.services import lifecycle, people
    from instruments.tenancy import installation_session

    with installation() as wired, installation_session(wired.engine) as session:
        id_ = people.account_of(session, email)
        if id_ is None:
            raise _no_account(email)
        lifecycle.erase_person(session, id_, reason, wired.clock())
    answer({"id": id_}, str(id_), as_json=as_json)


@people_app.command("new")
def new_person(
    email: Email,
    name: Annotated[str, typer.Option(help="As certificates print it.")],
    lab: Lab,
    password: Annotated[
        str,
        typer.Option(
            prompt=True, hide_input=True, confirmation_prompt=True, envvar="CALIB_NEW_PASSWORD"
        ),
    ],
    role: Annotated[
        list[str] | None,
        typer.Option(help="Role in the laboratory; repeat for more. Of an authority: none."),
    ] = None,
    as_json: AsJSON = False,
) -> None:
    """Open an account and give it roles, the first manager's above all."""
    from instruments.services import people
    from instruments.tenancy import installation_session

    with installation() as wired, installation_session(wired.engine) as session:
        lab_id = _lab_id(session, lab)
        now = wired.clock()
        id_ = people.register_person(
            session, email=email, name=name, password=password, now=now, language=language()
        )
        for one in role or ():
            people.appoint(session, lab_id=lab_id, person_id=id_, role=one, now=now)
    answer({"id": id_, "email": email}, f"{id_}  {email}", as_json=as_json)


@people_app.command()
def appoint(
    email: Email,
    lab: Lab,
    role: Annotated[list[str], typer.Option(help="Role in the laboratory; repeat for more.")],
    as_json: AsJSON = False,
) -> None:
    """Give roles in a laboratory to somebody who has an account already."""
    from instruments.services import people
    from instruments.tenancy import installation_session

    with installation() as wired, installation_session(wired.engine) as session:
        lab_id, id_ = _lab_id(session, lab), people.account_of(session, email)
        if id_ is None:
            raise _no_account(email)
        for one in role:
            people.appoint(session, lab_id=lab_id, person_id=id_, role=one, now=wired.clock())
    answer({"id": id_, "email": email}, f"{id_}  {email}", as_json=as_json)


def _no_account(email: str) -> NotFound:
    return NotFound(
        "account-not-found",
        "There is no account for {email}. Open it with calib person new.",
        at="/email",
        facts={"email": email},
    )


def _lab_id(session: InstallationSession, code: str) -> int:
    from sqlalchemy import select

    from instruments.records.parties import Lab as LabRow

    found = session.scalar(select(LabRow.id).where(LabRow.code == code))
    if found is None:
        raise NotFound(
            "lab-not-found",
            "There is no laboratory {code} here. Open it with calib lab new.",
            at="/lab",
            facts={"code": code},
        )
    return found


@people_app.command()
def token(
    email: Email,
    lab: Lab,
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, envvar="CALIB_PASSWORD")],
    name: Annotated[str, typer.Option(help="What the token is for.")] = "command line",
    days: Annotated[int, typer.Option(help="Its life in days.")] = 90,
    reach: Annotated[
        list[str] | None,
        typer.Option(
            help="What it is limited to: read, or a thing such as order; repeat for more."
        ),
    ] = None,
    as_json: AsJSON = False,
) -> None:
    """Make an API token of a person; it is shown this once."""
    from api.commands.acting import opener
    from instruments.services import signin
    from instruments.tenancy import installation_session

    with installation() as wired:
        with installation_session(wired.engine) as session:
            signed = signin.sign_in(session, email, password, lab, wired.clock())
        with opener(wired, signed.token)() as ctx:
            made = signin.make_token(ctx, name=name, days=days, reach=reach or ())
        with installation_session(wired.engine) as session:
            signin.end_sign_in(session, signed.token, wired.clock())
    answer({"token": made}, made, as_json=as_json)


@people_app.command()
def oversee(
    email: Email,
    lab: Annotated[str, typer.Option("--authority", help="Code of the authority.")],
    purpose: Annotated[str, typer.Option(help="What it is for; the laboratories see it.")],
    district: Annotated[
        list[str] | None,
        typer.Option(help="As venues name it; repeat for more. None: every district."),
    ] = None,
    until: Annotated[str, typer.Option(help="Last day, like 2026-12-31; none: open.")] = "",
    as_json: AsJSON = False,
) -> None:
    """Give a mandate to somebody who has an account: they oversee districts for an authority."""
    from calib.services import weekly
    from instruments.records.mandates import EVERYWHERE
    from instruments.services import mandates, people
    from instruments.tenancy import installation_session

    ends_on = weekly.day_of(until, "/until")
    with installation() as wired, installation_session(wired.engine) as session:
        id_ = people.account_of(session, email)
        if id_ is None:
            raise _no_account(email)
        for one in district or [EVERYWHERE]:
            mandates.grant_mandate(
                session,
                code=lab,
                person_id=id_,
                district=one,
                purpose=purpose,
                now=wired.clock(),
                ends_on=ends_on,
            )
    answer({"id": id_, "districts": district or []}, f"{id_}  {email}", as_json=as_json)


@people_app.command("end-mandate")
def end_mandate(
    email: Email,
    lab: Annotated[str, typer.Option("--authority", help="Code of the authority.")],
    as_json: AsJSON = False,
) -> None:
    """End what somebody oversees for an authority; they see nothing of it any more."""
    from instruments.services import mandates, people
    from instruments.tenancy import installation_session

    with installation() as wired, installation_session(wired.engine) as session:
        id_ = people.account_of(session, email)
        if id_ is None:
            raise _no_account(email)
        count = mandates.end_mandates(session, code=lab, person_id=id_, now=wired.clock())
    answer({"id": id_, "ended": count}, f"{count}", as_json=as_json)
