"""Build the demo world through the services, in the order life would have done it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from api.bootstrap import Wiring, passphrase_of, vault_of
from api.demo import cast, overseeing
from api.demo.work import Workshop
from api.demo.world import MANIFEST, ZONE, Told, World
from calib.services import keys, lookup, notices, standard_import
from calib.services.publishing import publish
from instruments.context import Actor, Context
from instruments.services import (
    approval_rules,
    competence,
    confirmations,
    customers,
    instruments,
    labs,
    models,
    people,
    scope,
    signin,
    sites,
    standards,
)
from instruments.services.certificate_entry import CertificateEntry, CertificateLine
from instruments.tenancy import installation_session


def build(wired: Wiring, dcc_example: Path | None, told: Told) -> dict[str, Any]:
    """Build the world and return its manifest; the folder must be empty of one."""
    world = World(wired, wired.clock().astimezone(ZONE).date())
    told("laboratories and people", 0.0)
    _labs(world)
    for lab in cast.PEOPLE:
        _people(world, lab)
    told("keys of seals, marks and the log", 0.06)
    _keys(world)
    for lab in cast.PEOPLE:
        _competence(world, lab)
    told("registries", 0.08)
    with world.as_("LJ", "manager", world.at(400)) as ctx:
        _registry(world, ctx)
        _compare_limits(world, ctx)
        _standards(world, ctx, dcc_example)
    with world.as_("NB", "manager", world.at(300)) as ctx:
        _second_lab(world, ctx)
    _operators(world)
    Workshop(world).work(told)
    overseeing.oversee(world)
    notices.make_notices(wired.engine, wired.clock, public_url=wired.settings.public_url)
    told("log and status list", 0.98)
    publish(wired.publisher, wired.clock)
    manifest = {
        "public_url": wired.settings.public_url,
        "accounts": world.accounts,
        "certificates": _hand_out(world),
    }
    (wired.settings.folder / MANIFEST).write_text(
        json.dumps(manifest, ensure_ascii=False, indent=1)
    )
    told("done", 1.0)
    return manifest


def _labs(world: World) -> None:
    with installation_session(world.wired.engine) as session:
        for facts in cast.LABS:
            lab = labs.create_lab(session, now=world.at(420), **facts)  # type: ignore[arg-type]
            world.lab_ids[lab.code] = lab.id


def _people(world: World, lab: str) -> None:
    """Open the accounts of a lab's own people."""
    now = world.at(410)
    with installation_session(world.wired.engine) as session:
        for person in cast.PEOPLE[lab]:
            if person.customer:
                continue
            id_ = people.register_person(
                session,
                email=_address(lab, person.key),
                name=person.name,
                password=cast.PASSWORD,
                now=now,
                language="zh" if lab == "LJ" else "en",
            )
            for role in person.roles:
                people.appoint(
                    session, lab_id=world.lab_ids[lab], person_id=id_, role=role, now=now
                )
            world.people[lab, person.key] = Actor(id_, person.name, frozenset(person.roles))
    for person in cast.PEOPLE[lab]:
        if not person.customer:
            _account(world, lab, person)


def _keys(world: World) -> None:
    """Make the keys of the installation and of both labs, in the presence of two persons."""
    settings = world.wired.settings
    vault = vault_of(settings, lambda: passphrase_of(settings))
    house = keys.House(settings.host, settings.log_origin)
    for lab in cast.PEOPLE:
        second = world.people[lab, "signatory"]
        with world.as_(lab, "manager", world.at(409)) as ctx:
            keys.make_missing(ctx, vault, house, second.person_id)


def _competence(world: World, lab: str) -> None:
    """Let the manager authorise everybody for what they do, and keep it from then on."""
    known = world.wired.catalogue
    with world.as_(lab, "manager", world.at(408)) as ctx:
        for person in cast.PEOPLE[lab]:
            for act in cast.COMPETENT.get(person.key, ()):
                for type_ in known.list():
                    entry = competence.CompetenceEntry(
                        person_id=world.people[lab, person.key].person_id,
                        act=act,
                        type_id=type_.id,
                        starts_on=ctx.today,
                        basis="supervised_work" if act == "performs" else "qualification",
                        evidence="演示 demo",
                    )
                    competence.grant(ctx, entry, catalogue=known)
        approval_rules.set_rules(ctx, cast.RULES)


def _operators(world: World) -> None:
    """Open the accounts of the venues' people, once their customers exist."""
    now = world.at(399)
    for person in cast.PEOPLE["LJ"]:
        if not person.customer:
            continue
        customer_id = world.customers[person.customer]
        with installation_session(world.wired.engine) as session:
            id_ = people.register_person(
                session,
                email=_address("LJ", person.key),
                name=person.name,
                password=cast.PASSWORD,
                now=now,
            )
        with world.as_("LJ", "manager", now) as ctx:
            people.grant(ctx, person_id=id_, role="venue_operator", customer_id=customer_id)
        world.people["LJ", person.key] = Actor(
            id_, person.name, frozenset(person.roles), customer_id
        )
        _account(world, "LJ", person)


def _account(world: World, lab: str, person: cast.DemoPerson) -> None:
    with world.as_(lab, person.key, world.wired.clock()) as ctx:
        token = signin.make_token(ctx, name="demo", days=366)
    world.accounts.append(
        {
            "role": person.roles[0],
            "roles": list(person.roles),
            "lab": lab,
            "name": person.name,
            "email": _address(lab, person.key),
            "password": cast.PASSWORD,
            "token": token,
        }
    )


def _address(lab: str, key: str) -> str:
    return f"{key}@{lab.lower()}.example"


def _registry(world: World, ctx: Context) -> None:
    for key, facts in cast.CUSTOMERS.items():
        world.customers[key] = customers.create_customer(ctx, **facts).id
    for key, (customer, en, zh, venue, district) in cast.SITES.items():
        world.sites[key] = sites.create_site(
            ctx,
            customer_id=world.customers[customer],
            name_en=en,
            name_zh=zh,
            venue_type=venue,
            district=district,
        ).id
    for model in cast.MODELS:
        world.models[model.model] = models.create_model(
            ctx, catalogue=world.wired.catalogue, **_model_facts(model)
        ).id
    for item in cast.INSTRUMENTS:
        view = instruments.register_instrument(
            ctx,
            model_id=world.models[item.model],
            customer_id=world.customers[item.site],
            site_id=world.sites[item.site],
            serial=item.serial,
            probe_serial=item.probe_serial,
            asset_number=f"{item.site[:1].upper()}-{len(world.instruments) + 1:03d}",
            location=item.location,
            pieces=item.pieces,
            interval_months=item.interval_months,
        )
        world.instruments[item.serial] = view.id
        if item.status != "in_service":
            instruments.set_status(ctx, view.id, item.status, "kept in reserve")


def _model_facts(model: cast.DemoModel) -> Any:
    return {
        "type_id": model.type_id,
        "maker": model.maker,
        "model": model.model,
        "use": model.use,
        "resolution": model.resolution,
        "calibration_mode": model.mode,
        "calibration_mode_source": "maker's service note" if model.mode else "",
        "attributes": model.attributes,
        "maker_limits": model.limits,
    }


def _compare_limits(world: World, ctx: Context) -> None:
    """Let the manager compare the limits of the lab's types with the documents, one by one."""
    named = sorted({model.type_id for model in cast.MODELS})
    for type_ in (world.wired.catalogue.get(type_id) for type_id in named):
        for one in confirmations.list_open(ctx, [type_]):
            figure = one.figure
            entry = confirmations.ConfirmationEntry(
                document=figure.limit.document,
                clause=figure.limit.clause or "demo",
                confirmed_on=ctx.today,
                remark="演示 demo: nothing was really compared",
            )
            confirmations.confirm(ctx, type_, figure.measurand.id, figure.digest, entry)


def _standards(world: World, ctx: Context, dcc_example: Path | None) -> None:
    for standard in (*cast.STANDARDS, cast.PROBE_STANDARD):
        view = _standard(ctx, standard)
        if standard is cast.PROBE_STANDARD and dcc_example is not None:
            standard_import.import_standard_certificate(
                ctx, view.id, dcc_example.read_bytes(), dcc_example.name, world.wired.store
            )
        else:
            world.certificates[standard.code] = standards.enter_certificate(
                ctx, view.id, _certificate(world, standard)
            )
    scope.add_row(
        ctx,
        scope.ScopeEntry(
            type_id="thermometer.digital_probe",
            measurand="temperature",
            document="JJF 1171-2007",
            low="0",
            high="350",
            U="0.05",
            U_fraction="0",
            starts_on=world.today - timedelta(days=400),
            ends_on=None,
        ),
        catalogue=world.wired.catalogue,
    )


def _standard(ctx: Context, standard: cast.DemoStandard) -> standards.StandardView:
    return standards.register_standard(
        ctx,
        code=standard.code,
        name_en=standard.name_en,
        name_zh=standard.name_zh,
        model=standard.model,
        serial=standard.serial,
        kind=standard.kind,
        quantity=standard.quantity,
        unit=standard.unit,
    )


def _certificate(world: World, standard: cast.DemoStandard) -> CertificateEntry:
    issuer = "National institute (demo) 国家计量院（演示）"
    return CertificateEntry(
        number=standard.number,
        issuer=issuer,
        calibrated_on=world.today - timedelta(days=405),
        valid_until=world.today + timedelta(days=325),
        values=tuple(CertificateLine(*value) for value in standard.values),
        low=standard.low,
        high=standard.high,
    )


def _hand_out(world: World) -> list[dict[str, str]]:
    """Write every issued certificate as files people can open; return number, token, files."""
    folder = world.wired.settings.folder / "certificates"
    folder.mkdir()
    handed: list[dict[str, str]] = []
    with world.as_("LJ", "manager", world.wired.clock()) as ctx:
        for view in reversed(lookup.certificates(ctx)):
            files = {f.role: f for f in view.files if f.role in {"pdf", "dcc"}}
            for file in files.values():
                (folder / file.name).write_bytes(world.wired.store.get(file.sha256))
            if files:
                names = {"pdf": files["pdf"].name, "xml": files["dcc"].name}
                handed.append({"number": view.number, "token": view.token, **names})
    return handed


def _second_lab(world: World, ctx: Context) -> None:
    """Give the second lab a standard and a customer of its own: the first sees none of it."""
    standards.enter_certificate(
        ctx, _standard(ctx, cast.STANDARDS[0]).id, _certificate(world, cast.STANDARDS[0])
    )
    customer = customers.create_customer(
        ctx, name_en="Harbour Clinic", address="2 Quay, North Bank", kind="medical", language="en"
    )
    model = models.create_model(
        ctx, catalogue=world.wired.catalogue, **_model_facts(cast.MODELS[0])
    )
    instruments.register_instrument(
        ctx, model_id=model.id, customer_id=customer.id, serial="HT82-9001", interval_months=12
    )
