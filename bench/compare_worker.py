"""One process of ours in `bench.compare`: the router or the plain loop, on either client. It works until it is killed.

    python -P -m bench.compare_worker plain|router --bootstrap HOST:PORT --group NAME --client confluent --folder STORES

What the two do is said by `bench.router_worker`. Nothing is measured in here: every contestant is looked at from outside.
"""

from __future__ import annotations

import argparse
import logging
import sys
import threading
from pathlib import Path

import structlog

from bench.router_worker import made
from bus import connect
from bus.collector import calm_collector
from bus.settings import KafkaSettings
from bus.transaction import Loop


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("plain", "router"))
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--group", required=True)
    parser.add_argument("--client", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    arguments = parser.parse_args()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    client = connect(KafkaSettings(client=arguments.client).at(arguments.bootstrap))
    processor, topics, at_once = made(arguments.kind, client, arguments.folder)
    calm_collector()
    Loop(client, arguments.group, topics, processor, f"{arguments.group}-1", at_once, name="bench").run(threading.Event())


if __name__ == "__main__":
    main()
