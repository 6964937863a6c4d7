"""S4: random sequences of proposing, changing, claiming, deciding and settling; what is taken is what may be taken.

The expectation is worked out here from what a bank would say, not from the product's own words: an approval counts only
by a person who holds the role and the authority, made nothing of what is shown, has the task, and was shown this.
"""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Final

import pytest
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from api.identity.authenticate import load_principal
from api.identity.principal import Principal
from api.tasks.controller import viewer_of
from api.tasks.intake import TaskDecision, take_decision
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.vault.keyring import Vault
from models.contracts.platform import Fence
from models.database.engine import Database
from models.domain.roles import Role
from models.domain.states import TaskType
from models.domain.tokens import uuid7
from models.errors import CaseworkError
from models.operations.decisions import refuse_decision, settle_applied
from models.operations.four_eyes import stand_as_makers
from models.operations.idempotency import KeySlot
from models.operations.projection import TaskContent, close_task, put_task
from models.operations.tasks import claim, unclaim
from models.tables.tasks import Decision, FourEyes, Task
from tests.support.api import Office
from tests.support.applications import FakeDispatcher, open_desk, taken_in
from tests.support.clock import FakeClock
from tests.support.desk import BRANCH, approver, officer

SEED: Final = 20_261_123
SEQUENCES, MANY_SEQUENCES = 120, 10_000
STEPS: Final = 9
BODIES: Final = (
    {"outcome": "approve"},
    {"outcome": "return", "reasonCode": "terms-unsuitable"},
    {"outcome": "counter", "amountMinor": 2_500_000, "termMonths": 24, "concessionBps": 100},
)
LIMIT: Final = 2_700_000  # of one approver: above what is countered, and above some of what is proposed


@dataclass
class Shown:
    """What stands on the task of one sequence, as the test itself keeps it."""

    number: int
    task_id: str = ""
    version: int = 0
    state: str = "READY"
    holder: str | None = None
    hashes: list[str] = field(default_factory=list)
    makers: set[str] = field(default_factory=set)
    amount_minor: int = 0
    pending: str | None = None


@dataclass
class Desk:
    """People and one case; each sequence has a task of its own on it."""

    office: Office
    case: str
    people: list[Principal]
    dice: Random = field(default_factory=lambda: Random(SEED))
    told: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    writes: int = 0

    def play(self, number: int) -> None:
        """One sequence."""
        shown = Shown(number)
        self.propose(shown)
        for _ in range(STEPS):
            if shown.state == "DONE":
                return
            step = self.dice.choice((self.propose, self.take, self.give_back, self.settle, *[self.decide] * 4))
            step(shown)

    def propose(self, shown: Shown) -> None:
        """Somebody makes something new, and the workflow shows it; the row of four-eyes or the task may say who."""
        if shown.state == "DECIDING":
            return
        self.writes += 1
        makers = {self.dice.choice(self.people).person_id for _ in range(self.dice.choice((1, 1, 2)))}
        digest = hashlib.sha256(f"{shown.number}/{len(shown.hashes)}".encode()).hexdigest()
        amount = self.dice.choice((2_600_000, 2_800_000))
        in_task, in_rows = self.dice.choice(((True, True), (True, True), (False, True), (True, False)))
        content = TaskContent(
            tenant="main", workflow_id=f"installments/{self.case}", case_token=self.case, task_no=shown.number + 100,
            task_type=TaskType.APPROVAL, candidate_role="approver", branch=BRANCH, priority=50,
            due_at=self.office.clock() + timedelta(hours=1), amount_minor=amount, currency="CNY", title_params={},
            shown={"proposal": {"id": "prp_1", "amountMinor": amount, "termMonths": 36, "concessionBps": 100}},
            shown_hash=digest, blocked=[], excluded_persons=sorted(makers) if in_task else [], return_reason=None,
        )  # fmt: skip
        with unit_of_work(self.office.deps.database, self.deed()) as unit:
            task = put_task(unit.session, content, fence=Fence(epoch=1, seq=self.writes), now=self.office.clock())
            if in_rows:
                stand_as_makers(
                    unit.session, tenant="main", subject=digest, persons=tuple(sorted(makers)), now=self.office.clock()
                )
            shown.task_id, shown.version = task.id, task.version
        shown.hashes.append(digest)
        shown.makers, shown.amount_minor = makers, amount

    def take(self, shown: Shown) -> None:
        """Somebody claims it."""
        if shown.state != "READY":
            return
        who = self.dice.choice(self.people)
        with unit_of_work(self.office.deps.database, self.deed()) as unit:
            claim(
                unit.session, shown.task_id, tenant="main", staff_id=who.staff_id, now=self.office.clock(),
                expected_version=shown.version,
            )  # fmt: skip
        shown.state, shown.holder, shown.version = "CLAIMED", who.staff_id, shown.version + 1

    def give_back(self, shown: Shown) -> None:
        """Whoever holds it lets go."""
        if shown.state != "CLAIMED":
            return
        with unit_of_work(self.office.deps.database, self.deed()) as unit:
            unclaim(
                unit.session, shown.task_id, tenant="main", staff_id=shown.holder or "", now=self.office.clock(),
                expected_version=shown.version,
            )  # fmt: skip
        shown.state, shown.holder, shown.version = "READY", None, shown.version + 1

    def decide(self, shown: Shown) -> None:
        """Somebody decides on something they saw, now or before."""
        who, body = self.dice.choice(self.people), dict(self.dice.choice(BODIES))
        seen = self.dice.choice((shown.hashes[-1],) * 4 + (self.dice.choice(shown.hashes), "0" * 64))
        read = shown.version - self.dice.choice((0, 0, 0, 0, 1))
        may = self.may(shown, who, body["outcome"], seen=seen, read=read)
        request = TaskDecision(
            decision_id=uuid7(self.office.clock()), task_id=shown.task_id, body=body | {"shownHash": seen},
            read_version=read, principal=who, viewer=viewer_of(who),
            slot=KeySlot(tenant="main", principal=who.staff_id, route="tasks.decide/x", key=uuid7(self.office.clock())),
            fingerprint="0" * 64,
        )  # fmt: skip
        try:
            take_decision(self.office.deps, request)
            told = "taken"
        except CaseworkError as refused:
            told = refused.code
        self.told[told] += 1
        if (told == "taken") != may:
            self.wrong.append(f"sequence {shown.number}: {told}, though it may{'' if may else ' not'}: {body} {shown}")
        if told == "taken":
            shown.pending, shown.state, shown.version = request.decision_id, "DECIDING", shown.version + 1

    def may(self, shown: Shown, who: Principal, outcome: object, *, seen: str, read: int) -> bool:
        """Whether a bank lets this person decide this now."""
        in_authority = {"approve": shown.amount_minor, "counter": 2_500_000}.get(str(outcome), 0)
        return (
            Role.APPROVER in who.roles
            and who.branch == BRANCH
            and who.person_id not in shown.makers
            and in_authority <= who.authority_amount_minor
            and shown.state in ("READY", "CLAIMED")
            and shown.holder in (None, who.staff_id)
            and read == shown.version
            and seen == shown.hashes[-1]
        )

    def settle(self, shown: Shown) -> None:
        """The workflow says yes or no."""
        if shown.pending is None:
            return
        self.writes += 1
        now, says_no = self.office.clock(), self.dice.random() < 0.6
        with unit_of_work(self.office.deps.database, self.deed()) as unit:
            if says_no:
                refuse_decision(unit.session, decision_id=shown.pending, reason="case-changed", now=now)
            else:
                settle_applied(unit.session, decision_id=shown.pending, now=now)
                close_task(
                    unit.session, workflow_id=f"installments/{self.case}", task_no=shown.number + 100,
                    fence=Fence(epoch=1, seq=self.writes), now=now,
                )  # fmt: skip
        shown.pending = None
        shown.state = "DONE" if not says_no else "CLAIMED" if shown.holder else "READY"
        shown.version += 1

    def deed(self) -> Deed:
        """An event for what is done here by hand."""
        return Deed(tenant="main", action="test", target=self.case, actor="test", at=self.office.clock())


@pytest.fixture
async def desk(sqlite_database: Database, vault: Vault, clock: FakeClock, tmp_path: Path) -> Desk:
    """Seven accounts of five persons: two have a second account, one is of another branch, one approves little."""
    office = open_desk(sqlite_database, vault, clock, tmp_path, FakeDispatcher())
    first = officer(office)
    accounts = [
        first,
        approver(office, "first-as-approver", person_id=first.person_id),
        second := approver(office, "second"),
        officer(office, "second-as-officer", person_id=second.person_id),
        approver(office, "small", authority_amount_minor=LIMIT),
        approver(office, "elsewhere", branch="hz-02"),
        office.staff("reader", Role.AUDITOR, branch=BRANCH),
    ]
    case = await taken_in(office, first)
    deps = office.deps
    people = [load_principal(deps, deps.verifier.verify(office.token(staff), now=clock()))[0] for staff in accounts]
    return Desk(office, case["token"], people)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("sequences", [SEQUENCES, pytest.param(MANY_SEQUENCES, marks=pytest.mark.long)])
async def test_in_any_order_an_approval_has_a_second_person_who_saw_it(desk: Desk, sequences: int) -> None:
    for number in range(sequences):
        desk.play(number)
    assert desk.wrong == []
    with desk.office.deps.database.read() as session:
        other = aliased(FourEyes)
        both = select(FourEyes.id).join(
            other, (col(FourEyes.subject) == col(other.subject)) & (col(FourEyes.person_id) == col(other.person_id))
        )
        assert session.exec(both.where(col(FourEyes.side) == "maker", col(other.side) == "checker")).all() == []
        # A task that is done was shown at its end what its decision says that its checker was shown.
        done = select(Task.shown_hash, Decision.shown_hash).join(Decision, col(Decision.task_id) == col(Task.id))
        rows = session.exec(done.where(col(Task.state) == "DONE", col(Decision.state) == "APPLIED")).all()
    assert len(rows) >= sequences // 20
    assert all(shown == seen for shown, seen in rows)
    # Teeth: every reason to say no was met, and enough was taken.
    assert desk.told["taken"] >= sequences // 4
    assert {
        "four-eyes-violation", "not-found", "permission-missing", "shown-changed", "stale-version", "already-claimed",
        "authority-exceeded", "decision-pending",
    } <= set(desk.told)  # fmt: skip
