"""`casebus page`: the supervisors' page of a deployment, until stopped."""

from __future__ import annotations

import socket
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from bus.errors import ConfigurationError
from casebus import logs
from casebus.acts import Publisher
from casebus.deployment import Deployment
from casebus.operators import Operators
from casebus.wiring import Wiring


def run(folder: Path, port: int | None) -> int:
    """Raises ConfigurationError when somebody else has the port."""
    from monitor.web.app import serve

    wiring = Wiring(Deployment.load(folder))
    logs.configure("page", wiring.settings.logs)
    settings = wiring.settings.page
    port = port or settings.port
    if port is None:
        raise ConfigurationError(f"{wiring.settings.name} has no page: name a port (--port 8080, or page.port in casebus.yaml).")
    check_free(settings.host, port)
    with (
        closing(wiring.view()) as view,
        closing(wiring.accounts),
        closing(Publisher(wiring)) as publisher,
        closing(Operators(wiring)) as operators,
    ):
        serve(replace(wiring.site(view, publisher.publish), operators=operators), port)
    return 0


def check_free(host: str, port: int) -> None:
    if not free(host, port):
        raise ConfigurationError(
            f"Port {port} of {host} is in use. End what uses it, or name another one: page.port in casebus.yaml."
        )


def free(host: str, port: int) -> bool:
    """Whether one can listen there."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError:
            return False
    return True


def some_port(host: str) -> int:
    """One that is free now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as trial:
        trial.bind((host, 0))
        return int(trial.getsockname()[1])
