"""Claims: one holder per task, whoever asks at the same moment; and only of what one may do."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from models.database.engine import Database
from models.domain.roles import Role
from models.domain.states import TaskState, TaskType
from models.errors import AlreadyClaimed, DecisionPending, NotClaimedByCaller, NotFound, StaleVersion, WrongState
from models.operations.tasks import claim, claim_next, comment, unclaim
from models.tables.tasks import Task, TaskComment
from tests.support.inbox import NOW, TENANT, add_tasks, add_tenants, make_task, make_viewer

LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def bank(database: Database) -> Database:
    add_tenants(database, TENANT, "other")
    return database


def put(database: Database, *tasks: Task) -> list[str]:
    add_tasks(database, tasks)
    return [task.id for task in tasks]


def read(database: Database, task_id: str) -> Task:
    with database.read() as session:
        return session.get_one(Task, task_id)


def take(
    database: Database, task_id: str, *, staff_id: str = "stf_me", tenant: str = TENANT, version: int | None = 1
) -> int:
    with database.write() as session:
        return claim(session, task_id, tenant=tenant, staff_id=staff_id, now=LATER, expected_version=version)


def give_back(database: Database, task_id: str, *, staff_id: str = "stf_me", version: int | None = 2) -> int:
    with database.write() as session:
        return unclaim(session, task_id, tenant=TENANT, staff_id=staff_id, now=LATER, expected_version=version)


def test_a_claim_names_the_holder_and_moves_nothing_but_the_version(bank: Database) -> None:
    (task_id,) = put(bank, make_task(epoch=3, seq=8))
    assert take(bank, task_id) == 2
    task = read(bank, task_id)
    assert (task.state, task.assignee, task.version, task.updated_at) == (TaskState.CLAIMED, "stf_me", 2, LATER)
    assert (task.epoch, task.seq) == (3, 8)


def test_a_second_claim_is_told_who_was_first(bank: Database) -> None:
    (task_id,) = put(bank, make_task())
    take(bank, task_id)
    with pytest.raises(AlreadyClaimed) as refused:
        take(bank, task_id, staff_id="stf_other")
    assert refused.value.params == {"holder": "stf_me"}
    assert read(bank, task_id).assignee == "stf_me"


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"state": "DECIDING"}, DecisionPending),
        ({"state": "DONE"}, WrongState),
        ({"state": "CANCELLED"}, WrongState),
        ({"tenant": "other"}, NotFound),
        ({"version": 4}, StaleVersion),
        ({"state": "CLAIMED", "assignee": "stf_me"}, WrongState),
    ],
)
def test_what_is_not_free_is_not_claimed(bank: Database, changes: dict[str, Any], refusal: type[Exception]) -> None:
    (task_id,) = put(bank, make_task(**changes))
    before = read(bank, task_id).model_dump()
    with pytest.raises(refusal):
        take(bank, task_id)
    assert read(bank, task_id).model_dump() == before


def test_without_a_version_whichever_is_there_is_claimed(bank: Database) -> None:
    (task_id,) = put(bank, make_task(version=17))
    assert take(bank, task_id, version=None) == 18


def test_an_unknown_task_is_not_found(bank: Database) -> None:
    with pytest.raises(NotFound):
        take(bank, "tsk_unknown")


def test_only_the_holder_gives_a_task_back(bank: Database) -> None:
    (task_id,) = put(bank, make_task())
    take(bank, task_id)
    with pytest.raises(NotClaimedByCaller):
        give_back(bank, task_id, staff_id="stf_other")
    with pytest.raises(StaleVersion):
        give_back(bank, task_id, version=1)
    assert give_back(bank, task_id) == 3
    task = read(bank, task_id)
    assert (task.state, task.assignee) == (TaskState.READY, None)
    with pytest.raises(WrongState):
        give_back(bank, task_id, version=3)


def test_a_task_under_decision_stays_with_its_decision(bank: Database) -> None:
    (task_id,) = put(bank, make_task(state="DECIDING", assignee="stf_me", version=2))
    with pytest.raises(DecisionPending):
        give_back(bank, task_id)


def test_one_of_many_who_claim_the_same_task_at_once_gets_it(bank: Database) -> None:
    (task_id,) = put(bank, make_task())
    barrier = threading.Barrier(16)
    won: list[str] = []
    lost: list[str] = []

    def run(name: str) -> None:
        barrier.wait()
        try:
            take(bank, task_id, staff_id=name)
        except AlreadyClaimed as refused:
            lost.append(str(refused.params["holder"]))
        else:
            won.append(name)

    _at_once([threading.Thread(target=run, args=(f"stf_{index}",)) for index in range(16)])
    assert len(won) == 1
    assert lost == won * 15
    assert read(bank, task_id).assignee == won[0]


def _at_once(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)


# The next one ---------------------------------------------------------------------------------------------------------


def next_for(database: Database, *roles: Role, **viewer: Any) -> str | None:
    with database.write() as session:
        taken = claim_next(session, tenant=TENANT, viewer=make_viewer(*roles, **viewer), now=LATER)
        return None if taken is None else taken.id


def test_the_most_urgent_free_task_comes_first(bank: Database) -> None:
    soon, late = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
    put(
        bank,
        make_task(id="tsk_d", priority=50, due_at=late),
        make_task(id="tsk_c", priority=50, due_at=soon),
        make_task(id="tsk_b", priority=50, due_at=soon),
        make_task(id="tsk_a", priority=90, due_at=late),
        make_task(id="tsk_0", priority=95, due_at=soon, state="CLAIMED", assignee="stf_other"),
        make_task(id="tsk_1", priority=95, due_at=soon, state="DECIDING"),
        make_task(id="tsk_2", priority=95, due_at=soon, state="DONE"),
    )
    assert [next_for(bank) for _ in range(5)] == ["tsk_a", "tsk_b", "tsk_c", "tsk_d", None]
    task = read(bank, "tsk_a")
    assert (task.state, task.assignee, task.version, task.updated_at) == (TaskState.CLAIMED, "stf_me", 2, LATER)


def test_what_the_viewer_may_not_do_is_passed_over(bank: Database) -> None:
    put(
        bank,
        make_task(TaskType.APPROVAL, priority=99, tenant="other"),
        make_task(TaskType.APPROVAL, priority=98, branch="sh-02"),
        make_task(TaskType.DOCUMENTS, priority=97),
        make_task(TaskType.APPROVAL, priority=96, excluded_persons=["prs_x", "prs_me"]),
        make_task(TaskType.APPROVAL, priority=95, amount_minor=3_000_001),
        make_task(TaskType.APPROVAL, id="tsk_mine", priority=10, excluded_persons=["prs_m", "prs_mee", "prs%"]),
        make_task(TaskType.APPROVAL, id="tsk_all", priority=5, branch="*"),
    )
    viewer = {"authority_amount_minor": 3_000_000}
    assert next_for(bank, Role.APPROVER, **viewer) == "tsk_mine"
    assert next_for(bank, Role.APPROVER, **viewer) == "tsk_all"
    assert next_for(bank, Role.APPROVER, **viewer) is None


def test_a_maker_is_known_by_the_person_not_by_the_account(bank: Database) -> None:
    put(bank, make_task(TaskType.APPROVAL, excluded_persons=["prs_me"]))
    assert next_for(bank, Role.APPROVER, staff_id="stf_second_account") is None
    assert next_for(bank, Role.APPROVER, staff_id="stf_b", person_id="prs_%") is not None


def test_who_only_reads_gets_nothing(bank: Database) -> None:
    put(bank, *[make_task(kind) for kind in TaskType])
    assert next_for(bank, Role.AUDITOR, branch="*") is None


def test_sixty_four_at_once_share_thirty_tasks_without_a_duplicate(bank: Database) -> None:
    put(bank, *[make_task() for _ in range(30)])
    barrier = threading.Barrier(64)
    got: list[tuple[str, str]] = []
    failed: list[BaseException] = []

    def run(name: str) -> None:
        barrier.wait()
        try:
            task_id = next_for(bank, staff_id=name)
        except BaseException as error:
            failed.append(error)
            raise
        if task_id is not None:
            got.append((task_id, name))

    _at_once([threading.Thread(target=run, args=(f"stf_{index:02d}",)) for index in range(64)])
    assert failed == []
    assert len(got) == len({task_id for task_id, _ in got}) == 30
    with bank.read() as session:
        holders = dict(session.exec(select(Task.id, Task.assignee).where(col(Task.state) == TaskState.CLAIMED)).all())
    assert holders == dict(got)


def test_a_remark_stands_as_it_was_sealed_and_leaves_the_task_alone(bank: Database) -> None:
    (task_id,) = put(bank, make_task())
    before = read(bank, task_id).model_dump()
    with bank.write() as session:
        comment(
            session, comment_id="cmt_1", tenant=TENANT, task_id=task_id, author="stf_me", text_cell=b"\x01", now=LATER
        )
    with bank.read() as session:
        row = session.get_one(TaskComment, "cmt_1")
    assert (row.task_id, row.author, row.text_cell, row.created_at) == (task_id, "stf_me", b"\x01", LATER)
    assert read(bank, task_id).model_dump() == before
