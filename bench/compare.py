"""The router beside Kafka Streams, Quix Streams and plain loops of both clients: one run, one broker, the same events.

    uv run python -m bench.compare --picture docs/pictures/speed-compare.svg     # everything, some four minutes
    uv run python -m bench.compare --short                                       # does each work, are the results right: a minute

The contestants run in turn, a process each, exactly once, on topics that are made anew for each:

- the *plain loop* (either client, on our own transaction loop) decodes an event, keeps three values of its case in a
  dictionary and writes them and one Avro record: the least that routing can be (`bench.router_worker`);
- *Quix Streams* (`bench.router_quix`) and *Kafka Streams* (`CompareStreams.java`: exactly_once_v2, one thread) do the
  same with their own state on disk;
- the *router* (either client) does all of its work: journal with hash chain, ledger, the fold of the law, rules,
  deliveries, dead letters, a store on disk.

The plain loops commit each 500 records, the router up to 750 as in service, or when nothing more is there; Quix Streams each
500 or after 100 ms, Kafka Streams each 100 ms, as it comes. By all a dead member is given up after 6 s,
its transaction after 8 s.

Of each: after a batch to warm up, batches that stand there at one moment, until the group has committed them: processor
time (of the whole process) and events a second, the medians. Then an even load: the time from published to read in the
output, read-committed. Then, under that load, `kill -9`, the process started again at once: seconds until the output grows
again. Last, each output is read whole: each event must have come out once.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import structlog
from confluent_kafka.admin import AdminClient

from bench import compare_picture, compare_report
from bench.compare_field import FIELD, PLAIN, ROUTER, AbsentError, Command, Contestant, Runner, command
from bench.compare_watch import CODEC, PATIENCE, Steady, Watch, answered, counted, first_of, latency, resumed, until
from bench.router_events import CHANGELOG, PARTITIONS, Load, messages, publish
from bus import connect
from bus.broker import Broker
from bus.ports import Client, Message, Partition
from bus.settings import KafkaSettings
from bus.topics import EVENTS, Topic, standard

MARGIN = 1.0  # seconds before the kill whose events do not count for the latency: they may come out after it
Figures = dict[str, float]


class Plan(NamedTuple):
    """How much of each; seconds of the even load: to settle, to measure, and after the kill (0: nobody is killed)."""

    warm_up: int = 30_000
    events: int = 30_000
    rounds: int = 3
    rate: int = 1_000
    settle: int = 2
    measure: int = 10
    after: int = 8

    @property
    def seconds(self) -> float:
        return self.settle + self.measure + (MARGIN + self.after if self.after else 0)


SHORT = Plan(warm_up=2_000, events=4_000, rounds=1, rate=500, settle=1, measure=1, after=0)


class Feed(NamedTuple):
    """What is published, the same for all; the first of the batches warms up. `events` are the ids of all."""

    batches: list[list[Message]]
    steady: list[Message]
    events: list[str]


def identity(message: Message) -> str:
    return CODEC.decode(message.value or b"").id


def feed(plan: Plan) -> Feed:
    """No case in two parts: a case's events come in its life's order."""
    sizes = [plan.warm_up, *[plan.events] * plan.rounds, round(plan.rate * plan.seconds)]
    *batches, steady = [messages(Load(size, first=1_000_000 * number)) for number, size in enumerate(sizes)]
    return Feed(batches, steady, [identity(one) for part in (*batches, steady) for one in part])


class Place(NamedTuple):
    """The broker's address, and a folder for what the contestants keep."""

    bootstrap: str
    folder: Path


class Run:
    """One contestant at work."""

    def __init__(self, place: Place, one: Contestant, work: Command, plan: Plan) -> None:
        self._place, self._one, self._work, self._plan = place, one, work, plan
        settings = KafkaSettings(client="confluent", transaction_timeout_ms=60_000)  # a batch is one transaction
        self._client = connect(settings.at(place.bootstrap))
        renew(place.bootstrap, self._client, one)
        self._runner = self._started()

    def _started(self) -> Runner:
        return Runner(self._work(self._place.bootstrap, self._place.folder / self._one.name), self._log)

    @property
    def _log(self) -> Path:
        return self._place.folder / f"{self._one.name}.log"

    def figures(self, fed: Feed) -> Figures:
        warm_up, *batches = fed.batches
        self._batch(warm_up)
        rounds = [self._batch(made) for made in batches]
        found = {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
        found |= self._even(fed.steady)
        output = counted(self._client, self._one.output.name, fed.events)
        return found | output._asdict()

    def _batch(self, made: list[Message]) -> Figures:
        """Publish it at one moment, and wait until all of it is committed."""
        busy, goal = self._runner.busy(), self._goal(made)
        publish(self._client, made)
        start = time.monotonic()
        self._wait(goal)
        seconds = time.monotonic() - start
        return {"cpu_us": (self._runner.busy() - busy) / len(made) * 1e6, "events_a_second": len(made) / seconds}

    def _goal(self, made: Sequence[Message]) -> dict[Partition, int]:
        """How far the group will have committed when these messages, published next, are done."""
        ends = answered(lambda: self._client.ends([EVENTS.name]))
        return {Partition(EVENTS.name, number): ends[Partition(EVENTS.name, number)] + count for number, count in spread(made)}

    def _wait(self, goal: dict[Partition, int]) -> None:
        def reached() -> bool:
            done = answered(lambda: self._client.committed(self._one.name, [EVENTS.name]))
            return all(done.get(place, 0) >= offset for place, offset in goal.items())

        until(reached, PATIENCE, f"{self._one.words} to commit what was published", self._runner.check)

    def _even(self, made: list[Message]) -> Figures:
        """The load at an even rate: latency, the most memory so far, and, where the plan has it, the kill."""
        plan, goal = self._plan, self._goal(made)
        watch = Watch(self._place.bootstrap, self._client, self._one.output.name)
        steady = Steady(self._place.bootstrap, made, plan.rate)
        watch.start()
        steady.start()
        time.sleep(plan.settle + plan.measure)
        found: Figures = {"mb": self._runner.peak_mb()}
        killed = self._killed() if plan.after else 0.0
        steady.join()
        self._wait(goal)
        arrivals = watch.settled()
        if plan.after:
            found["recovery_s"] = resumed([one.at for one in arrivals], killed)
        return found | self._latency(made, steady.published, first_of(arrivals))

    def _latency(self, made: list[Message], published: list[float], came: dict[str, float]) -> Figures:
        plan = self._plan
        window = slice(plan.settle * plan.rate, (plan.settle + plan.measure) * plan.rate)
        moments = {identity(one): at for one, at in zip(made[window], published[window], strict=True)}
        found = latency(moments, came)
        return {"p50_ms": found.p50, "p99_ms": found.p99}

    def _killed(self) -> float:
        """Kill it and start it again at once; the moment of the kill."""
        time.sleep(MARGIN)
        before, killed = self._runner, time.monotonic()
        before.kill()
        self._runner = self._started()
        before.close()
        return killed

    def close(self) -> None:
        self._runner.close()
        self._client.close()


def spread(made: Sequence[Message]) -> list[tuple[int, int]]:
    """How many messages each partition gets."""
    return sorted(Counter(message.partition for message in made).items())


def renew(bootstrap: str, client: Client, one: Contestant) -> None:
    """All topics away, and this contestant's made: each begins with nothing."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 3})

    def known() -> list[str]:
        return [name for name in admin.list_topics(timeout=10).topics if not name.startswith("__")]

    if names := known():
        for future in admin.delete_topics(names, operation_timeout=30).values():
            future.result()
        until(lambda: not known(), PATIENCE, "the topics of the last contestant to go", lambda: None)
    client.create([topic.sized(PARTITIONS) for topic in topics_of(one)])
    answered(lambda: client.ends([EVENTS.name, one.output.name]))


def topics_of(one: Contestant) -> list[Topic]:
    """What it reads and writes; the libraries make those of their state by themselves."""
    return standard(PARTITIONS) if one.kind == ROUTER else [EVENTS, one.output, *([CHANGELOG] if one.kind == PLAIN else [])]


def compare(field: Sequence[Contestant], plan: Plan) -> dict[str, Any]:
    """Each contestant's figures by its name, and why one was left out."""
    load = round(os.getloadavg()[0], 1)
    result: dict[str, Any] = {"at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "load_before": load, "cores": os.cpu_count()}
    result |= {"plan": plan._asdict(), "contestants": {}, "left_out": {}}
    fed = feed(plan)
    with tempfile.TemporaryDirectory() as name, Broker(Path(name) / "kafka") as broker:
        place = Place(broker.bootstrap, Path(name))
        for one in field:
            print(f"{one.words} ...", file=sys.stderr, flush=True)
            try:
                found = raced(one, place, plan, fed)
            except AbsentError as error:
                result["left_out"][one.name] = str(error)
            else:
                result["contestants"][one.name] = found
                print(f"  {json.dumps(found)}", file=sys.stderr, flush=True)
    return result


def raced(one: Contestant, place: Place, plan: Plan, fed: Feed) -> Figures:
    """Raises AbsentError where it cannot run here."""
    run = Run(place, one, command(one, place.folder), plan)
    try:
        return {name: round(value, 2) for name, value in run.figures(fed).items()}
    finally:
        run.close()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    plan = Plan()
    parser.add_argument("--events", type=int, default=plan.events, help=f"of a batch, {plan.events} if not said")
    parser.add_argument("--rounds", type=int, default=plan.rounds, help=f"batches to measure, {plan.rounds} if not said")
    parser.add_argument("--only", nargs="+", choices=[one.name for one in FIELD], help="not all contestants")
    parser.add_argument("--short", action="store_true", help="few events, nobody is killed: the figures mean little")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw it as SVG")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures too")
    return parser.parse_args()


def main() -> int:
    """1 where a router lost an event or wrote one twice."""
    wanted = arguments()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    plan = SHORT if wanted.short else Plan(events=wanted.events, rounds=wanted.rounds)
    result = compare([one for one in FIELD if not wanted.only or one.name in wanted.only], plan)
    print(compare_report.written(result))
    if wanted.json:
        wanted.json.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    if wanted.picture:
        wanted.picture.write_text(compare_picture.drawn(result), "utf-8")
    return 0 if compare_report.right(result) else 1


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(main())
