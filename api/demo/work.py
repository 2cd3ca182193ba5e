"""A year of work in the demo's lab: orders, records, certificates, and what waits today."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

from api.demo import cast
from api.demo.measure import entries_of, measured
from api.demo.world import Told, World
from calib.services import (
    circumstances,
    evaluation,
    issue,
    lookup,
    planning,
    readings,
    review,
)
from calib.services.calibration_views import CalibrationView
from instruments.context import Context
from instruments.services import approval_rules, models, orders
from instruments.services.order_request import LineRequest, OrderRequest
from instruments.services.reauthentication import Answer, Asker, Proof, prove
from instruments.services.secrets import token_hash

LAB = "LJ"
STATIONS = (
    "requested", "accepted", "received", "draft", "submitted", "reviewed", "authorised", "issued",
)  # fmt: skip
RULES = {"station": "simple", "school": "jjf1094", "hospital": "guard_U_nonbinary"}
ACCEPTED = "seen at the bench; the result stands"


class Workshop:
    """The lab's people at work on the world's instruments."""

    def __init__(self, world: World) -> None:
        """Keep the world and the models of the cast."""
        self._world = world
        self._models = {model.model: model for model in cast.MODELS}
        self._signs = False

    def work(self, told: Told) -> None:
        """Do all the work, oldest first, as numbers were taken in that order."""
        done = sorted(
            (item for item in cast.INSTRUMENTS if item.days_ago is not None),
            key=lambda item: -(item.days_ago or 0),
        )
        for i, item in enumerate(done):
            told(f"certificate of {item.serial}", 0.12 + 0.8 * i / len(done))
            self.take(item, "issued", item.days_ago or 0)
        told("an amendment, and what waits today", 0.93)
        self._demand_signatures()
        self._amend(next(i for i in done if i.serial == cast.AMENDED))
        items = {item.serial: item for item in cast.INSTRUMENTS}
        self._close(items[cast.UNCALIBRATABLE])
        for days, (station, serial) in enumerate(reversed(cast.WAITING)):
            self.take(items[serial], station, days=len(cast.WAITING) - days)

    def take(self, item: cast.DemoInstrument, station: str, days: int) -> None:
        """Take an instrument along the path as far as a station; it got there `days` ago."""
        order, record = self._order(item, station, days)
        if record is None or station == "draft":
            if record is not None:
                self._measure(item, record, days, part=0.5)
            return
        self._measure(item, record, days)
        self._approve(record.id, station, days)
        if station == "issued":
            with self._world.as_(LAB, "technician", self._world.at(days, 8)) as ctx:
                orders.give_back(ctx, order.id, orders.get_order(ctx, order.id).version)

    def _order(
        self, item: cast.DemoInstrument, station: str, days: int
    ) -> tuple[orders.OrderView, CalibrationView | None]:
        at = self._world.at
        with self._world.as_(LAB, item.site, at(days + 6)) as ctx:
            order = orders.request(ctx, self._request(item), catalogue=self._world.wired.catalogue)
        far = STATIONS.index(station)
        record = None
        if far >= STATIONS.index("accepted"):
            with self._world.as_(LAB, "manager", at(days + 5)) as ctx:
                order = orders.accept(ctx, order.id, order.version)
        if far >= STATIONS.index("received"):
            with self._world.as_(LAB, "technician", at(days + 3)) as ctx:
                order = orders.receive(ctx, order.id, order.lines[0].id, "完好 undamaged")
                if far > STATIONS.index("received"):
                    record = self._open(ctx, item, order.lines[0].id)
        return order, record

    def _open(self, ctx: Context, item: cast.DemoInstrument, line_id: int) -> CalibrationView:
        record = planning.open_calibration(
            ctx, line_id, catalogue=self._world.wired.catalogue, simulated=True
        )
        code = cast.IN_THE_BATH.get(self._models[item.model].type_id)
        if code is None:
            return record
        change = planning.PlanChange(standards={"temperature": (self._world.certificates[code],)})
        return planning.plan(ctx, record.id, record.version, change)

    def _request(self, item: cast.DemoInstrument) -> OrderRequest:
        verification = item.kind == "verification"
        probe = item.model == "TL-3"
        line = LineRequest(
            instrument_id=self._world.instruments[item.serial],
            verification_kind=("initial" if item.pieces > 1 else "subsequent")
            if verification
            else None,
            points={"temperature": ("50", "100", "150", "200", "250")} if probe else {},
            predict={"temperature": ("121",)} if probe else {},
        )
        return OrderRequest(
            customer_id=self._world.customers[item.site],
            kind=item.kind,
            decision_rule="regulation" if verification else RULES[item.site],
            lines=(line,),
            print_due=item.interval_months is not None and item.site == "station",
            interval_months=item.interval_months,
            include_budget=probe,
            green_channel=item.site == "hospital",
            fee="80.00",
            fee_waiver="防疫期间免收 waived during the epidemic" if item.site == "school" else "",
        )

    def _measure(
        self, item: cast.DemoInstrument, record: CalibrationView, days: int, part: float = 1.0
    ) -> None:
        model_id = self._world.models[item.model]
        number = cast.INSTRUMENTS.index(item)
        with self._world.as_(LAB, "technician", self._world.at(days + 2)) as ctx:
            candidates = readings.supporting(ctx, record.id)
            model = models.get_model(ctx, model_id)
            found = measured(record, model, candidates, number, item.grade)
            entries = entries_of(found)
            readings.enter(ctx, record.id, entries[: max(1, int(len(entries) * part))])
            if part < 1:
                return
            for one in found.conditions:
                entry = readings.ConditionEntry(one.quantity, one.when, one.value, one.unit, 0)
                readings.enter_condition(ctx, record.id, entry)
            self._note(ctx, record.id, ctx.today)
            self._accept_warnings(ctx, record.id)

    @staticmethod
    def _note(ctx: Context, record_id: int, performed_on: date) -> None:
        record = readings.get_calibration(ctx, record_id)
        circumstances.set_facts(
            ctx,
            record_id,
            record.version,
            performed_on=performed_on,
            acclimatisation_minutes=record.definition.acclimatisation_minutes or None,
            examinations={
                e.id: {"passed": True, "remark": "", "rejected_pieces": []}
                for e in record.definition.examinations
            },
        )

    @staticmethod
    def _accept_warnings(ctx: Context, record_id: int) -> None:
        draft = evaluation.evaluate_draft(ctx, record_id)
        for found in draft.findings:
            if found.severity == "warning":
                version = readings.get_calibration(ctx, record_id).version
                circumstances.accept_warning(
                    ctx, record_id, version, f"{found.code}@{found.at}", ACCEPTED
                )

    def _approve(self, record_id: int, station: str, days: int) -> None:
        steps: tuple[tuple[str, str, str, Callable[..., object]], ...] = (
            ("submitted", "performed", "technician", review.submit),
            ("reviewed", "reviewed", "reviewer", review.review),
            ("authorised", "authorised", "signatory", review.authorise),
        )
        for state, meaning, person, act in steps:
            now = self._world.at(days + 1, 2 + STATIONS.index(state) - 3)
            proof = self._signed(record_id, meaning, person, now) if self._signs else None
            with self._world.as_(LAB, person, now) as ctx:
                version = readings.get_calibration(ctx, record_id).version
                act(ctx, record_id, version, signing=proof)
            if state == station:
                return
        self._issue(record_id, self._world.at(days, 6))

    def _demand_signatures(self) -> None:
        """Have the lab sign from now on: the certificates of the year before bear none."""
        with self._world.as_(LAB, "manager", self._world.at(9)) as ctx:
            held = approval_rules.rules(ctx)
            approval_rules.set_rules(ctx, replace(held, demands_signatures=True))
        self._signs = True

    def _signed(self, record_id: int, meaning: str, person: str, now: datetime) -> Proof:
        """Return the proof of somebody of the cast, by the password of the demo."""
        session = token_hash(f"demo {person}")
        with self._world.as_(LAB, person, now) as ctx:
            asked = review.ask_to_sign(ctx, record_id, meaning, session)
            asker = Asker(ctx.actor.person_id, session, "demo", None)
        answer = Answer(asked.challenge, cast.PASSWORD)
        return prove(self._world.wired.engine, asker, answer, None, lambda: now)

    def _issue(self, record_id: int, now: datetime) -> issue.IssuedView:
        wired = self._world.wired
        with self._world.as_(LAB, "signatory", now) as ctx:
            version = readings.get_calibration(ctx, record_id).version
        return issue.issue_certificate(
            wired.engine,
            wired.store,
            wired.sealer,
            lambda: self._world.as_(LAB, "signatory", now),
            record_id,
            version,
            f"demo-{record_id:08d}",
            public_base=wired.settings.public_url,
            clock=lambda: now + timedelta(seconds=2),
        )

    def _amend(self, item: cast.DemoInstrument) -> None:
        """Replace the certificate of one instrument: a remark had been forgotten."""
        at = self._world.at
        instrument_id = self._world.instruments[item.serial]
        with self._world.as_(LAB, "technician", at(8)) as ctx:
            old = lookup.certificates(ctx, instrument_id=instrument_id)[0]
            copy = issue.amend(ctx, old.id, "measuring distance was missing on the certificate")
            circumstances.set_facts(
                ctx, copy.id, copy.version, remark="测量距离 5 cm Measuring distance 5 cm"
            )
        self._approve(copy.id, "issued", 6)

    def _close(self, item: cast.DemoInstrument) -> None:
        """End the record of an instrument that gives no access to its measurement."""
        _, record = self._order(item, "draft", 20)
        if record is None:
            return
        with self._world.as_(LAB, "technician", self._world.at(19)) as ctx:
            circumstances.close(
                ctx, record.id, record.version, "calibration mode not known to maker or institute"
            )
