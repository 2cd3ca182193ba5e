"""A coroutine of a library is brought to its end, with or without a loop around it."""

from __future__ import annotations

import asyncio

import pytest

from calib.certificates.waiting import finished


async def gives() -> int:
    await asyncio.sleep(0)
    return 7


async def fails() -> int:
    raise ValueError("as it was")


@pytest.mark.parametrize("asks", [False, True])
def test_it_is_done_with_no_loop_around(asks):
    assert finished(gives, asks=asks) == 7


@pytest.mark.parametrize("asks", [False, True])
def test_it_is_done_while_another_loop_runs(asks):
    async def around() -> int:
        return finished(gives, asks=asks)

    assert asyncio.run(around()) == 7


@pytest.mark.parametrize("is_around", [False, True])
def test_what_it_raises_is_raised(is_around):
    async def around() -> int:
        return finished(fails, asks=False)

    with pytest.raises(ValueError, match="as it was"):
        asyncio.run(around()) if is_around else finished(fails, asks=False)
