"""Signing in through an identity provider: the honest way, and every dishonest one refused."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from api.bootstrap import provider_of
from api.deps import COOKIE
from instruments.records.identities import LinkedIdentity, ProviderFlow
from instruments.records.links import AccountLink
from instruments.records.parties import Lab, Person, SignIn
from instruments.services import links, totp
from instruments.tenancy import installation_session
from tests.support import identity_provider as providers
from tests.support.builders import NOW, PASSWORD, a_person
from tests.support.web import ORIGIN, Browser

MAIL = "li@example.org"


@pytest.fixture
def provider():
    with providers.a_provider() as here:
        yield here


@pytest.fixture
def served(app, provider, tmp_path):
    """Return the application with that provider; the clock can be moved."""
    secret = tmp_path / "secret"
    secret.write_text(providers.SECRET)
    secret.chmod(0o600)
    return _with(app, provider, secret)


def _with(app, provider, secret, factor=""):
    wired = app.state.wiring
    settings = dataclasses.replace(
        wired.settings,
        oidc_issuer=provider.issuer,
        oidc_client=providers.CLIENT,
        oidc_secret_file=str(secret),
        oidc_name="The Hospital",
        oidc_factor=factor,
    )
    app.state.wiring = dataclasses.replace(wired, settings=settings, provider=provider_of(settings))
    return app


def a_browser(app, token="", language="en"):
    made = Browser(app, token, language)
    made.client.headers["origin"] = ORIGIN
    return made


def invited(world, **more):
    return a_person(
        world.engine, world.lab_id, ("technician",), email=MAIL, **{"password": None, **more}
    )


def linked(world, app, provider, **more):
    """Return the id of somebody whose account the provider opens."""
    person_id = invited(world, **more)
    with installation_session(world.engine) as session:
        session.add(
            LinkedIdentity(
                person_id=person_id,
                subject_sha256=_name(provider),
                linked_at=NOW,
                used_at=None,
            )
        )
    return person_id


def _name(provider):
    from instruments.services.identities import Answer

    return Answer(provider.issuer, "u-1", "", has_factor=False).subject_sha256


def begin(browser, **fields):
    left = browser.post("/sign-in/provider", **fields)
    assert left.status == 200, left.words()
    return left.document.xpath("//main//a[@rel='noreferrer']/@href")[0]


def through(browser, provider, **fields):
    """Go to the provider and back, as a person without JavaScript does."""
    brought = provider.sign_in(begin(browser, **fields))
    return browser.send(back(browser, brought))


def back(browser, brought):
    query = "&".join(f"{name}={value}" for name, value in brought.items())
    return browser.get(f"/sign-in/provider/back?{query}")


def signed_in(browser):
    return browser.client.get("/account").status_code == 200


def rows(world, table):
    with installation_session(world.engine, read_only=True) as session:
        return int(session.scalar(select(func.count()).select_from(table)) or 0)


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # the name, not the signature
@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_a_linked_account_is_opened(world, served, provider, algorithm):
    provider.algorithm = algorithm
    linked(world, served, provider, password=PASSWORD)
    browser = a_browser(served)
    done = through(browser, provider, next="/instruments")
    assert (done.status, done.location) == (303, "/instruments")
    assert signed_in(browser)
    assert rows(world, ProviderFlow) == 0


def test_who_was_invited_confirms_once_and_the_link_in_the_mail_ends(world, served, provider):
    person_id = invited(world)
    with installation_session(world.engine) as session:
        links.ask(session, "invitation", MAIL, origin="", now=NOW)
        assert links.claim(session, NOW) is not None
    browser = a_browser(served)
    asked = through(browser, provider)
    assert MAIL in asked.words()
    assert not signed_in(browser)
    assert rows(world, LinkedIdentity) == 0
    assert browser.send(asked).status == 303
    assert signed_in(browser)
    with installation_session(world.engine, read_only=True) as session:
        assert session.scalars(select(LinkedIdentity.person_id)).all() == [person_id]
        assert session.scalars(select(AccountLink.used_at)).all() == [NOW]
    assert browser.send(asked).status == 401  # once only
    assert through(a_browser(served), provider).status == 303  # known from now on


SPOILT = {
    "nonce": lambda c: c | {"nonce": "another"},
    "no-nonce": lambda c: {k: v for k, v in c.items() if k != "nonce"},
    "audience": lambda c: c | {"aud": "another"},
    "audiences": lambda c: c | {"aud": [providers.CLIENT, "another"], "azp": providers.CLIENT},
    "party": lambda c: c | {"azp": "another"},
    "issuer": lambda c: c | {"iss": "https://evil.example"},
    "slash": lambda c: c | {"iss": c["iss"] + "/"},
    "expired": lambda c: c | {"exp": c["iat"] - 61},
    "no-expiry": lambda c: {k: v for k, v in c.items() if k != "exp"},
    "future": lambda c: c | {"iat": c["iat"] + 600},
    "not-yet": lambda c: c | {"nbf": c["iat"] + 600},
    "at-hash": lambda c: c | {"at_hash": "AAAA"},
    "no-subject": lambda c: {k: v for k, v in c.items() if k != "sub"},
    "subject": lambda c: c | {"sub": ""},
    "number": lambda c: c | {"sub": 1},
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_what_the_token_says_wrongly_is_refused(world, served, provider, spoil):
    linked(world, served, provider, password=PASSWORD)
    provider.spoil = spoil
    browser = a_browser(served)
    refused = through(browser, provider)
    assert refused.status == 401
    assert "was not accepted" in refused.words()
    assert not signed_in(browser)
    provider.spoil = lambda claims: claims
    assert through(browser, provider).status == 303  # nothing else was wrong


SIGNED = {
    "unsigned": providers.unsigned,
    "public-key": providers.by_public_key,
    "stranger": providers.by_a_stranger,
    "unknown-key": providers.by_an_unknown_key,
    "own-key": providers.with_its_own_key,
    "broken": lambda here, claims: here.token(claims)[:-8] + "AAAAAAAA",
    "none": lambda here, claims: "no token",
}


@pytest.mark.parametrize("sign", SIGNED.values(), ids=SIGNED)
def test_what_the_provider_did_not_sign_is_refused(world, served, provider, sign):
    linked(world, served, provider, password=PASSWORD)
    provider.sign = sign
    browser = a_browser(served)
    assert through(browser, provider).status == 401
    assert not signed_in(browser)


def test_a_new_key_is_fetched_and_an_unknown_one_once_a_token(world, served, provider):
    linked(world, served, provider, password=PASSWORD)
    provider.keys = ("ES256",)
    provider.algorithm = "ES256"
    assert through(a_browser(served), provider).status == 303
    provider.keys, provider.algorithm = ("RS256",), "RS256"  # the provider changed its key
    assert through(a_browser(served), provider).status == 303
    provider.asked.clear()
    provider.sign = providers.by_an_unknown_key
    assert through(a_browser(served), provider).status == 401
    assert provider.asked == ["/jwks"]


def test_an_answer_of_another_issuer_is_refused(world, served, provider):
    linked(world, served, provider, password=PASSWORD)
    browser = a_browser(served)
    brought = provider.sign_in(begin(browser)) | {"iss": "https://evil.example"}
    assert browser.send(back(browser, brought)).status == 401
    assert not signed_in(browser)


def test_discovery_that_names_another_issuer_sends_nobody_there(world, served, provider):
    provider.says_issuer = "https://evil.example"
    refused = a_browser(served).post("/sign-in/provider")
    assert refused.status == 401
    assert "does not say of itself" in refused.words()


def test_state_and_code_are_taken_once_by_the_browser_that_began(world, served, provider):
    linked(world, served, provider, password=PASSWORD)
    browser, thief = a_browser(served), a_browser(served)
    begin(thief)
    brought = provider.sign_in(begin(browser))
    assert thief.send(back(thief, brought)).status == 401  # bound to the other browser
    shown = back(browser, brought)
    assert browser.send(shown).status == 303
    again = browser.send(shown)
    assert again.status == 401
    assert "sent twice" in again.words()
    late = provider.sign_in(begin(browser)) | {"code": brought["code"]}
    assert browser.send(back(browser, late)).status == 401  # the provider gave it out once


def test_a_sign_in_that_took_too_long_is_refused(world, served, provider):
    linked(world, served, provider, password=PASSWORD)
    browser = a_browser(served)
    brought = provider.sign_in(begin(browser))
    served.state.wiring = dataclasses.replace(
        served.state.wiring, clock=lambda: NOW + timedelta(minutes=11)
    )
    assert browser.send(back(browser, brought)).status == 401


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": False},
        {"email_verified": "true"},
        {"email": "somebody@example.org"},
        {"email": None},
    ],
    ids=["unverified", "as-text", "another", "none"],
)
def test_only_a_verified_address_of_somebody_invited_is_believed(world, served, provider, claims):
    invited(world)
    provider.claims |= claims
    refused = through(a_browser(served), provider)
    assert refused.status == 401
    assert "opens no account here" in refused.words()
    assert rows(world, LinkedIdentity) == 0


def test_an_account_with_a_password_is_not_linked_by_its_address(world, served, provider):
    invited(world, password=PASSWORD)
    refused = through(a_browser(served), provider)
    assert "opens no account here" in refused.words()
    assert rows(world, ProviderFlow) == rows(world, LinkedIdentity) == 0


def password_sign_in(app, code=""):
    browser = a_browser(app)
    assert browser.post("/sign-in", email=MAIL, password=PASSWORD, code=code).status == 303
    return browser


def test_an_account_is_connected_from_within_and_disconnected(world, served, provider):
    invited(world, password=PASSWORD)
    browser = password_sign_in(served)
    assert "Show first who you are" in browser.post("/account/identity").words()
    browser.post("/account/prove", proof_password=PASSWORD)
    left = browser.post("/account/identity")
    address = left.document.xpath("//main//a[@rel='noreferrer']/@href")[0]
    brought = provider.sign_in(address)
    shown = back(browser, brought)
    assert shown.form().get("action") == "/account/identity/back"
    assert browser.send(shown).location == "/account?done=saved"
    other = a_browser(served)
    assert through(other, provider).status == 303
    assert browser.post("/account/identity/end").status == 303
    assert through(a_browser(served), provider).status == 401


def test_somebody_else_cannot_finish_what_another_began_to_connect(world, served, provider):
    invited(world, password=PASSWORD)
    victim = password_sign_in(served)
    victim.post("/account/prove", proof_password=PASSWORD)
    a_person(world.engine, world.lab_id, ("technician",), email="m@example.org", password=PASSWORD)
    thief = a_browser(served)
    thief.post("/sign-in", email="m@example.org", password=PASSWORD)
    thief.post("/account/prove", proof_password=PASSWORD)
    left = thief.post("/account/identity")
    brought = provider.sign_in(left.document.xpath("//main//a[@rel='noreferrer']/@href")[0])
    assert victim.send(back(victim, brought)).status >= 400
    assert rows(world, LinkedIdentity) == 0


def with_authenticator(app):
    """Set an authenticator up; return its secret."""
    browser = password_sign_in(app)
    browser.post("/account/prove", proof_password=PASSWORD)
    shown = browser.post("/account/factor/begin")
    secret = shown.document.xpath("//code[@class='break']")[0].text
    browser.post("/account/factor/confirm", code=totp.code_at(secret, totp.step_of(NOW)))
    return secret


def test_the_second_factor_is_still_asked(world, served, provider):
    linked(world, served, provider, password=PASSWORD)
    secret = with_authenticator(served)
    browser = a_browser(served)
    provider.claims["amr"] = ["mfa"]  # the operator did not say that this counts
    asked = through(browser, provider)
    assert "Second factor" in asked.words()
    assert not signed_in(browser)
    assert browser.send(asked, code="000000").status == 401
    asked = through(browser, provider)
    code = totp.code_at(secret, totp.step_of(NOW) + 1)
    assert browser.send(asked, code=code).status == 303
    assert signed_in(browser)


def test_the_words_the_operator_named_count_for_it(world, app, provider, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(providers.SECRET)
    secret.chmod(0o600)
    served = _with(app, provider, secret, factor="mfa urn:strong")
    linked(world, served, provider, password=PASSWORD)
    with installation_session(world.engine) as session:
        session.get_one(Lab, world.lab_id).demands_second_factor = True
    said = (
        ({"amr": ["pwd"]}, False),
        ({"amr": ["pwd", "mfa"]}, True),
        ({"acr": "urn:strong"}, True),
        ({"acr": "urn:weak"}, False),
    )
    for claims, enough in said:
        provider.claims = {"sub": "u-1", **claims}
        browser = a_browser(served)
        assert through(browser, provider).status == 303
        assert (browser.client.get("/instruments").status_code == 200) is enough
    assert rows(world, SignIn) == 4


def test_who_has_no_password_may_secure_the_account_after_signing_in(world, served, provider):
    invited(world)
    browser = a_browser(served)
    browser.send(through(browser, provider))
    assert browser.post("/account/factor/begin").document.xpath("//code[@class='break']")


def test_an_open_secret_file_is_refused(world, served, provider):
    linked(world, served, provider, password=PASSWORD)
    Path(served.state.wiring.settings.oidc_secret_file).chmod(0o644)
    refused = through(a_browser(served), provider)
    assert "others may read it" in refused.words()


def test_a_closed_account_is_not_opened(world, served, provider):
    person_id = linked(world, served, provider, password=PASSWORD)
    with installation_session(world.engine) as session:
        session.get_one(Person, person_id).is_active = False
    assert through(a_browser(served), provider).status == 401


@pytest.mark.parametrize(("language", "words"), [("en", "Sign in with"), ("zh", "登录")])
def test_the_button_is_there_only_with_a_provider(world, app, provider, language, words):
    button = "//button[@formaction='/sign-in/provider']"
    assert not a_browser(app).get("/sign-in").document.xpath(button)
    served = _with(app, provider, "")
    found = a_browser(served, language=language).get("/sign-in").document.xpath(button)
    assert words in found[0].text
    assert "The Hospital" in found[0].text


def test_a_begun_sign_in_is_refused_from_another_site(served):
    browser = a_browser(served)
    browser.client.headers["origin"] = "https://evil.example"
    for path in ("/sign-in/provider", "/sign-in/provider/back", "/sign-in/provider/finish"):
        assert browser.post(path).status == 403
    assert COOKIE not in browser.client.cookies
