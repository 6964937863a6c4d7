"""Two persons behind each record of a register: asked of the operation and of the database itself, without the API."""

from datetime import date, timedelta

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from models.database.engine import Database
from models.domain.assessments import AssessmentTrigger, Conclusion
from models.domain.consent_texts import TextContent
from models.domain.incident_clocks import Grade, IncidentFacts, IncidentKind
from models.domain.tokens import new_token
from models.errors import FourEyesViolation, ShownChanged
from models.operations.assessments import (
    AssessmentContent,
    approve_assessment,
    draft_assessment,
    submit_assessment,
)
from models.operations.consent_texts import Validity, change_draft, draft_text, publish_draft, submit_draft
from models.operations.four_eyes import By
from models.operations.incidents import decide_not_needed, open_incident, propose_not_needed, report_of
from models.tables.assessments import ImpactAssessment
from models.tables.consent_register import TextVersion
from models.tables.incidents import IncidentReport, SecurityIncident
from models.tables.tasks import FourEyes
from models.tables.tenants import Tenant
from tests.support.clock import FakeClock

SHOWN = "ab" * 32
ALWAYS = Validity(valid_from=None, valid_until=None)
TEXT = TextContent(
    kind="credit-report-query", version="1", zh="本人同意", en="I consent", definition=None, material=True
)
MAKER = By(tenant="main", staff_id="stf_maker", person_id="prs_maker")
MENDER = By(tenant="main", staff_id="stf_mender", person_id="prs_mender")
SAME_PERSON = By(tenant="main", staff_id="stf_other_account", person_id="prs_maker")
SECOND = By(tenant="main", staff_id="stf_second", person_id="prs_second")


@pytest.fixture
def bank(database: Database, clock: FakeClock) -> Database:
    with unit_of_work(database, _deed(clock)) as unit:
        unit.session.add(Tenant(code="main", name="-", created_at=clock()))
    return database


def _deed(clock: FakeClock) -> Deed:
    return Deed(tenant="main", action="test", target="test", actor="test", at=clock())


def test_the_compare_and_set_of_a_text_refuses_every_maker(bank: Database, clock: FakeClock) -> None:
    draft_id = new_token("txd")
    with unit_of_work(bank, _deed(clock)) as unit:
        draft_text(unit.session, TEXT, ALWAYS, draft_id=draft_id, by=MAKER, now=clock())
        change_draft(unit.session, TEXT, ALWAYS, draft_id=draft_id, read_revision=1, by=MENDER, now=clock())
        submit_draft(unit.session, draft_id=draft_id, read_revision=2, shown_hash=SHOWN, by=SAME_PERSON, now=clock())
    for person in (MAKER, MENDER, SAME_PERSON):
        with pytest.raises(FourEyesViolation), unit_of_work(bank, _deed(clock)) as unit:
            publish_draft(unit.session, draft_id=draft_id, shown_hash=SHOWN, by=person, now=clock())
    with pytest.raises(ShownChanged), unit_of_work(bank, _deed(clock)) as unit:
        publish_draft(unit.session, draft_id=draft_id, shown_hash="cd" * 32, by=SECOND, now=clock())
    with bank.read() as session:
        assert session.exec(select(TextVersion)).all() == []
    with unit_of_work(bank, _deed(clock)) as unit:
        publish_draft(unit.session, draft_id=draft_id, shown_hash=SHOWN, by=SECOND, now=clock())
    with bank.read() as session:
        eyes = {(row.person_id, row.side) for row in session.exec(select(FourEyes)).all()}
    assert eyes == {("prs_maker", "maker"), ("prs_mender", "maker"), ("prs_second", "checker")}


def test_the_compare_and_set_of_an_assessment_refuses_its_maker(bank: Database, clock: FakeClock) -> None:
    content = AssessmentContent(
        activity="batch-debit",
        triggers=(AssessmentTrigger.SENSITIVE_DATA,),
        necessity_cell=b"x",
        risk_cell=b"x",
        measures_cell=b"x",
        conclusion=Conclusion.PROCEED,
        content_hash=SHOWN,
        valid_until=date(2027, 11, 22),
    )
    row = new_token("pia")
    with unit_of_work(bank, _deed(clock)) as unit:
        draft_assessment(unit.session, content, assessment_id=row, by=MAKER, now=clock())
        submit_assessment(unit.session, assessment_id=row, read_revision=1, shown_hash=SHOWN, by=MAKER, now=clock())
    with pytest.raises(FourEyesViolation), unit_of_work(bank, _deed(clock)) as unit:
        approve_assessment(unit.session, assessment_id=row, shown_hash=SHOWN, by=SAME_PERSON, now=clock())
    with unit_of_work(bank, _deed(clock)) as unit:
        approve_assessment(unit.session, assessment_id=row, shown_hash=SHOWN, by=SECOND, now=clock())
    with bank.read() as session:
        assert session.get_one(ImpactAssessment, row).kept_until == date(2030, 11, 22)


def test_an_approved_assessment_without_a_time_to_keep_it_cannot_be_written(bank: Database, clock: FakeClock) -> None:
    bare = ImpactAssessment(
        id=new_token("pia"),
        tenant="main",
        activity="batch-debit",
        triggers=[],
        conclusion="proceed",
        content_hash=SHOWN,
        valid_until=date(2027, 11, 22),
        state="APPROVED",
        made_by=[],
        drafted_by="stf_maker",
        approved_at=clock(),
        created_at=clock(),
        updated_at=clock(),
    )
    with pytest.raises(IntegrityError), unit_of_work(bank, _deed(clock)) as unit:
        unit.session.add(bare)


def test_the_compare_and_set_of_an_omission_refuses_who_proposed_it(bank: Database, clock: FakeClock) -> None:
    incident_id = new_token("sin")
    facts = IncidentFacts(
        kind=IncidentKind.LEAK,
        grade=Grade.GENERAL,
        data_classes=frozenset(),
        persons=3,
        cii=False,
        public_interest=False,
    )
    with unit_of_work(bank, _deed(clock)) as unit:
        open_incident(
            unit.session,
            facts,
            incident_id=incident_id,
            discovered_at=clock() - timedelta(minutes=5),
            summary_cell=b"x",
            by=MAKER,
            now=clock(),
        )
        report = report_of(unit.session, incident_id, "pipl-57-persons", tenant="main")
        propose_not_needed(
            unit.session,
            report=report,
            reason_code="harm-averted",
            reason_cell=b"x",
            shown_hash=SHOWN,
            by=MAKER,
            now=clock(),
        )
    for confirm in (True, False):
        with pytest.raises(FourEyesViolation), unit_of_work(bank, _deed(clock)) as unit:
            decide_not_needed(
                unit.session, report_id=report.id, shown_hash=SHOWN, confirm=confirm, by=SAME_PERSON, now=clock()
            )
    with bank.read() as session:
        assert session.get_one(IncidentReport, report.id).state == "OPEN"
        assert session.get_one(SecurityIncident, incident_id).state == "OPEN"


def test_the_database_takes_no_second_row_of_a_person_for_one_subject(bank: Database, clock: FakeClock) -> None:
    def row(side: str) -> FourEyes:
        return FourEyes(
            id=new_token("eye"), tenant="main", subject=SHOWN, person_id="prs_maker", side=side, created_at=clock()
        )

    with pytest.raises(IntegrityError), unit_of_work(bank, _deed(clock)) as unit:
        unit.session.add_all([row("maker"), row("checker")])
