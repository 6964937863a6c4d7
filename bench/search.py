"""The inbox: a page with exact facets out of a million tasks of which 50,000 are open."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy import text

from bench.measuring import NOW, empty_stores, milliseconds, percentile
from bench.registry import Figure, Floor, measures
from models.database.engine import Database
from models.domain.roles import CANDIDATE_ROLE, Role
from models.domain.states import TaskState, TaskType
from models.domain.task_filter import ONLY_OPEN, FieldTest, Op, TaskField, TaskFilter
from models.domain.viewer import ANY_BRANCH, Viewer
from models.queries.tasks import TaskPage, search_tasks
from models.tables.tasks import Task
from models.tables.tenants import Tenant

ALL = 1_000_000
OPEN_SHARE = 20  # one of so many is open
BRANCHES = 40
STAFF = 400
TIMES = 60
ROWS_PER_INSERT = 5_000
_TYPES: Final = tuple(TaskType)

HEAD_OFFICE: Final = Viewer(
    staff_id="stf_7", person_id="prs_7", branch=ANY_BRANCH, roles=frozenset({Role.CASE_OFFICER, Role.APPROVER})
)
AUDITOR: Final = Viewer(staff_id="stf_8", person_id="prs_8", branch=ANY_BRANCH, roles=frozenset({Role.AUDITOR}))
OFFICER: Final = Viewer(staff_id="stf_9", person_id="prs_9", branch="br-009", roles=frozenset({Role.CASE_OFFICER}))


def _open(*tests: FieldTest) -> TaskFilter:
    return TaskFilter(tests=(ONLY_OPEN, *tests))


SEARCHES: Final = {
    "one branch": (OFFICER, _open()),
    "head office, all open": (HEAD_OFFICE, _open()),
    "audit, all open": (AUDITOR, _open()),
    "head office, approvals": (
        HEAD_OFFICE,
        _open(FieldTest(field=TaskField.TYPE, op=Op.IN, values=(TaskType.APPROVAL.value,))),
    ),
    "head office, mine": (HEAD_OFFICE, _open(FieldTest(field=TaskField.ASSIGNEE, op=Op.IN, values=("me",)))),
    "head office, overdue": (HEAD_OFFICE, _open(FieldTest(field=TaskField.OVERDUE, op=Op.IN, values=(True,)))),
}


@measures("search")
def search(scale: float) -> Iterable[Figure]:
    """Search the inbox as several kinds of staff do; the floor only counts the open rows in an index."""
    tasks = max(2_000, int(ALL * scale))
    with empty_stores() as stores:
        _fill(stores.data, tasks)
        floor = Floor(
            name="count of open rows, p95 ms",
            value=percentile(milliseconds(partial(_count, stores.data), times=TIMES), 0.95),
        )
        for name, (viewer, wanted) in SEARCHES.items():
            yield _figure(stores.data, name, viewer=viewer, wanted=wanted, floor=floor)
        cursor = _search(stores.data, HEAD_OFFICE, _open(), None).next_cursor
        yield _figure(
            stores.data, "head office, next page", viewer=HEAD_OFFICE, wanted=_open(), floor=floor, cursor=cursor
        )


def _figure(
    database: Database, name: str, *, viewer: Viewer, wanted: TaskFilter, floor: Floor, cursor: str | None = None
) -> Figure:
    taken = milliseconds(partial(_search, database, viewer, wanted, cursor), times=TIMES)
    return Figure(name=f"{name}, p95", value=percentile(taken, 0.95), unit="ms", floor=floor, at_most=50)


def _search(database: Database, viewer: Viewer, wanted: TaskFilter, cursor: str | None) -> TaskPage:
    with database.read() as session:
        return search_tasks(session, tenant="main", viewer=viewer, now=NOW, filter=wanted, cursor=cursor)


def _count(database: Database) -> int:
    with database.read() as session:
        counted: int = session.execute(
            text("SELECT count(*) FROM tasks WHERE tenant = 'main' AND state IN ('READY', 'CLAIMED', 'DECIDING')")
        ).scalar_one()
        return counted


def _fill(database: Database, tasks: int) -> None:
    """Open tasks lie scattered among the done ones, as they would after a year."""
    with database.write() as session:
        session.add(Tenant(code="main", name="A bank", created_at=NOW))
    names = [column.name for column in Task.__table__.columns]  # type: ignore[attr-defined]
    statement = f"INSERT INTO tasks ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
    pool = database.engine.raw_connection()
    driver: Any = pool.driver_connection
    driver.execute("PRAGMA synchronous=OFF")  # of this connection; what is measured is reading
    driver.execute("PRAGMA cache_size=-500000")
    for first in range(0, tasks, ROWS_PER_INSERT):
        rows = _rows(first, min(first + ROWS_PER_INSERT, tasks), tasks)
        driver.execute("BEGIN IMMEDIATE")
        driver.executemany(statement, ([row.get(name) for name in names] for row in rows))
        driver.execute("COMMIT")
    pool.invalidate()  # its settings go with it


def _rows(first: int, end: int, tasks: int) -> Iterator[dict[str, Any]]:
    for number in range(first, end):
        scattered = number * 2_654_435_761 % 4_294_967_296  # Knuth's multiplicative hash: the same book each time
        is_open = number % OPEN_SHARE == 0
        claimed = is_open and scattered % 3 == 0
        task_type = _TYPES[scattered % len(_TYPES)]
        state = (TaskState.CLAIMED if claimed else TaskState.READY) if is_open else TaskState.DONE
        created = NOW - timedelta(minutes=(tasks - number) % 500_000)
        yield {
            "id": f"tsk_{scattered:010d}{number:08d}",
            "tenant": "main",
            "workflow_id": f"installments/main.{number:026d}",
            "task_no": 1,
            "case_token": f"main.{number:026d}",
            "type": task_type.value,
            "state": state.value,
            "candidate_role": CANDIDATE_ROLE[task_type].value,
            "branch": f"br-{scattered // 7 % BRANCHES:03d}",
            "priority": (30, 50, 50, 50, 80)[scattered // 11 % 5],
            "due_at": _stored(created + timedelta(hours=8 + scattered % 96)),
            "assignee": f"stf_{scattered // 13 % STAFF}" if claimed or not is_open else None,
            "amount_minor": scattered % 50_000_00,
            "currency": "CNY",
            "title_params": json.dumps({"amount": scattered % 50_000_00}),
            "shown": json.dumps({"amount_minor": scattered % 50_000_00, "term_months": 24}),
            "shown_hash": f"{scattered:064x}",
            "blocked": "[]",
            "excluded_persons": "[]",
            "epoch": 1,
            "seq": 1,
            "version": 1,
            "created_at": _stored(created),
            "updated_at": _stored(created),
            "closed_at": None if is_open else _stored(created + timedelta(hours=3)),
        }


def _stored(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")  # as SQLAlchemy writes an instant to SQLite
