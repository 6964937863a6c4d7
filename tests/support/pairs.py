"""Which tests `make test` runs on PostgreSQL as well as on SQLite: enough of them to send it every kind of statement.

A pair costs twice. Where the product's SQL is called through other code, the second of a pair stays out of `make test`
if whatever it sends to PostgreSQL, and whatever PostgreSQL refuses of it, another test sends too, and if it does not
use it from two threads at once; `make chaos` runs all of them. `pytest -n 4 -k postgres --choose-pairs tests` writes
the list anew; a test that is not in it runs.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from threading import get_ident
from typing import Any, Final, NamedTuple

import psycopg
import pytest
from sqlalchemy import Engine, Pool, event

LIST: Final = Path(__file__).with_name("pairs.txt")
_ROOT: Final = Path(__file__).parents[2]
_CHOSEN_FROM: Final = (
    *(f"tests/activities/{each}/" for each in ("batches", "daily", "gateways", "installments", "parties", "transfers")),
    "tests/api/transfers/",
    "tests/models/queries/",
)
_LONG: Final = pytest.mark.long
_PLACE: Final = re.compile(r"%\(\w+\)s(::[\w ]+)?|\$\d+|\b\d+\b|sa_savepoint_\d+")
_PLACES: Final = re.compile(r"\?(, \?)+|\(\?\)(, \(\?\))+")


class Seen(NamedTuple):
    """What one test sent to PostgreSQL, and how many seconds it took."""

    statements: frozenset[str]
    seconds: float


def mark_long(items: Iterable[pytest.Item]) -> None:
    """Keep the listed tests for `make chaos`."""
    listed = set(LIST.read_text().splitlines()) if LIST.exists() else set()
    for item in items:
        if item.nodeid in listed:
            item.add_marker(_LONG)


def chosen(seen: Mapping[str, Seen]) -> list[str]:
    """The tests that need not run: what they send is sent by those that stay, which are chosen by what they cost."""
    free = {name for name in seen if name.startswith(_CHOSEN_FROM) and "[postgres" in name}
    sent = {each for name, one in seen.items() if name not in free for each in one.statements}
    staying: set[str] = set()

    def worth(name: str) -> float:
        return len(seen[name].statements - sent) / max(seen[name].seconds, 0.01)

    while free - staying and worth(best := max(sorted(free - staying), key=worth)) > 0:
        staying.add(best)
        sent |= seen[best].statements
    return sorted(free - staying)


class Chooser:
    """Sees what each test sends, in every process of the run; the first process writes the list."""

    def __init__(self, config: pytest.Config) -> None:
        """Listen to all engines of this process."""
        self._config = config
        self._seen: dict[str, Seen] = {}
        self._now: set[str] = set()
        self._test = ""
        self._held: dict[int, int] = {}
        event.listen(Pool, "checkout", self._taken)
        event.listen(Pool, "checkin", lambda dbapi, _: self._held.pop(id(dbapi), None))
        event.listen(Engine, "before_cursor_execute", self._sent)
        event.listen(Engine, "handle_error", self._refused)

    def _taken(self, dbapi: Any, *_: Any) -> None:
        if isinstance(dbapi, psycopg.Connection):
            self._held[id(dbapi)] = get_ident()
            if len({*self._held.values()}) > 1:
                self._now.add(f"at once in {self._test}")

    def _sent(self, connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if connection.dialect.name == "postgresql":
            self._now.add(_PLACES.sub("?", _PLACE.sub("?", statement)))

    def _refused(self, context: Any) -> None:
        state = getattr(context.original_exception, "sqlstate", None)
        if state is not None:
            self._now.add(f"{state} {context.original_exception.diag.constraint_name}")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Any:
        """What a fixture sends is sent for every test."""
        self._now.clear()
        self._test = item.nodeid
        result = yield
        self._seen[item.nodeid] = Seen(frozenset(self._now), 0.0)
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """What a test takes, without what its file sets up once."""
        if report.when == "call" and (one := self._seen.get(report.nodeid)) is not None:
            self._seen[report.nodeid] = one._replace(seconds=report.duration)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """What another process saw."""
        for name, (statements, seconds) in getattr(node, "workeroutput", {}).get("pairs", {}).items():
            self._seen[name] = Seen(frozenset(statements), seconds)

    def pytest_sessionfinish(self) -> None:
        """Tell the first process, or write the list."""
        output = getattr(self._config, "workeroutput", None)
        if output is not None:
            output["pairs"] = {name: [sorted(one.statements), one.seconds] for name, one in self._seen.items()}
            return
        LIST.write_text("".join(f"{name}\n" for name in chosen(self._seen)))
        saved = sum(self._seen[name].seconds for name in chosen(self._seen))
        print(f"\n{len(chosen(self._seen))} of {len(self._seen)} stay for `make chaos`: {saved:.0f} s")
