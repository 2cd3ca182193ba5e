"""The witness as a small web server of its own: one address, add-checkpoint (C2SP tlog-witness)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from calib.ledger.witnessing import MAX_REQUEST, PLAIN

if TYPE_CHECKING:
    from calib.services.witnessing import Witness


def witness_app(witness: Witness) -> Starlette:
    """Return the application of a witness."""

    async def add_checkpoint(request: Request) -> Response:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > MAX_REQUEST:
                return Response("The request is too long.\n", 413, media_type=PLAIN)
        said = await run_in_threadpool(witness.add_checkpoint, body)
        return Response(said.body, said.status, media_type=said.content_type)

    return Starlette(routes=[Route("/add-checkpoint", add_checkpoint, methods=["POST"])])


def serve_witness(witness: Witness, host: str, port: int) -> None:
    """Serve until told to stop."""
    import uvicorn

    uvicorn.run(witness_app(witness), host=host, port=port, log_level="warning")
