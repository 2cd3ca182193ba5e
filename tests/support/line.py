"""A line to a server that can be cut and mended, as the network of a station hall is."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator


class Line:
    """Passes bytes between a port of its own and another one, as long as it is whole."""

    def __init__(self, port: int) -> None:
        """Lie between a new port and `port` of loopback."""
        self._to = port
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.is_cut = False
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        threading.Thread(target=self._serve, name="line", daemon=True).start()

    def cut(self) -> None:
        """End every connection and refuse new ones."""
        with self._lock:
            self.is_cut = True
            for one in self._open:
                _end(one)
            self._open.clear()

    def mend(self) -> None:
        """Let connections through again."""
        self.is_cut = False

    def close(self) -> None:
        """End for good."""
        self.cut()
        _end(self._door)

    def _serve(self) -> None:
        while True:
            try:
                here, _ = self._door.accept()
            except OSError:
                return
            with self._lock:
                if self.is_cut:
                    _end(here)
                    continue
                there = socket.create_connection(("127.0.0.1", self._to))
                self._open |= {here, there}
            for source, goal in ((here, there), (there, here)):
                threading.Thread(target=self._pass, args=(source, goal), daemon=True).start()

    def _pass(self, source: socket.socket, goal: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while content := source.recv(65536):
                goal.sendall(content)
        for one in (source, goal):
            _end(one)
            with self._lock:
                self._open.discard(one)


def _end(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


@contextlib.contextmanager
def a_line(port: int) -> Iterator[Line]:
    """Open a line to a port for as long as the block lasts."""
    line = Line(port)
    try:
        yield line
    finally:
        line.close()
