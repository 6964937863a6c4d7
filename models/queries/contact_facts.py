"""The facts that the contact gate asks about one contact of ours: whom, when, how often today, what stands against it.

They are read from the contact log, the tickets, the consents and the bank's collection policy. A person is known by
their part in the debt (`ContactRole`), whichever of their cases a talk was about.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, select

from models.domain.aftercare.clocks import TicketKind
from models.domain.application import ConsentPurpose, ContactChannel, ContactDirection, ContactResult
from models.domain.collection_policy import CollectionPolicy
from models.domain.contact_rules import UNANSWERED, Attempt, dials_on, effective_calls_on, lost_by
from models.domain.rule_words import (
    AgreementStatus,
    ContactMaker,
    ContactPurpose,
    ContactRole,
    ContactScript,
    ContactSource,
    LostBy,
    ThirdParty,
)
from models.domain.servicing.state import Status
from models.domain.shanghai import SHANGHAI, shanghai_date
from models.queries import agreements, cases, parties
from models.queries.products import collection_policy_of
from models.queries.tickets import has_open
from models.tables.installments import CaseContact, InstallmentCase
from models.tables.parties import Subject

# What is written is its own record; what is said needs a recording (催收录音).
_WRITTEN: Final = frozenset({ContactChannel.MESSAGE.value, ContactChannel.LETTER.value})
_STANDING: Final = {
    Status.DEFAULTED.value: AgreementStatus.IN_DEFAULT,
    Status.WRITTEN_OFF.value: AgreementStatus.IN_DEFAULT,
    Status.PENDING.value: AgreementStatus.SIGNED,
    Status.SETTLED.value: AgreementStatus.SETTLED,
    Status.PAID_OFF.value: AgreementStatus.SETTLED,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """How a visit is made (上门): by how many, whether they show who they are, whether they are let in."""

    staff: int
    id_shown: bool
    entry_consent: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedContact:
    """A contact of ours, before it is made or as it was made.

    Attributes:
        recorded: it is, or will be, recorded.
        letter_fields: what a letter holds (`models.domain.rule_words.LETTER_FIELDS`); None where nobody has said.
        words: what was said or written, if it is at hand; looked through and not kept.
        third_party: of somebody who is neither debtor nor guarantor: whether they share the debt; None: not known to.
        source: where the number or address comes from; None where nobody has said.
        visit: of a visit: how it is made; None where nobody has said.
        agency: code of the agency that makes it; None: the bank itself.
    """

    at: datetime
    channel: ContactChannel
    purpose: ContactPurpose
    role: ContactRole
    script: ContactScript
    recorded: bool
    letter_fields: tuple[str, ...] | None = None
    words: str | None = None
    third_party: ThirdParty | None = None
    source: ContactSource | None = None
    visit: Visit | None = None
    agency: str | None = None


def contact_facts(session: Session, case: InstallmentCase, contact: PlannedContact) -> dict[str, object]:
    """The facts about one contact; what the log does not tell is left out."""
    log = _log(session, case.subject_id, until=contact.at)
    ours = [row for row in log if row.direction == ContactDirection.OUT]
    policy, here = collection_policy_of(session, case.tenant), contact.at.astimezone(SHANGHAI)
    attempts = [_attempt(row) for row in ours if row.role == contact.role]
    lost = lost_by([_attempt(row) for row in ours if row.role == ContactRole.DEBTOR])
    disputed = has_open(session, case.token, kind=TicketKind.DISPUTE)
    facts: dict[str, object] = {
        "contact_purpose": contact.purpose.value,
        "contact_channel": contact.channel.value,
        "contact_role": contact.role.value,
        "contact_maker": (ContactMaker.BANK if contact.agency is None else ContactMaker.AGENCY).value,
        "contact_script": contact.script.value,
        "contact_local_time": here.time().replace(microsecond=0),
        "contact_hours_consent": _may_be_called_late(session, case),
        "contact_refused": _refused(log, contact),
        "debtor_lost": lost is not LostBy.NOT_LOST,
        "lost_by": lost.value,
        "third_party_kind": (contact.third_party or ThirdParty.UNRELATED).value,
        "contact_recorded": contact.recorded,
        "contact_on": here.date(),
        "dials_today": dials_on(attempts, here.date()),
        "effective_calls_today": effective_calls_on(attempts, here.date()),
        "agreement_status": _standing(session, case),
        "account_disputed": disputed,
        "objections_open": int(disputed),
        "misconduct_complaint_open": has_open(session, case.token, kind=TicketKind.CONDUCT),
        "banned_words_found": policy.banned_in(contact.words),
    }
    if contact.letter_fields is not None:
        facts["letter_fields"] = contact.letter_fields
    facts |= _source_facts(session, case, contact) | _visit_facts(contact) | _agency_facts(policy, contact)
    return facts | _policy_facts(policy) | _recording_facts(ours, contact)


def _source_facts(session: Session, case: InstallmentCase, contact: PlannedContact) -> dict[str, object]:
    """Where the number or address comes from; what stands on the debtor's own record, the debtor left (留存)."""
    if contact.source is not None:
        return {"contact_source": contact.source.value}
    if contact.role is not ContactRole.DEBTOR:
        return {}
    if contact.channel in (ContactChannel.PHONE, ContactChannel.MESSAGE):
        left = bool(parties.contact_points(session, case.subject_id))
    else:
        left = session.get_one(Subject, case.subject_id).address_cell is not None
    return {"contact_source": ContactSource.LEFT_BY_CUSTOMER.value} if left else {}


def _visit_facts(contact: PlannedContact) -> dict[str, object]:
    """A visit of which nobody has said how it is made leaves it unknown."""
    visit = contact.visit
    if visit is None and contact.channel is ContactChannel.VISIT:
        return {}
    made = visit or Visit(staff=0, id_shown=False, entry_consent=False)
    return {"visit_staff": made.staff, "visit_id_shown": made.id_shown, "visit_entry_consent": made.entry_consent}


def _agency_facts(policy: CollectionPolicy, contact: PlannedContact) -> dict[str, object]:
    """What the bank has on record of the agency; of one that it does not know, only that it is on no list."""
    if contact.agency is None:
        return {}
    agency = policy.agency(contact.agency)
    if agency is None:
        return {"agency_listed": False}
    return {
        "agency_listed": agency.listed,
        "agency_evaluated_on": agency.evaluated_on,
        "entrustment_terms": agency.entrustment_terms,
        "sub_entrusted": agency.sub_entrusted,
    }


def _policy_facts(policy: CollectionPolicy) -> dict[str, object]:
    return {
        "collection_policy_version": policy.version,
        "collector_measures": policy.measures,
        "recording_retention_months": policy.recording_months,
    }


def _recording_facts(ours: Sequence[CaseContact], contact: PlannedContact) -> dict[str, object]:
    """Collection contacts so far and how many are on record, this one included; a service contact is none of them."""
    if contact.purpose is ContactPurpose.SERVICE_REMINDER:
        return {"collection_contacts": 0, "contacts_recorded": 0}
    before = [row for row in ours if row.is_collection]
    kept = sum(1 for row in before if on_record(row)) + int(contact.recorded or contact.channel in _WRITTEN)
    return {"collection_contacts": len(before) + 1, "contacts_recorded": kept}


def on_record(row: CaseContact) -> bool:
    """Whether it can be shown what was said or written."""
    return row.recording_ref is not None or row.channel in _WRITTEN


def _log(session: Session, subject_id: str, *, until: datetime) -> list[CaseContact]:
    """Every contact with the customer of a case, about any of their cases, in order of time."""
    return list(
        session.exec(
            select(CaseContact)
            .join(InstallmentCase, col(InstallmentCase.token) == col(CaseContact.case_token))
            .where(col(InstallmentCase.subject_id) == subject_id, col(CaseContact.at) <= until)
            .order_by(col(CaseContact.at), col(CaseContact.id))
        ).all()
    )


def _attempt(row: CaseContact) -> Attempt:
    return Attempt(
        day=shanghai_date(row.at), channel=ContactChannel(row.channel), result=ContactResult(row.result_code)
    )


def _refused(log: Sequence[CaseContact], contact: PlannedContact) -> bool:
    """Whether this person refused when last reached in this way; to get in touch themselves lifts it."""
    same = [
        row
        for row in log
        if row.channel == contact.channel and row.role == contact.role and row.result_code not in UNANSWERED
    ]
    return bool(same) and same[-1].result_code == ContactResult.REFUSED_TO_TALK


def _may_be_called_late(session: Session, case: InstallmentCase) -> bool:
    consent = cases.latest_consent(session, subject_id=case.subject_id, purpose=ConsentPurpose.CONTACT_HOURS)
    return consent is not None and consent.withdrawn_at is None


def _standing(session: Session, case: InstallmentCase) -> str:
    agreement = agreements.agreement_of_case(session, case_token=case.token)
    if agreement is None:
        return AgreementStatus.NONE.value
    return _STANDING.get(agreement.status, AgreementStatus.ACTIVE).value
