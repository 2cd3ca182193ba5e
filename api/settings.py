"""Every setting, read once from the environment; nothing further in reads the environment."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from api.usage import WrongUsage

HERE = frozenset({"localhost", "127.0.0.1", "::1"})
"""Names of this machine: what is said to it nobody overhears."""


def _setting(default: str, meaning: str, *, secret: bool = False) -> str:
    value: str = field(default=default, metadata={"meaning": meaning, "secret": secret})
    return value


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings as text; `read_settings` has checked them."""

    data: str = _setting("calib-data", "Folder of files, queue and keys.")
    database_url: str = _setting(
        "",
        "Database; empty: SQLite file calib.db in the data folder. PostgreSQL: postgresql+psycopg://…",
    )
    public_url: str = _setting(
        "http://127.0.0.1:8000", "Address people reach this installation at; printed in QR codes."
    )
    smtp_host: str = _setting(
        "", "Mail server; empty: mails are written to the folder mail in data."
    )
    smtp_port: str = _setting("25", "Port of the mail server.")
    smtp_user: str = _setting("", "User at the mail server; empty: none.")
    smtp_password: str = _setting("", "Password at the mail server.", secret=True)
    metrics_token: str = _setting(
        "", "Token with which /metrics is read; empty: there is no such page.", secret=True
    )
    smtp_security: str = _setting("none", "none, starttls or tls.")
    webhooks: str = _setting(
        "public",
        "public: labs may have addresses of the internet told, by https; loopback: this machine "
        "too, to try it out.",
    )
    mail_from: str = _setting("calib@localhost", "Sender address of mails.")
    jobs: str = _setting(
        "inline", "inline: scheduled jobs run inside serve; worker: only calib worker runs them."
    )
    notice_hour: str = _setting("6", "Hour of the day (UTC) when due-date notices are made.")
    signer: str = _setting(
        "inline",
        "inline: this process signs with the keys; process: it asks calib signer, which has them.",
    )
    passphrase_file: str = _setting(
        "",
        "File, readable by this user alone, with the passphrase of the keys (the PIN of a token); "
        "empty: the systemd credential calib-passphrase.",
    )
    credentials_directory: str = _setting("", "Folder of systemd credentials; set by systemd.")
    pkcs11_module: str = _setting(
        "", "Library of the token that keeps the keys (PKCS#11); empty: files in data/keys."
    )
    pkcs11_token: str = _setting("calib", "Label of the token.")
    kms_url: str = _setting(
        "",
        "Transit engine of OpenBao or Vault that keeps the keys, with its mount, such as "
        "https://bao.example:8200/v1/transit; empty: a token or files.",
    )
    anchor: str = _setting(
        "",
        "File with the last signed head of the log; best on another disk or machine, and in no "
        "backup of the data. Empty: anchor/checkpoint in the data folder.",
    )
    witness_policy: str = _setting(
        "", "File with the witnesses of the log (tlog-policy); empty: none are asked."
    )
    timestamp_url: str = _setting(
        "", "Timestamp authority (RFC 3161) that stamps seals of PDFs; empty: none."
    )
    timestamp_level: str = _setting(
        "B-T", "B-T: a time with the seal; B-LT, B-LTA: with evidence for later years as well."
    )
    leaked_passwords: str = _setting(
        "",
        "File of leaked passwords as sorted SHA-1 lines; nobody chooses one of them. Empty: only "
        "common words and rows of keys are refused.",
    )
    timestamp_roots: str = _setting("", "File with the roots (PEM) of the timestamp authority.")

    oidc_issuer: str = _setting(
        "", "Identity provider (OpenID Connect) people may sign in through; empty: none."
    )
    oidc_client: str = _setting("", "What the provider knows this installation by (client id).")
    oidc_secret_file: str = _setting(
        "", "File, readable by this user alone, with the secret the provider gave; empty: none."
    )
    oidc_name: str = _setting("", "What people call the provider; empty: its host name.")
    oidc_factor: str = _setting(
        "",
        "Words of the provider (amr or acr, separated by spaces) by which its sign-in counts for "
        "the second factor too; empty: it never does.",
    )

    @property
    def folder(self) -> Path:
        """Return the data folder as a path."""
        return Path(self.data)

    @property
    def host(self) -> str:
        """Return host and port of the public address."""
        return urlsplit(self.public_url).netloc

    @property
    def log_origin(self) -> str:
        """Return the name of the public log: the public address without its scheme."""
        parts = urlsplit(self.public_url)
        return f"{parts.netloc}{parts.path.rstrip('/')}/log"

    @property
    def url(self) -> str:
        """Return the database address with its default filled in."""
        return self.database_url or f"sqlite:///{(self.folder / 'calib.db').resolve()}"


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return f"CALIB_{name.upper()}"


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings; raises WrongUsage naming the variable and what it may hold."""
    known = {variable(f.name): f.name for f in dataclasses.fields(Settings)}
    given = {known[key]: environ[key].strip() for key in environ if key in known}
    given.setdefault("credentials_directory", environ.get("CREDENTIALS_DIRECTORY", ""))
    settings = Settings(**(_credentials(given["credentials_directory"]) | given))
    _whole(settings.smtp_port, "smtp_port", 1, 65535)
    _whole(settings.notice_hour, "notice_hour", 0, 23)
    _one_of(settings.smtp_security, "smtp_security", ("none", "starttls", "tls"))
    _one_of(settings.jobs, "jobs", ("inline", "worker"))
    _one_of(settings.webhooks, "webhooks", ("public", "loopback"))
    _one_of(settings.signer, "signer", ("inline", "process"))
    _one_of(settings.timestamp_level, "timestamp_level", ("B-T", "B-LT", "B-LTA"))
    if not settings.public_url.startswith(("http://", "https://")):
        _refuse(
            "public_url", settings.public_url, "an address that starts with http:// or https://"
        )
    _need_encryption(settings)
    if settings.oidc_issuer:
        _provider(settings)
    return settings


def _credentials(folder: str) -> dict[str, str]:
    """Return the settings that systemd hands over as files: ``calib-smtp-password`` and others."""
    found = {}
    for f in dataclasses.fields(Settings):
        file = Path(folder) / f"calib-{f.name.replace('_', '-')}"
        if folder and (f.metadata["secret"] or f.name == "database_url") and file.is_file():
            found[f.name] = file.read_text("utf-8").strip()
    return found


def _need_encryption(settings: Settings) -> None:
    """Refuse to speak to another machine where everybody on the way can listen."""
    if settings.smtp_security == "none" and settings.smtp_host not in HERE | {""}:
        _refuse("smtp_security", "none", "starttls or tls: the mail server is another machine")
    for name in ("timestamp_url", "kms_url"):
        value = getattr(settings, name)
        address = urlsplit(value)
        if value and address.scheme != "https" and address.hostname not in HERE:
            _refuse(name, value, "an address that starts with https://")
    if settings.kms_url and "/v1/" not in settings.kms_url:
        _refuse("kms_url", settings.kms_url, "an address with /v1/ and the mount of the engine")
    if settings.kms_url and settings.pkcs11_module:
        _refuse("kms_url", settings.kms_url, "nothing, since CALIB_PKCS11_MODULE names a token")


def _provider(settings: Settings) -> None:
    parts = urlsplit(settings.oidc_issuer)
    here = parts.scheme == "http" and parts.hostname in HERE
    if not (parts.hostname and (parts.scheme == "https" or here)) or parts.query or parts.fragment:
        _refuse("oidc_issuer", settings.oidc_issuer, "an address that starts with https://")
    if not settings.oidc_client:
        _refuse("oidc_client", "", "the client id that the provider gave")


def _whole(text: str, name: str, low: int, high: int) -> None:
    if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
        _refuse(name, text, f"a whole number from {low} to {high}")


def _one_of(text: str, name: str, allowed: tuple[str, ...]) -> None:
    if text not in allowed:
        _refuse(name, text, " or ".join(allowed))


def _refuse(name: str, got: str, expected: str) -> None:
    raise WrongUsage(
        "setting-invalid",
        "The environment variable {variable} holds {got}, expected {expected}. "
        "Change it and start again.",
        facts={"variable": variable(name), "got": repr(got), "expected": expected},
    )


def _without_password(address: str) -> str:
    from sqlalchemy import make_url  # settings are read by commands that need no database
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(address).render_as_string(hide_password=True)
    except ArgumentError:
        return "(unreadable)"


def describe(settings: Settings) -> list[dict[str, str]]:
    """Return every setting with its variable, value and meaning; secrets only as set or not."""
    rows = []
    for f in dataclasses.fields(Settings):
        value = getattr(settings, f.name)
        if f.metadata["secret"]:
            value = "(set)" if value else "(not set)"
        elif f.name == "database_url" and value:
            value = _without_password(value)
        rows.append(
            {"variable": variable(f.name), "value": value, "meaning": f.metadata["meaning"]}
        )
    return rows
