"""The authority of the demo world: its inspector, last week's report, a problem in the ledger."""

from __future__ import annotations

from datetime import timedelta

from api.demo import cast
from api.demo.world import World
from calib.services import oversight, problems, weekly
from instruments.context import Actor, Context
from instruments.records.mandates import EVERYWHERE
from instruments.services import labs, mandates, people, signin
from instruments.tenancy import installation_session

CODE = cast.AUTHORITY["code"]
KEY = cast.OVERSEER.key
_WEEK = timedelta(days=7)


def oversee(world: World) -> None:
    """Open the authority, hand in the week before, and name the gravest instrument a problem."""
    _open(world)
    catalogue = world.wired.catalogue
    with world.as_(CODE, KEY, world.wired.clock()) as ctx:
        weekly.hand_in(ctx, weekly.week_named(ctx.today - _WEEK), catalogue=catalogue)
    with world.as_(CODE, KEY, world.wired.clock()) as ctx:
        _name_a_problem(world, ctx)
    with world.as_(CODE, KEY, world.wired.clock()) as ctx:
        token = signin.make_token(ctx, name="demo", days=366)
    world.accounts.append(
        {
            "role": "regulator",
            "roles": ["regulator"],
            "lab": CODE,
            "name": cast.OVERSEER.name,
            "email": _ADDRESS,
            "password": cast.PASSWORD,
            "token": token,
        }
    )


_ADDRESS = f"{KEY}@{CODE.lower()}.example"


def _open(world: World) -> None:
    now = world.at(30)
    with installation_session(world.wired.engine) as session:
        lab = labs.create_lab(session, now=now, kind="authority", **cast.AUTHORITY)  # type: ignore[arg-type]
        world.lab_ids[CODE] = lab.id
        id_ = people.register_person(
            session, email=_ADDRESS, name=cast.OVERSEER.name, password=cast.PASSWORD, now=now
        )
        mandates.grant_mandate(
            session,
            code=CODE,
            person_id=id_,
            district=EVERYWHERE,
            purpose="体温筛查器具计量监督 Thermometers used for fever screening",
            now=now,
        )
    world.people[CODE, KEY] = Actor(
        id_,
        cast.OVERSEER.name,
        frozenset(),
        office="regulator",
        districts=frozenset({EVERYWHERE}),
    )


def _name_a_problem(world: World, ctx: Context) -> None:
    seen = oversight.oversight(ctx, catalogue=world.wired.catalogue)
    wrong = [one for one in seen.items if one.judgement.code == "industrial-not-for-people"]
    item = next(iter(wrong or seen.items))
    problems.open_problem(
        ctx,
        kind="wrong_kind" if wrong else "other",
        finding="入口处用工业用温度计测量人体温度。 An industrial thermometer is used on people.",
        demand="换用医用红外额温计并送检。 Use a clinical thermometer and have it calibrated.",
        until=ctx.today + _WEEK,
        instrument_id=item.instrument_id,
        catalogue=world.wired.catalogue,
    )
