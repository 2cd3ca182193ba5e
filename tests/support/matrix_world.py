"""Two labs, two customers of the first, one of everything each: the world the matrix is asked of.

Whatever a request changed is put back by copying the database file.
"""

from __future__ import annotations

import dataclasses
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, select

from calib.adapters.files import DirectoryStore
from calib.records.calibrations import Calibration
from calib.services import problems, webhooks, weekly
from instruments.policy import BOUND
from instruments.records.orders import OrderLine
from instruments.records.parties import ApiToken, Membership, SignIn
from instruments.services import competence, people, scope, signin
from instruments.services.competence import CompetenceEntry
from instruments.services.scope import ScopeEntry
from instruments.tenancy import installation_session
from tests.house.matrix import ACTORS
from tests.support import builders, issuing, methods
from tests.support.builders import NOW, context_for
from tests.support.door import Door, a_door
from tests.support.issuing import PROBE, Bench
from tests.support.overseen import an_authority
from tests.support.web import TestClient

MISSING = 987654
Numbers = dict[str, int]


@dataclass
class MatrixWorld:
    """The application, a client and the own numbers of every actor, and numbers by whose."""

    door: Door
    file: Path
    kept: Path
    clients: dict[str, TestClient] = field(default_factory=dict)
    mine: dict[str, Numbers] = field(default_factory=dict)
    of: dict[str, Numbers] = field(default_factory=dict)

    def keep(self) -> None:
        """Remember the database as it is now."""
        self.door.bench.engine.dispose()
        shutil.copyfile(self.file, self.kept)

    def put_back(self) -> None:
        """Undo whatever was written since."""
        self.door.bench.engine.dispose()
        for rest in ("-wal", "-shm", "-journal"):
            Path(f"{self.file}{rest}").unlink(missing_ok=True)
        shutil.copyfile(self.kept, self.file)


def a_matrix_world(folder: Path) -> MatrixWorld:
    """Return the world with a client for every actor."""
    file = folder / "calib.db"
    url = f"sqlite+pysqlite:///{file}"
    door = a_door(url, folder)
    here = door.bench
    there = issuing.a_bench(url, code="FAR")
    made = MatrixWorld(door, file, folder / "kept.db")
    own, other = (_of_customer(one, door.store) for one in (here, _with_other_customer(here)))
    made.of["own"] = own | _of_lab(here)
    made.of["other"] = made.of["own"] | other
    made.of["foreign"] = _of_customer(there, door.store) | _of_lab(there)
    _oversee(made, "own", here)
    _oversee(made, "foreign", there)
    for actor, asker in ACTORS.items():
        if asker.office:
            continue
        token = _admitted(made, actor, sorted(asker.roles), sorted(asker.reach or ()))
        made.clients[actor] = door.client(token)
    there.engine.dispose()
    for of, bench in (("other", here), ("foreign", there)):
        made.of[of] |= _of_person(bench, bench.technician.id)
    made.keep()
    return made


def _with_other_customer(bench: Bench) -> Bench:
    """Return the bench with another customer, and a model nobody else owns one of."""
    with context_for(bench.installation) as ctx:
        customer = builders.a_customer(ctx, address="2 Station Square", contact="Mr Wu")
        model = builders.a_model(
            ctx, bench.catalogue, type_id=PROBE, resolution={"temperature": "0.01"},
            calibration_mode=None,
        )  # fmt: skip
    return dataclasses.replace(bench, customer_id=customer.id, model_id=model.id)


def _of_customer(bench: Bench, store: DirectoryStore) -> Numbers:
    with context_for(bench.installation) as ctx:
        site = builders.a_site(ctx, bench.customer_id)
    record = issuing.authorised(bench)
    issued = issuing.issued(bench, store, record, key=f"lab{bench.lab_id}")
    with context_for(bench.installation) as ctx:
        line = ctx.session.get(OrderLine, ctx.session.get(Calibration, record).order_line_id)
        return {
            "customer_id": bench.customer_id,
            "site_id": site.id,
            "model_id": bench.model_id,
            "instrument_id": line.instrument_id,
            "order_id": line.order_id,
            "line_id": line.id,
            "certificate_id": issued.certificate_id,
            "calibration_id": record,
        }


def _of_lab(bench: Bench) -> Numbers:
    method = methods.a_draft(bench)
    with context_for(bench.installation) as ctx:
        hook = webhooks.register(ctx, address="https://example.org/calib")
        # one number for rows of the scope and of competence: both begin with this one
        row = scope.add_row(
            ctx,
            ScopeEntry(PROBE, "temperature", "x", "0", "100", "0.1", NOW.date()),
            catalogue=bench.catalogue,
        )
        competence.grant(
            ctx,
            CompetenceEntry(
                bench.technician.id, "performs", NOW.date(), "training", "file 7", PROBE
            ),
            catalogue=bench.catalogue,
        )
        membership = ctx.session.scalars(
            select(func.max(Membership.id)).where(Membership.person_id == bench.reviewer.id)
        ).one()
    return {
        "standard_id": bench.standard.id,
        "method_id": method.id,
        "row_id": row,
        "webhook_id": hook.id,
        "person_id": bench.reviewer.id,
        "membership_id": membership,
    }


def _oversee(world: MatrixWorld, of: str, bench: Bench) -> None:
    """Let an authority hand in a report and open a problem of the lab; the first is asked as."""
    authority = an_authority(bench.installation, code="AMR" if of == "own" else "OTHER")
    with authority.context() as ctx:
        report = weekly.hand_in(ctx, weekly.week_named(ctx.today), catalogue=bench.catalogue)
        problem = problems.open_problem(
            ctx, kind="other", finding="A", demand="B", until=ctx.today, catalogue=bench.catalogue,
            lab_code="HZ" if of == "own" else "FAR",
        )  # fmt: skip
    world.of[of] |= {"report_id": report.id, "problem_id": problem.id}
    if of != "own":
        return
    with authority.context() as ctx:
        token = signin.make_token(ctx, name="matrix")
        signin.make_token(ctx, name="another")
    world.clients["regulator"] = world.door.client(token)
    world.mine["regulator"] = _newest(bench.engine, authority.person_id)


def _newest(engine: Engine, person_id: int) -> Numbers:
    """Return the newest token of somebody, and a sign-in opened now."""
    with installation_session(engine) as session:
        signin.open_sign_in(session, person_id, None, NOW)
        newest = (select(func.max(kind.id)).where(kind.person_id == person_id)
                  for kind in (ApiToken, SignIn))  # fmt: skip
        token, sign_in = (session.scalars(one).one() for one in newest)
    return {"token_id": token, "session_id": sign_in}


def _of_person(bench: Bench, person_id: int) -> Numbers:
    """Return a token and a sign-in of somebody."""
    with context_for(bench.installation, "technician", person_id=person_id) as ctx:
        signin.make_token(ctx, name="another")
    return _newest(bench.engine, person_id)


def _admitted(world: MatrixWorld, actor: str, roles: Any, reach: Any) -> str:
    """Return the token of somebody new; nobody has none."""
    if not roles:
        world.mine[actor] = {}
        return ""
    place = world.door.bench.installation
    customer_id = world.of["own"]["customer_id"]
    with installation_session(place.engine) as session:
        person_id = people.register_person(
            session, email=f"{actor.replace(': ', '-')}@example.org", name=actor.title(),
            password=None, now=NOW,
        )  # fmt: skip
    with context_for(place) as ctx:
        for role in roles:
            owner = customer_id if role in BOUND else None
            people.grant(ctx, person_id=person_id, role=role, customer_id=owner)
    world.mine[actor] = _of_person(world.door.bench, person_id)
    with context_for(place, *roles, person_id=person_id) as ctx:
        return signin.make_token(ctx, name="matrix", reach=reach)
