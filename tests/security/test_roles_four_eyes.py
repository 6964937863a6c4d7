"""Changes of roles take two persons: each of the three layers is called by itself, past the ones before it."""

from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from api.identity.authenticate import load_principal
from api.identity.principal import Principal
from api.staff.controller import check_second_person
from compliance.audit.deeds import shown_hash
from models.database.engine import Database
from models.domain.roles import Role
from models.domain.tokens import new_token
from models.errors import FourEyesViolation, NotFound, ShownChanged, WrongState
from models.operations.staff import Proposal, decide_role_change, propose_role_change
from models.tables.staff import RoleChange, Staff, StaffRole
from models.tables.tasks import FourEyes
from tests.support.api import Office


def propose(office: Office, target: Staff, by: Staff) -> RoleChange:
    proposal = Proposal(
        change_id=new_token("rch"),
        tenant="main",
        staff_id=target.id,
        staff_version=1,
        roles=frozenset({Role.APPROVER}),
        authority_amount_minor=1,
        authority_concession_bps=2,
    )
    with office.deps.database.write() as session:
        return propose_role_change(
            session,
            proposal,
            shown_hash=shown_hash(proposal.shown()),
            by_staff=by.id,
            by_person=by.person_id,
            now=office.clock(),
        )


def decide(session: Session, office: Office, change: RoleChange, by: Staff, **other: Any) -> RoleChange:
    values: dict[str, Any] = {
        "tenant": "main",
        "change_id": change.id,
        "shown_hash": change.shown_hash,
        "confirm": True,
        "by_staff": by.id,
        "by_person": by.person_id,
        "now": office.clock(),
    } | other
    return decide_role_change(session, **values)


def principal(office: Office, staff: Staff) -> Principal:
    return load_principal(office.deps, office.deps.verifier.verify(office.token(staff), now=office.clock()))[0]


def roles_of(database: Database, staff: Staff) -> list[str]:
    with database.read() as session:
        return sorted(session.exec(select(StaffRole.role).where(StaffRole.staff_id == staff.id)))


@pytest.fixture
def people(office: Office) -> dict[str, Staff]:
    maker = office.staff("maker", Role.STAFF_ADMIN)
    return {
        "maker": maker,
        "maker2": office.staff("maker2", Role.STAFF_ADMIN, person_id=maker.person_id),
        "target": office.staff("target", Role.STAFF_ADMIN),
        "checker": office.staff("checker", Role.STAFF_ADMIN),
    }


@pytest.mark.parametrize("who", ["maker", "maker2", "target"])
def test_layer_one_the_api(office: Office, people: dict[str, Staff], who: str) -> None:
    change = propose(office, people["target"], people["maker"])
    with pytest.raises(FourEyesViolation):
        check_second_person(office.deps, principal(office, people[who]), change)
    check_second_person(office.deps, principal(office, people["checker"]), change)


@pytest.mark.parametrize("who", ["maker", "maker2", "target"])
@pytest.mark.parametrize("confirm", [True, False])
def test_layer_two_the_compare_and_set(office: Office, people: dict[str, Staff], who: str, confirm: bool) -> None:
    change = propose(office, people["target"], people["maker"])
    with pytest.raises(FourEyesViolation), office.deps.database.write() as session:
        decide(session, office, change, people[who], confirm=confirm)
    assert roles_of(office.deps.database, people["target"]) == ["staff-admin"]
    with office.deps.database.write() as session:
        assert decide(session, office, change, people["checker"]).state == "CONFIRMED"
    assert roles_of(office.deps.database, people["target"]) == ["approver"]


@pytest.mark.parametrize("who", ["maker", "target"])
def test_layer_three_the_database(office: Office, people: dict[str, Staff], who: str) -> None:
    change = propose(office, people["target"], people["maker"])
    with pytest.raises(IntegrityError), office.deps.database.write() as session:
        session.add(
            FourEyes(
                id="eye",
                tenant="main",
                subject=change.shown_hash,
                person_id=people[who].person_id,
                side="checker",
                created_at=office.clock(),
            )
        )
        session.flush()


def test_the_compare_and_set_alone_refuses_when_the_rows_of_four_eyes_are_gone(
    office: Office, people: dict[str, Staff]
) -> None:
    """Whom the change is for is asked of the account itself as well."""
    change = propose(office, people["target"], people["maker"])
    with office.deps.database.write() as session:
        for row in session.exec(select(FourEyes).where(FourEyes.side == "target")):
            session.delete(row)
    with pytest.raises(FourEyesViolation), office.deps.database.write() as session:
        decide(session, office, change, people["target"])


def test_what_is_decided_is_what_was_shown_and_once(office: Office, people: dict[str, Staff]) -> None:
    change = propose(office, people["target"], people["maker"])
    with pytest.raises(ShownChanged), office.deps.database.write() as session:
        decide(session, office, change, people["checker"], shown_hash="0" * 64)
    with pytest.raises(NotFound), office.deps.database.write() as session:
        decide(session, office, change, people["checker"], tenant="other")
    with office.deps.database.write() as session:
        decide(session, office, change, people["checker"], confirm=False)
    with pytest.raises(WrongState), office.deps.database.write() as session:
        decide(session, office, change, people["checker"])


def test_who_proposes_for_himself_still_needs_another(office: Office, people: dict[str, Staff]) -> None:
    change = propose(office, people["maker"], people["maker"])
    with pytest.raises(FourEyesViolation), office.deps.database.write() as session:
        decide(session, office, change, people["maker2"])
    with office.deps.database.write() as session:
        assert decide(session, office, change, people["target"]).state == "CONFIRMED"
