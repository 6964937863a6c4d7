"""Open cases are asked again: exactly what the rules now say otherwise is found, once, whatever happens on the way."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from activities.duties import reevaluator as duty_module
from activities.duties.reevaluator import Reevaluator
from activities.tasks.platform import SqlPlatform
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.policy import policy_on, rules_version
from compliance.rules import registry
from compliance.rules.rule import failed
from models.contracts.platform import EvaluateGateInput
from models.domain.plans.negotiation import Family
from models.domain.rule_desk import DraftKind
from models.domain.states import Gate, TaskType
from models.domain.tokens import new_token
from models.operations.rule_desk import NewDraft, add_draft, decide_draft
from models.operations.rule_passes import Found
from models.queries.rule_passes import count_open_cases
from models.tables.assessments import ImpactAssessment
from models.tables.audit import AuditEvent
from models.tables.rule_desk import RuleFlip, RuleReevaluation
from models.tables.tasks import Task
from tests.support.signing import TENANT, SigningBench

OWED = {"purchases": 3_000_000}
TOMORROW = date(2026, 11, 24)
LONG, SHORT = Family.FIXED_TERM, Family.AFFORDABLE  # 36 rows, and as few as the customer can pay


@pytest.fixture(autouse=True)
def rested(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duty_module, "_REST_S", 0)


@pytest.fixture
def planted() -> Iterator[Any]:
    """Lets a test put a version of a rule into the registry, in the place of the one before it."""
    before = registry.REGISTRY

    def plant(version: Any) -> None:
        last = version.effective_from - timedelta(days=1)
        ended = (
            replace(rule, effective_to=last) if rule.id == version.id and rule.effective_to is None else rule
            for rule in registry.REGISTRY
        )
        registry.REGISTRY = (*ended, version)
        registry.versions_of.cache_clear()

    yield plant
    registry.REGISTRY = before
    registry.versions_of.cache_clear()


def case(bench: SigningBench, family: Family = LONG) -> str:
    """A case that came to its plan, and was asked about it."""
    token = bench.case(owed=OWED, family=family)
    platform = SqlPlatform(bench.database, bench.clock)
    for gate in (Gate.NEEDS, Gate.NEGOTIATION):
        platform.evaluate_gate(EvaluateGateInput(case_token=token, gate=gate, round=1))
    return token


def settle(bench: SigningBench, version: str, since: date = TOMORROW, *, approve: bool = True, **figures: int) -> str:
    draft_id = new_token("rdr")
    definition = {"parameters": figures, "switches": {}, "groups": {}}
    new = NewDraft(
        id=draft_id, tenant=TENANT, kind=DraftKind.POLICY, version=version, valid_from=since, definition=definition
    )
    with unit_of_work(bench.database, deed(bench)) as unit:
        add_draft(unit.session, new, shown_hash=draft_id, by_staff="s1", by_person="p1", now=bench.clock())
        if approve:
            decide_draft(
                unit.session, tenant=TENANT, draft_id=draft_id, shown_hash=draft_id, approve=True,
                by_staff="s2", by_person="p2", earliest=since, now=bench.clock(),
            )  # fmt: skip
    return draft_id


def deed(bench: SigningBench) -> Deed:
    return Deed(tenant=TENANT, action="test", target="test", actor="test", at=bench.clock())


def begin(bench: SigningBench, as_of: date = TOMORROW, *, with_tasks: bool = True, policy: str | None = None) -> str:
    with bench.database.read() as session:
        version = rules_version(policy_on(session, TENANT, on=as_of))
        total = count_open_cases(session, TENANT)
    row = RuleReevaluation(
        id=new_token("rrv"), tenant=TENANT, state="RUNNING", rules_version=version, as_of=as_of, with_tasks=with_tasks,
        policy_draft_id=policy, total=total, started_by="s1", created_at=bench.clock(),
    )  # fmt: skip
    pass_id = row.id
    bench.write(row)
    return pass_id


def duty(bench: SigningBench) -> Reevaluator:
    return Reevaluator(bench.database, bench.clock)


def done(bench: SigningBench, **how: Any) -> tuple[RuleReevaluation, list[RuleFlip]]:
    pass_id = begin(bench, **how)
    while duty(bench).chunk(pass_id):
        pass
    return outcome(bench, pass_id)


def outcome(bench: SigningBench, pass_id: str) -> tuple[RuleReevaluation, list[RuleFlip]]:
    with bench.database.read() as session:
        flips = session.exec(
            select(RuleFlip).where(col(RuleFlip.reevaluation_id) == pass_id).order_by(col(RuleFlip.case_token))
        ).all()
        return session.get_one(RuleReevaluation, pass_id), list(flips)


def reviews(bench: SigningBench) -> list[Task]:
    with bench.database.read() as session:
        return list(session.exec(select(Task).where(col(Task.type) == TaskType.RULE_REVIEW.value)).all())


def test_without_a_change_nothing_flips(bench: SigningBench) -> None:
    case(bench)
    about, flips = done(bench)
    assert (about.state, about.cases, about.flips, about.facts_changed) == ("DONE", 1, 0, 0)
    assert about.verdicts > 10
    assert (flips, reviews(bench)) == ([], [])


def test_a_stricter_figure_flips_exactly_the_cases_it_concerns_and_asks_their_officers_once(
    bench: SigningBench,
) -> None:
    long = {case(bench) for _ in range(3)}
    short = case(bench, SHORT)
    settle(bench, "policy/1", max_term_months=24)
    about, flips = done(bench)
    assert {(flip.case_token, flip.rule_id) for flip in flips} == {
        (token, rule) for token in long for rule in ("CCM-70b", "CCN22-TERM")
    }
    assert short not in {flip.case_token for flip in flips}
    assert {(flip.before, flip.after, flip.reason) for flip in flips} == {("PASS", "FAIL", "stricter-policy")}
    assert (about.cases, about.now_failing, about.tasks_made, about.total) == (4, 3, 6, 4)
    tasks = reviews(bench)
    assert {(task.case_token, task.shown["rule"]) for task in tasks} == {
        (flip.case_token, flip.rule_id) for flip in flips
    }
    assert {(task.candidate_role, task.branch, task.state) for task in tasks} == {("case-officer", "sh-01", "READY")}
    assert {flip.task_id for flip in flips} == {task.id for task in tasks}
    again, same = done(bench)
    assert (again.flips, again.tasks_made) == (6, 0)
    assert {flip.task_id for flip in same} == {task.id for task in tasks}
    assert len(reviews(bench)) == 6
    settle(bench, "policy/2", date(2026, 11, 25), max_term_months=20)
    third, _ = done(bench, as_of=date(2026, 11, 25))
    assert third.tasks_made == 6  # another version of the rules is another question


def test_a_planted_version_of_a_rule_flips_what_it_forbids(bench: SigningBench, planted: Any) -> None:
    token = case(bench)
    old = registry.versions_of("CCM-57b")[-1]
    planted(
        replace(
            old,
            effective_from=TOMORROW,
            facts={**old.facts, "term_months": registry.versions_of("CCM-70b")[0].facts["term_months"]},
            check=lambda facts: failed(old.reasons[0]),
            only_if=None,
        )
    )
    about, flips = done(bench)
    assert [(flip.case_token, flip.rule_id, flip.after) for flip in flips] == [(token, "CCM-57b", "FAIL")]
    assert about.facts_changed == 0
    earlier, none = done(bench, as_of=date(2026, 11, 23))
    assert (earlier.flips, none) == (0, [])  # the law of that date was another


def test_facts_that_have_moved_on_are_counted_and_are_no_flip(bench: SigningBench) -> None:
    case(bench)
    with unit_of_work(bench.database, deed(bench)) as unit:
        for assessment in unit.session.exec(select(ImpactAssessment)).all():
            unit.session.delete(assessment)
    about, flips = done(bench)
    assert (about.flips, about.facts_changed, flips) == (0, 1, [])


def test_a_draft_can_be_tried_without_anybody_being_asked(bench: SigningBench) -> None:
    token = case(bench)
    draft = settle(bench, "policy/1", approve=False, max_term_months=24)
    about, flips = done(bench, policy=draft, with_tasks=False)
    assert {flip.case_token for flip in flips} == {token}
    assert (about.now_failing, about.tasks_made, reviews(bench)) == (1, 0, [])


def test_a_pass_that_is_killed_goes_on_where_it_stood(bench: SigningBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duty_module, "_CHUNK", 2)
    tokens = sorted(case(bench) for _ in range(5))
    settle(bench, "policy/1", max_term_months=24)
    pass_id = begin(bench)
    assert duty(bench).chunk(pass_id)
    # Another process takes over while the first still holds what it has read: the chunk counts once.
    with bench.database.read() as session:
        stale = session.get_one(RuleReevaluation, pass_id)
    assert stale.cases == 2
    assert duty(bench).chunk(pass_id)
    duty(bench)._keep(stale, Found(cases=2), cursor=tokens[3])
    while duty(bench).chunk(pass_id):
        pass
    about, flips = outcome(bench, pass_id)
    assert (about.state, about.cases, about.flips, about.now_failing) == ("DONE", 5, 10, 5)
    assert [flip.case_token for flip in flips][::2] == tokens
    assert not duty(bench).chunk(pass_id)
    with bench.database.read() as session:
        events = session.exec(select(AuditEvent.action).where(col(AuditEvent.target) == pass_id)).all()
    assert sorted(events) == ["rules.cases-reevaluated"] * 3 + ["rules.reevaluation-ended"]


def test_one_case_that_cannot_be_read_does_not_stop_the_others(
    bench: SigningBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = sorted(case(bench) for _ in range(2))
    settle(bench, "policy/1", max_term_months=24)
    look = duty_module.look_at_case

    def look_but(session: Any, token: str, *more: Any) -> None:
        if token == first:
            raise KeyError(token)
        look(session, token, *more)

    monkeypatch.setattr(duty_module, "look_at_case", look_but)
    about, flips = done(bench)
    assert (about.cases, about.failed_cases, about.now_failing) == (2, 1, 1)
    assert {flip.case_token for flip in flips} == {second}


async def test_the_duty_carries_every_open_pass_to_its_end(sqlite_bench: SigningBench) -> None:
    case(sqlite_bench)
    passes = [begin(sqlite_bench), begin(sqlite_bench)]
    sqlite_bench.clock.advance(timedelta(seconds=2))  # type: ignore[attr-defined]
    assert await duty(sqlite_bench).run_once(sqlite_bench.clock()) == 2
    assert {outcome(sqlite_bench, each)[0].state for each in passes} == {"DONE"}
