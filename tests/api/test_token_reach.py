"""A limited token does less than its owner, never more, and cannot make itself a wider one."""

from __future__ import annotations

import pytest

from instruments.errors import Invalid
from instruments.services import signin
from tests.support.builders import context_for
from tests.support.door import a_key


def token(door, *reach):
    with context_for(door.bench.installation) as ctx:
        return signin.make_token(ctx, name="program", reach=reach)


def new_customer(client):
    return client.post("/api/v1/customers", json={"name_en": "Hall"}, headers=a_key())


def test_a_token_that_reads_reads_and_writes_nothing(door_for_all):
    client = door_for_all.client(token(door_for_all, "read"))
    assert client.get("/api/v1/customers").status_code == 200
    answer = new_customer(client)
    assert (answer.status_code, answer.json()["code"]) == (403, "token-limited")
    assert "read" in answer.json()["detail"]


def test_a_token_for_customers_does_nothing_else(door_for_all):
    client = door_for_all.client(token(door_for_all, "customer"))
    assert new_customer(client).status_code == 201
    assert client.get("/api/v1/orders").status_code == 403


@pytest.mark.parametrize("reach", [("read",), ("customer", "order")])
def test_a_limited_token_makes_no_other(door_for_all, reach):
    client = door_for_all.client(token(door_for_all, *reach))
    answer = client.post("/account/tokens", data={"name": "wider", "days": "9"})
    assert answer.status_code == 403


def test_a_thing_there_is_none_of_is_refused(door_for_all):
    with pytest.raises(Invalid, match="must be one of: read, audit"):
        token(door_for_all, "everything")


def test_its_owner_sees_what_it_is_limited_to(door_for_all):
    token(door_for_all, "order", "customer")
    with context_for(door_for_all.bench.installation) as ctx:
        assert ("customer", "order") in {one.reach for one in signin.list_tokens(ctx)}
