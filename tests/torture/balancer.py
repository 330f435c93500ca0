"""A load balancer as small as can be: each connection goes to a replica that accepts it, bytes both ways."""

import contextlib
import random
import socket
import threading
from collections.abc import Sequence


class Balancer:
    """Listens on `port` and forwards to `ports`, at random among those that listen."""

    def __init__(self, port: int, ports: Sequence[int]) -> None:
        self.port, self._ports = port, list(ports)
        self._listener = socket.create_server(("127.0.0.1", port), backlog=256)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            for port in random.sample(self._ports, len(self._ports)):
                try:
                    server = socket.create_connection(("127.0.0.1", port), timeout=2)
                except OSError:
                    continue
                with server:
                    server.settimeout(None)
                    back = threading.Thread(target=_pump, args=(server, client), daemon=True)
                    back.start()
                    _pump(client, server)
                    back.join()
                return


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
