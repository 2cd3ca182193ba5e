"""Which addresses a lab may have told to: its own list of what is inside. Opens no connection.

The list of the standard library is not used: it changes with its version, and calls addresses
public that lead inside (mapped, translated and tunnelled ones, groups).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from instruments.errors import Invalid, Refused

LONGEST = 500
HTTPS = 443
LEAST_OPEN_PORT = 1024
_INSIDE_4 = tuple(
    IPv4Network(one)
    for one in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # behind the address translation of providers
        "127.0.0.0/8",  # this machine
        "168.63.129.16/32",  # the host below a virtual machine of one provider
        "169.254.0.0/16",  # this link; services of cloud providers
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocols
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",  # private
        "192.175.48.0/24",
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # groups
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_OUTSIDE_6 = IPv6Network("2000::/3")
"""All else is inside: mapped, compatible, translated (NAT64), private, of this link, groups."""
_INSIDE_6 = tuple(
    IPv6Network(one)
    for one in (
        "2001::/23",  # protocols: Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an address of version 4 stands within
        "3ffe::/16",
        "3fff::/20",  # documentation
    )
)
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,250}[A-Za-z0-9_])?\.?")
_TEXT = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class Target:
    """An address of the web in its parts."""

    is_secure: bool
    host: str
    port: int
    path: str
    """With its query; what the request asks for."""

    @property
    def authority(self) -> str:
        """Return host and port as a request names them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = HTTPS if self.is_secure else 80
        return host if self.port == usual else f"{host}:{self.port}"


def read_target(address: str, *, loopback: bool = False) -> Target:
    """Return an address in its parts; `loopback`: this machine may be named, by http too.

    Raises Invalid for what no message can be sent to.
    """
    if not _TEXT.fullmatch(address) or len(address) > LONGEST or "\\" in address:
        raise _malformed(address)
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as problem:
        raise _malformed(address) from problem
    host = parts.hostname or ""
    if parts.scheme not in ("https", "http") or "@" in parts.netloc or parts.fragment:
        raise _malformed(address)
    if not (_HOST.fullmatch(host) or _is_version_6(host)):
        raise _malformed(address)
    if parts.scheme == "http" and not (loopback and _names_this_machine(host)):
        raise Invalid(
            "webhook-not-secure",
            "The address {address} does not begin with https://, so anybody on the way could read "
            "and change what is told. Give an address with https.",
            at="/address",
            facts={"address": address},
        )
    port = port if port is not None else (HTTPS if parts.scheme == "https" else 80)
    if (port not in (HTTPS, 80) and port < LEAST_OPEN_PORT) or (port == 80 and not loopback):
        raise Invalid(
            "webhook-port",
            "The address {address} names port {port}; messages go to port 443, or to 1024 and "
            "above. Give another port.",
            at="/address",
            facts={"address": address, "port": port},
        )
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme == "https", host, port, path)


def need_outside(host: str, found: Sequence[str], *, loopback: bool = False) -> None:
    """Refuse a host of which any address leads inside; one that has none, too.

    Raises Refused.
    """
    if not found:
        raise Refused(
            "webhook-unknown-host",
            "The name {host} leads to no address. Correct the address, or ask whoever keeps the "
            "name.",
            at="/address",
            facts={"host": host},
        )
    for one in found:
        if is_inside(one) and not (loopback and is_this_machine(one)):
            raise Refused(
                "webhook-inside",
                "The name {host} leads to {found}, an address that is not one of the public "
                "internet. Nothing was sent: give the address of a receiver outside.",
                at="/address",
                facts={"host": host, "found": one},
            )


def is_inside(text: str) -> bool:
    """Answer whether an address is none of the public internet; what is no address is inside."""
    found = _read(text)
    if isinstance(found, IPv4Address):
        return any(found in network for network in _INSIDE_4)
    if isinstance(found, IPv6Address):
        return found not in _OUTSIDE_6 or any(found in network for network in _INSIDE_6)
    return True


def is_this_machine(text: str) -> bool:
    """Answer whether an address is the loopback of this machine, plainly written."""
    found = _read(text)
    return found == IPv6Address("::1") or (
        isinstance(found, IPv4Address) and found in IPv4Network("127.0.0.0/8")
    )


def _read(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _is_version_6(host: str) -> bool:
    return isinstance(_read(host), IPv6Address) and "%" not in host


def _names_this_machine(host: str) -> bool:
    return host == "localhost" or is_this_machine(host)


def _malformed(address: str) -> Invalid:
    return Invalid(
        "webhook-address-malformed",
        "{address} is no address that can be told anything. Write it like "
        "https://example.org/calib, without a user, a password or a part after #.",
        at="/address",
        facts={"address": address[:200]},
    )
