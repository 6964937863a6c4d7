"""What an application needs before anything is done with it: the notice, its ground, and a holder who is known."""

from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import Session, col, select

from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from models.domain.application import ConsentPurpose
from models.domain.privacy_notice import DEFAULT_NOTICE, PrivacyNotice
from models.domain.product import DEFAULT_PRODUCT, InstallmentProduct
from models.domain.rule_words import DueDiligence, LegalBasis
from models.domain.states import Outcome, TaskType
from models.domain.tokens import new_token
from models.operations.products import set_terms
from models.tables.core import CardBalance
from models.tables.installments import CaseDocument
from models.tables.parties import Consent
from models.tables.tasks import Task
from tests.support.casework import TENANT, CaseWorld
from tests.support.clock import FakeClock
from tests.workflows.installments import lives


def set_by_bank(world: CaseWorld, terms: PrivacyNotice | InstallmentProduct) -> None:
    """The bank sets a new version of its notice or its product."""
    now = world.clock()
    deed = Deed(tenant=TENANT, action="terms.set", target=TENANT, actor="test", at=now)
    with unit_of_work(world.database, deed) as unit:
        set_terms(unit.session, terms, tenant=TENANT, by="test", now=now)


def consent_to(world: CaseWorld, token: str, purpose: ConsentPurpose, version: str) -> None:
    world.add(
        Consent(
            id=new_token("cns"),
            tenant=TENANT,
            subject_id=world.case(token).subject_id,
            purpose=purpose,
            form="WRITTEN",
            text_version=version,
            given_at=world.clock(),
        )
    )


async def came_back(world: CaseWorld, token: str, *, number: int) -> Task:
    """The documents task, asked for the so-manieth time."""

    def find(session: Session) -> Task | None:
        return session.exec(select(Task).where(col(Task.case_token) == token, col(Task.task_no) == number)).first()

    task: Task = await world.until(find)
    assert (task.type, task.return_reason) == (TaskType.DOCUMENTS, "blocked-by-rule")
    return task


def against(task: Task) -> dict[str, str]:
    """The rules that do not hold, as the task shows them."""
    return {each["rule"]: each["result"] for each in task.shown["verdicts"] if each["result"] in ("FAIL", "UNKNOWN")}


async def test_without_the_notice_nothing_is_read_anywhere_and_the_task_says_which_rules(world: CaseWorld) -> None:
    team = lives.hire_team(world)
    token = world.apply(by=team.officer, notice=None, consent="ELECTRONIC")
    await world.start(token)
    await lives.to_assessment(world, team, token)
    task = await came_back(world, token, number=2)
    # All that lacks at once: the notice, and consent in writing.
    unknown = dict.fromkeys(("PIPL-13", "PIPL-17", "PIPL-28", "PIPL-30"), "UNKNOWN")
    assert against(task) == unknown | {"CRED-18": "FAIL"}
    assert (world.bureau.keys, world.rows(CardBalance, token)) == ([], [])
    world.add_notice(token)
    world.add_consent(token)
    await lives.to_assessment(world, team, token)
    assert against(await world.task(token, TaskType.ASSESSMENT)) == {}


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"items": DEFAULT_NOTICE.items | {"retention": " "}}, "PIPL-17"),
        ({"items": DEFAULT_NOTICE.items | {"effect": ""}}, "PIPL-30"),
        ({"sensitive_data": ("financial-account",)}, "PIPL-28"),
        ({"basis": "public-interest"}, "PIPL-13"),
    ],
)
async def test_what_counts_is_what_the_version_says_that_was_given(
    world: CaseWorld, changes: dict[str, Any], rule: str
) -> None:
    set_by_bank(world, replace(DEFAULT_NOTICE, version="notice/short", **changes))
    team = lives.hire_team(world)
    token = world.apply(by=team.officer, notice="notice/short", hardship_code="illness")
    await world.start(token)
    await lives.to_assessment(world, team, token)
    assert against(await came_back(world, token, number=2)) == {rule: "FAIL"}
    world.add_notice(token)
    await lives.to_assessment(world, team, token)
    await world.task(token, TaskType.ASSESSMENT)


async def test_a_version_that_nobody_knows_says_nothing(world: CaseWorld) -> None:
    team = lives.hire_team(world)
    token = world.apply(by=team.officer, notice="notice/of-another-bank")
    await world.start(token)
    await lives.to_assessment(world, team, token)
    assert against(await came_back(world, token, number=2)) == dict.fromkeys(
        ("PIPL-13", "PIPL-17", "PIPL-28", "PIPL-30"), "FAIL"
    )


async def test_where_the_ground_is_consent_it_and_the_separate_one_are_to_the_version_given(world: CaseWorld) -> None:
    set_by_bank(world, replace(DEFAULT_NOTICE, version="notice/by-consent", basis=LegalBasis.CONSENT.value))
    team = lives.hire_team(world)
    token = world.apply(by=team.officer, notice="notice/by-consent")
    consent_to(world, token, ConsentPurpose.PERSONAL_DATA, "notice/by-consent")
    consent_to(world, token, ConsentPurpose.SENSITIVE_DATA, "notice/an-older-one")
    await world.start(token)
    await lives.to_assessment(world, team, token)
    assert against(await came_back(world, token, number=2)) == {"PIPL-30": "FAIL"}
    consent_to(world, token, ConsentPurpose.SENSITIVE_DATA, "notice/by-consent")
    await lives.to_assessment(world, team, token)
    assert against(await world.task(token, TaskType.ASSESSMENT)) == {}


@pytest.mark.parametrize(
    ("said", "rules"),
    [
        (DueDiligence.OVERDUE, {"AML-29": "FAIL"}),
        (DueDiligence.DOUBTED, {"AML-29": "FAIL"}),
        (DueDiligence.UNIDENTIFIED, {"AML-28": "FAIL", "AML-29": "FAIL"}),
    ],
)
async def test_a_holder_whose_due_diligence_is_not_current_waits_until_the_core_says_so(
    world: CaseWorld, said: DueDiligence, rules: dict[str, str]
) -> None:
    world.core.failures.due_diligence.append(said)
    team = lives.hire_team(world)
    token = world.apply(by=team.officer)
    await world.start(token)
    await lives.to_assessment(world, team, token)
    task = await came_back(world, token, number=2)
    assert (against(task), task.shown["balances"]["dueDiligence"]) == (rules, said.value)
    assert world.bureau.keys == []
    await lives.to_assessment(world, team, token)  # the core says `current` again
    assert against(await world.task(token, TaskType.ASSESSMENT)) == {}


async def test_more_than_is_needed_is_shown_and_bars_nothing(world: CaseWorld) -> None:
    team = lives.hire_team(world)
    token = world.apply(by=team.officer)
    consent_to(world, token, ConsentPurpose.CONTACT_HOURS, "hours-1")
    world.add(
        CaseDocument(
            id=new_token("doc"),
            tenant=TENANT,
            case_token=token,
            subject_id=world.case(token).subject_id,
            kind="other",
            media_type="application/pdf",
            size_bytes=1,
            digest="0" * 64,
            added_by="test",
            created_at=world.clock(),
        )
    )
    await world.start(token)
    await lives.to_assessment(world, team, token)
    task = await world.task(token, TaskType.ASSESSMENT)
    assert against(task) == {"PIPL-6": "FAIL", "NFRA-CP-1": "FAIL"}
    assert task.blocked == []


async def test_the_bureau_is_asked_once_while_its_report_is_young(world: CaseWorld, clock: FakeClock) -> None:
    set_by_bank(world, replace(DEFAULT_PRODUCT, version="product/ten-days", report_days=10))
    team = lives.hire_team(world)
    token = world.apply(by=team.officer)
    await world.start(token)
    for asked, days in ((1, 9), (1, 1), (2, 0)):
        await lives.to_assessment(world, team, token)
        await world.task(token, TaskType.ASSESSMENT)
        assert len(world.bureau.keys) == asked
        clock.advance(days=days)
        await world.decide(token, TaskType.ASSESSMENT, team.officer, Outcome.RETURN, reason_code="documents-unclear")
