"""The search gives exactly what a plain filter over all rows would give: items, order, counts, pages."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from sqlmodel import Session

from models.database.engine import Database
from models.domain.roles import CANDIDATE_ROLE, Role
from models.domain.states import OPEN_TASK_STATES, TaskState, TaskType
from models.domain.task_filter import FieldTest, Op, TaskField, TaskFilter, parse_filter
from models.domain.viewer import Viewer
from models.errors import BadRequest
from models.queries.task_pages import NO_AMOUNT, TaskSort, write_cursor
from models.queries.tasks import MAX_PAGE, TaskPage, get_task, search_tasks
from models.tables.tasks import Task
from tests.support.databases import PostgresDatabases, SqliteFiles, create_data_schema
from tests.support.inbox import NOW, TENANT, add_tasks, add_tenants, make_task, make_viewer

BRANCHES: Final = ("sh-01", "sh-02", "bj-01", "*")
STAFF: Final = ("stf_me", "stf_other", "stf_third")
TONIGHT: Final = datetime.fromisoformat("2026-11-24T00:00:00+08:00")


def random_tasks(number: int, *, seed: int) -> list[Task]:
    dice = random.Random(seed)
    tasks = []
    for index in range(number):
        task_type = dice.choice(list(TaskType))
        state = dice.choice([*TaskState, TaskState.READY, TaskState.CLAIMED])
        held = state is not TaskState.READY and dice.random() < 0.8
        tasks.append(
            make_task(
                task_type,
                id=f"tsk_{dice.getrandbits(40):010x}",
                tenant=dice.choice([TENANT] * 5 + ["other"]),
                workflow_id=f"installments/{index}",
                case_token=dice.choice([None, f"main.{index % 40}"]),
                state=state.value,
                # A few rows that the usual pairing would never make: visibility goes by the row, not by the type.
                candidate_role=dice.choice([CANDIDATE_ROLE[task_type]] * 9 + [Role.OPERATOR]).value,
                branch=dice.choice(BRANCHES),
                priority=dice.choice([10, 50, 50, 50, 90]),
                due_at=NOW + timedelta(hours=dice.randrange(-30, 60)),
                created_at=NOW - timedelta(hours=dice.randrange(1, 30)),
                amount_minor=dice.choice([None, 100, 200, 300, 10**12]),
                assignee=dice.choice(STAFF) if held else None,
            )
        )
    return tasks


# What every answer is held against ------------------------------------------------------------------------------------


def sees(viewer: Viewer, task: Task) -> bool:
    of_role = Role.AUDITOR in viewer.roles or task.candidate_role in viewer.roles
    of_branch = viewer.branch == "*" or task.branch in ("*", viewer.branch)
    return task.tenant == TENANT and of_role and of_branch


def value_of(test: FieldTest, task: Task) -> Any:
    return {
        TaskField.TYPE: task.type,
        TaskField.STATE: task.state,
        TaskField.BRANCH: task.branch,
        TaskField.CANDIDATE_ROLE: task.candidate_role,
        TaskField.ASSIGNEE: task.assignee or "none",
        TaskField.CASE_TOKEN: task.case_token,
        TaskField.AMOUNT: task.amount_minor,
        TaskField.DUE: task.due_at,
        TaskField.CREATED: task.created_at,
        TaskField.OVERDUE: task.state in OPEN_TASK_STATES and task.due_at < NOW,
    }[test.field]


def holds(test: FieldTest, task: Task) -> bool:
    value, wanted = value_of(test, task), tuple("stf_me" if each == "me" else each for each in test.values)
    first: Any = wanted[0]
    if test.op is Op.EXISTS:
        return (value not in (None, "none")) is first
    if test.op is Op.IN:
        return value in wanted
    if test.op is Op.NOT_IN:
        return value not in wanted
    compare: dict[Op, Callable[[Any], bool]] = {
        Op.GT: lambda each: each > first,
        Op.GTE: lambda each: each >= first,
        Op.LT: lambda each: each < first,
        Op.LTE: lambda each: each <= first,
    }
    return value is not None and compare[test.op](value)


def expected_tasks(tasks: list[Task], viewer: Viewer, wanted: TaskFilter, sort: TaskSort) -> list[str]:
    found = [task for task in tasks if sees(viewer, task) and all(holds(test, task) for test in wanted.tests)]

    def amount(task: Task) -> int:
        return NO_AMOUNT if task.amount_minor is None else task.amount_minor

    keys: dict[TaskSort, Callable[[Task], Any]] = {
        TaskSort.PRIORITY: lambda task: (-task.priority, task.due_at, task.id),
        TaskSort.DUE: lambda task: (task.due_at, task.id),
        TaskSort.CREATED: lambda task: (task.created_at, task.id),
        TaskSort.AMOUNT: lambda task: (amount(task), task.id),
    }
    turned = sort.value.startswith("-")
    found.sort(key=keys[TaskSort(sort.value.lstrip("-"))], reverse=turned)
    return [task.id for task in found]


def expected_facets(tasks: list[Task]) -> dict[str, dict[str, int]]:
    def due(task: Task) -> str:
        return "overdue" if task.due_at < NOW else "today" if task.due_at < TONIGHT else "later"

    holder = {None: "none", "stf_me": "me"}
    bands = Counter(due(task) for task in tasks if task.state in OPEN_TASK_STATES)
    assignees = Counter(holder.get(task.assignee, "others") for task in tasks)
    return {
        "type": dict(Counter(task.type for task in tasks)),
        "state": dict(Counter(task.state for task in tasks)),
        "branch": dict(Counter(task.branch for task in tasks)),
        "candidate_role": dict(Counter(task.candidate_role for task in tasks)),
        "assignee": {name: assignees[name] for name in ("none", "me", "others")},
        "due": {name: bands[name] for name in ("overdue", "today", "later")},
    }


def told_facets(page: TaskPage) -> dict[str, dict[str, int]]:
    assert page.facets is not None
    return {
        name: getattr(page.facets, name) for name in ("type", "state", "branch", "candidate_role", "assignee", "due")
    }


# What is asked --------------------------------------------------------------------------------------------------------

_INSTANTS = st.integers(-30, 60).map(lambda hours: (NOW + timedelta(hours=hours)).isoformat())


def _ranges(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(["$gt", "$gte", "$lt", "$lte"]), values, min_size=1, max_size=2)


def _members(*values: Any) -> st.SearchStrategy[Any]:
    one = st.sampled_from(values)
    several = st.lists(one, min_size=1, max_size=3)
    return (
        one
        | st.fixed_dictionaries({"$eq": one})
        | st.fixed_dictionaries({"$neq": one})
        | st.fixed_dictionaries({"$in": several})
        | st.fixed_dictionaries({"$notIn": several})
        | st.fixed_dictionaries({"$in": several, "$neq": one})
    )


_EXISTS = st.fixed_dictionaries({"$exists": st.booleans()})
FILTERS: Final = st.fixed_dictionaries(
    {},
    optional={
        "type": _members(*[each.value for each in TaskType]),
        "state": _members("open", *[each.value for each in TaskState]),
        "branch": _members(*BRANCHES, "nowhere"),
        "candidateRole": _members(*[each.value for each in Role]),
        "assignee": _members("me", "none", *STAFF) | _EXISTS,
        "caseToken": st.sampled_from([f"main.{index}" for index in range(12)]),
        "amountMinor": _members(100, 200, 300, 5) | _ranges(st.sampled_from([0, 100, 200, 10**12])) | _EXISTS,
        "dueAt": _ranges(_INSTANTS),
        "createdAt": _ranges(_INSTANTS),
        "overdue": st.booleans(),
    },
)
VIEWERS: Final = st.builds(
    lambda roles, branch: make_viewer(*roles, branch=branch),
    st.sets(st.sampled_from(list(Role)), min_size=1, max_size=3),
    st.sampled_from(["sh-01", "sh-02", "*", "nobody-here"]),
)


def search(session: Session, viewer: Viewer, **changes: Any) -> TaskPage:
    fields: dict[str, Any] = {"tenant": TENANT, "now": NOW, "filter": parse_filter(None)}
    return search_tasks(session, viewer=viewer, **(fields | changes))


def walk(database: Database, viewer: Viewer, *, limit: int, **changes: Any) -> list[TaskPage]:
    """All pages, one after the other, each in a transaction of its own."""
    pages: list[TaskPage] = []
    cursor = None
    while True:
        with database.read() as session:
            pages.append(search(session, viewer, limit=limit, cursor=cursor, **changes))
        cursor = pages[-1].next_cursor
        if cursor is None:
            return pages
        changes.pop("sort", None)  # the cursor carries it


@cache
def filled_with() -> list[Task]:
    """What stands in it; nobody changes these."""
    return random_tasks(300, seed=7)


def create_filled_inbox(database: Database) -> None:
    """A template: filled once for each kind of database, and copied for each test."""
    create_data_schema(database)
    add_tenants(database, TENANT, "other")
    add_tasks(database, random_tasks(300, seed=7))


@pytest.fixture
def sqlite_filled(sqlite_files: SqliteFiles, tmp_path: Path) -> Iterator[Database]:
    with sqlite_files.fresh(create_filled_inbox, into=tmp_path) as fresh:
        yield fresh


@pytest.fixture
def postgres_filled(postgres: PostgresDatabases) -> Iterator[Database]:
    with postgres.fresh(create_filled_inbox) as fresh:
        yield fresh


@pytest.fixture(params=["sqlite", "postgres"])
def filled(request: pytest.FixtureRequest) -> tuple[Database, list[Task]]:
    return request.getfixturevalue(f"{request.param}_filled"), filled_with()


def test_items_order_and_counts_are_those_of_a_plain_filter(filled: tuple[Database, list[Task]]) -> None:
    database, tasks = filled
    by_id = {task.id: task for task in tasks}

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(VIEWERS, FILTERS, st.sampled_from(list(TaskSort)), st.sampled_from([3, 17, MAX_PAGE]))
    def check(viewer: Viewer, raw: dict[str, Any], sort: TaskSort, limit: int) -> None:
        wanted = parse_filter(raw)
        expected = expected_tasks(tasks, viewer, wanted, sort)
        pages = walk(database, viewer, limit=limit, filter=wanted, sort=sort)
        assert [task.id for page in pages for task in page.items] == expected
        assert {page.total for page in pages} == {len(expected)}
        assert told_facets(pages[0]) == expected_facets([by_id[each] for each in expected])

    check()


def test_closed_tasks_are_found_without_a_state_too(filled: tuple[Database, list[Task]]) -> None:
    database, tasks = filled
    viewer = make_viewer(Role.AUDITOR, branch="*")
    pages = walk(database, viewer, limit=50, filter=TaskFilter())
    found = [task.id for page in pages for task in page.items]
    assert found == expected_tasks(tasks, viewer, TaskFilter(), TaskSort.PRIORITY)
    assert len(found) == sum(task.tenant == TENANT for task in tasks)


@pytest.mark.parametrize("sort", list(TaskSort))
def test_pages_can_be_turned_back(filled: tuple[Database, list[Task]], sort: TaskSort) -> None:
    database, _ = filled
    viewer = make_viewer(Role.AUDITOR, branch="*")
    forward = walk(database, viewer, limit=20, sort=sort)
    assert len(forward) > 3
    assert forward[0].previous_cursor is None
    cursor, back = forward[-1].previous_cursor, [forward[-1]]
    while cursor is not None:
        with database.read() as session:
            back.append(search(session, viewer, limit=20, cursor=cursor))
        assert back[-1].next_cursor is not None
        cursor = back[-1].previous_cursor
    told = [[task.id for task in page.items] for page in reversed(back)]
    assert list(chain.from_iterable(told)) == [task.id for page in forward for task in page.items]


@pytest.mark.parametrize("sort", list(TaskSort))
def test_no_task_is_lost_or_told_twice_while_others_come_in(
    filled: tuple[Database, list[Task]], sort: TaskSort
) -> None:
    database, tasks = filled
    viewer = make_viewer(Role.AUDITOR, branch="*")
    before = expected_tasks(tasks, viewer, parse_filter(None), sort)
    told: list[str] = []
    cursor, new = None, 0
    while True:
        with database.read() as session:
            page = search(session, viewer, limit=15, sort=sort if cursor is None else None, cursor=cursor)
        told += [task.id for task in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
        arrivals = random_tasks(4, seed=1_000 + new)
        for arrival in arrivals:
            arrival.workflow_id += f"/{new}"
        add_tasks(database, arrivals)
        new += 1
    assert new > 3
    assert len(told) == len(set(told))
    known = set(before)
    assert [each for each in told if each in known] == before


def test_a_cursor_keeps_its_order_and_another_order_is_refused(filled: tuple[Database, list[Task]]) -> None:
    database, _ = filled
    viewer = make_viewer(Role.AUDITOR, branch="*")
    with database.read() as session:
        first = search(session, viewer, limit=5, sort=TaskSort.AMOUNT_DESC)
        with pytest.raises(BadRequest) as refused:
            search(session, viewer, limit=5, cursor=first.next_cursor, sort=TaskSort.DUE)
    assert refused.value.faults[0].pointer == "/sort"


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "not base64!",
        "W10",
        "bnVsbA",
        write_cursor(TaskSort.DUE, (NOW, "a\nb")),
        write_cursor(TaskSort.PRIORITY, (2**40, NOW, "a")),
        write_cursor(TaskSort.AMOUNT, (2**70, "a")),
        write_cursor(TaskSort.DUE, ("tomorrow", "a")),
        write_cursor(TaskSort.DUE, (NOW,)),
        "A" * 500,
        "é",
    ],
)
def test_a_cursor_that_nobody_gave_is_a_bad_request(cursor: str, sqlite_database: Database) -> None:
    with sqlite_database.read() as session, pytest.raises(BadRequest) as refused:
        search(session, make_viewer(), cursor=cursor)
    assert refused.value.faults[0].pointer == "/cursor"


def test_one_task_is_told_only_to_whom_the_search_would_tell_it(filled: tuple[Database, list[Task]]) -> None:
    database, tasks = filled
    viewers = [
        make_viewer(Role.CASE_OFFICER),
        make_viewer(Role.APPROVER, branch="*"),
        make_viewer(Role.AUDITOR, branch="bj-01"),
        make_viewer(Role.STAFF_ADMIN, branch="*"),
    ]
    with database.read() as session:
        for viewer in viewers:
            for task in tasks:
                found = get_task(session, task.id, tenant=TENANT, viewer=viewer)
                assert (found is not None) == sees(viewer, task)


def test_counts_can_be_left_out(filled: tuple[Database, list[Task]]) -> None:
    database, _ = filled
    with database.read() as session:
        page = search(session, make_viewer(), with_facets=False)
    assert page.items
    assert page.facets is None
    assert page.total is None


def test_page_and_counts_come_from_one_moment(filled: tuple[Database, list[Task]]) -> None:
    """A task that comes in between the two statements is in neither."""
    database, _ = filled
    viewer = make_viewer(Role.AUDITOR, branch="*")
    with database.read() as session:
        before = search(session, viewer, limit=1)
        add_tasks(database, [make_task()])
        after = search(session, viewer, limit=1)
    assert (after.total, told_facets(after)) == (before.total, told_facets(before))
    with database.read() as session:
        assert search(session, viewer, limit=1).total == (before.total or 0) + 1


def test_sqlite_answers_open_searches_from_the_indexes_made_for_them(sqlite_database: Database) -> None:
    """Without statistics too: plans that depend on luck would be slow on the day they are needed."""
    add_tenants(sqlite_database)
    add_tasks(sqlite_database, [make_task()])
    statements: list[tuple[str, Any]] = []
    event.listen(sqlite_database.engine, "before_cursor_execute", lambda *args: statements.append((args[2], args[3])))
    with sqlite_database.read() as session:
        for sort in TaskSort:
            search(session, make_viewer(branch="*"), sort=sort)
        asked = [each for each in statements if "FROM tasks" in each[0]]
        assert len(asked) == 2 * len(TaskSort)
        for statement, parameters in asked:
            plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            told = " ".join(row[-1] for row in plan)
            assert "ix_tasks_open_" in told, told
            assert "TEMP B-TREE" not in told, told
