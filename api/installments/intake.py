"""Taking in an application: checked, sealed, and written with the case, the subject and the start in one unit of work.

Three stores, one order: the subject's key is committed in the key store first, then the rows, then Temporal is told.
What fails in between leaves a key that nothing uses, or a start that the relay repeats.
"""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from email_validator import EmailNotValidError, validate_email

from api.deps import ApiDeps
from api.installments.bodies import ApplicantBody, ConsentBody, LinkApplicationBody
from api.traceparent import current_traceparent
from compliance.audit.deeds import Deed
from compliance.audit.unit import Unit, unit_of_work
from compliance.vault.blind import BlindField
from compliance.vault.cells import CellAddress, RowAddress
from models.domain.application import Channel, ContactPointKind, EvidenceKind
from models.domain.bank_card import check_bank_card
from models.domain.identifiers import IdType, check_identity
from models.domain.mobile import check_mobile
from models.domain.rule_broken import RuleBroken
from models.domain.tokens import new_case_token, new_token
from models.errors import Conflict, FieldFault, FormInvalid
from models.operations import cases, parties
from models.operations.idempotency import KeySlot, open_key
from models.operations.parties import NewConsent, NewContactPoint, NewSubject, SubjectKnown
from models.queries import parties as party_queries
from models.queries.consent_register import is_known_text
from models.tables.parties import Subject

_TRIES: Final = 3  # against others who put the same person on record at the same moment
_NAME: Final = (2, 60)
_ADDRESS: Final = (4, 200)
_OPTIONAL_CELLS: Final = ("employer_cell", "address_cell", "card_cell")


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Applicant:
    """A person in canonical spelling; lives in memory only and never shows itself."""

    id_type: IdType
    id_number: str
    name: str
    mobile: str
    email: str | None
    address: str | None
    employer: str | None
    card: str | None

    def cells(self) -> dict[str, str]:
        """The values of the subject's row by column."""
        values = {
            "name_cell": self.name,
            "id_cell": self.id_number,
            "employer_cell": self.employer,
            "address_cell": self.address,
            "card_cell": self.card,
        }
        return {column: value for column, value in values.items() if value is not None}


@dataclass(frozen=True, kw_only=True, slots=True)
class Sender:
    """Who sends an application, and where its case will lie.

    Attributes:
        actor: staff id, or link id.
        person_id: None for the customer.
    """

    tenant: str
    branch: str
    channel: Channel
    actor: str
    person_id: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Application:
    """An application that has passed its checks."""

    applicant: Applicant
    body: LinkApplicationBody
    sender: Sender


def check_application(body: LinkApplicationBody, *, sender: Sender, today: date) -> Application:
    """Read an application; everything that is wrong with it is said at once.

    Args:
        body: as sent.
        sender: who sends it.
        today: in Shanghai; birth dates may not lie after it.

    Raises:
        FormInvalid: naming each field, its rule and the fix, and no value.
    """
    faults: list[FieldFault] = []
    due = body.finances.total_due_minor
    if body.requested.amount_minor > due:
        faults.append(FieldFault(pointer="/requested/amountMinor", code="amount-above-due", params={"max": due}))
    if sender.channel is Channel.LINK:
        # Somebody at a screen agrees electronically; a paper with a signature is brought in and entered by staff.
        faults += [
            FieldFault(pointer=f"/consents/{place}/form", code="not-one-of", params={"allowed": "ELECTRONIC"})
            for place, consent in enumerate(body.consents)
            if consent.form != "ELECTRONIC"
        ]
    applicant = _applicant(body.applicant, today=today, faults=faults)
    if faults or applicant is None:
        raise FormInvalid(faults=tuple(faults))
    return Application(applicant=applicant, body=body, sender=sender)


def _applicant(body: ApplicantBody, *, today: date, faults: list[FieldFault]) -> Applicant | None:
    before = len(faults)

    def checked(name: str, check: Callable[[], str]) -> str:
        try:
            return check()
        except RuleBroken as broken:
            faults.append(broken.fault(f"/applicant/{name}"))
            return ""

    def optional(name: str, value: str | None, check: Callable[[str], str]) -> str | None:
        return None if value is None else checked(name, lambda: check(value))

    applicant = Applicant(
        id_type=body.id_type,
        id_number=checked("idNumber", lambda: check_identity(body.id_type, body.id_number, today)),
        name=checked("name", lambda: check_name(body.name)),
        mobile=checked("mobile", lambda: check_mobile(body.mobile)),
        email=optional("email", body.email, check_email),
        address=optional("address", body.address, _check_address),
        employer=None if body.employer is None else " ".join(body.employer.split()),
        card=optional("cardNumber", body.card_number, check_bank_card),
    )
    return applicant if len(faults) == before else None


def check_name(value: str) -> str:
    """A name (姓名) in one spelling.

    Raises:
        RuleBroken: `name`.
    """
    text = " ".join(unicodedata.normalize("NFKC", value).split())
    least, most = _NAME
    if not least <= len(text) <= most or any(sign.isdigit() or not sign.isprintable() for sign in text):
        raise RuleBroken("name", {"min": least, "max": most})
    return text


def check_email(value: str) -> str:
    """An e-mail address in one spelling; nobody is asked whether it exists.

    Raises:
        RuleBroken: `email`.
    """
    try:
        return validate_email(value.strip(), check_deliverability=False).normalized
    except EmailNotValidError:  # whose text quotes the address
        raise RuleBroken("email") from None


def _check_address(value: str) -> str:
    text = " ".join(value.split())
    least, most = _ADDRESS
    if not least <= len(text) <= most:
        raise RuleBroken("address-length", {"min": least, "max": most})
    return text


# Writing it -----------------------------------------------------------------------------------------------------------


@dataclass(kw_only=True, slots=True, repr=False)
class _Party:
    """What is written about the person: all of a new one, or what was missing of a known one."""

    subject_id: str
    new: NewSubject | None = None
    missing: dict[str, bytes] = field(default_factory=dict)
    points: list[NewContactPoint] = field(default_factory=list)


def take_in(
    deps: ApiDeps,
    application: Application,
    *,
    slot: KeySlot,
    fingerprint: str,
    status: int,
    also: Callable[[Unit, str], None] | None = None,
) -> str:
    """Make the case; blocking, to be run in a thread.

    Args:
        deps: database, vault and clock.
        application: checked.
        slot: the request's idempotency slot, taken first.
        fingerprint: of the request's body.
        status: of the answer.
        also: what else belongs into the same unit; it is given the unit and the case token.

    Returns:
        The case token.

    Raises:
        KeyTaken: another request under this key was first.
        FormInvalid: the identity document is on record under another name, or nobody was ever given such a text.
        Conflict: others kept putting the same person on record.
    """
    check_texts(deps, application.sender.tenant, application.body.consents)
    token = new_case_token(application.sender.tenant)
    for _ in range(_TRIES):
        party = _party(deps, application)
        try:
            _write(
                deps,
                application,
                party,
                token=token,
                begin=lambda unit: open_key(
                    unit.session, slot, fingerprint=fingerprint, resource_id=token, now=unit.deed.at, status=status
                ),
                also=also,
            )
        except SubjectKnown:
            continue
        return token
    raise Conflict(detail="subject")


def _write(
    deps: ApiDeps,
    application: Application,
    party: _Party,
    *,
    token: str,
    begin: Callable[[Unit], None],
    also: Callable[[Unit, str], None] | None,
) -> None:
    sender, body, now = application.sender, application.body, deps.clock()
    case = _new_case(deps, application, subject_id=party.subject_id, token=token)
    consents = [_new_consent(consent, sender) for consent in body.consents]
    deed = Deed(
        tenant=sender.tenant,
        action="case.created",
        target=token,
        actor=sender.actor,
        at=now,
        facts={
            "subject": party.subject_id,
            "subjectIsNew": party.new is not None,
            "channel": sender.channel.value,
            "branch": sender.branch,
            "hardship": body.hardship.code.value,
            "totalDueMinor": case.figures.total_due_minor,
            "amountMinor": case.figures.requested_amount_minor,
            "termMonths": case.figures.requested_term_months,
            "consents": [
                {
                    "id": consent.id,
                    "purpose": consent.purpose.value,
                    "form": consent.form.value,
                    "textVersion": consent.text_version,
                }
                for consent in consents
            ],
        },
    )
    with unit_of_work(deps.database, deed) as unit:
        session = unit.session
        begin(unit)  # first of all: the loser of a race has done nothing yet
        if party.new is not None:
            parties.add_subject(session, party.new, now=now)
        parties.fill_subject(session, subject_id=party.subject_id, cells=party.missing)
        for point in party.points:
            parties.add_contact_point(session, point, tenant=sender.tenant, subject_id=party.subject_id, now=now)
        cases.create_case(session, case, now=now)
        for consent in consents:
            parties.add_consent(session, consent, tenant=sender.tenant, subject_id=party.subject_id, now=now)
        if also is not None:
            also(unit, token)


def _new_case(deps: ApiDeps, application: Application, *, subject_id: str, token: str) -> cases.NewCase:
    sender, body = application.sender, application.body
    note = body.hardship.note
    address = CellAddress(sender.tenant, "installment_cases", "hardship_note_cell", token, subject_id)
    return cases.NewCase(
        token=token,
        tenant=sender.tenant,
        subject_id=subject_id,
        branch=sender.branch,
        channel=sender.channel,
        figures=cases.CaseFigures(
            total_due_minor=body.finances.total_due_minor,
            requested_amount_minor=body.requested.amount_minor,
            requested_term_months=body.requested.term_months,
            monthly_income_minor=body.finances.monthly_income_minor,
            essential_expense_minor=body.finances.essential_expense_minor,
            other_debt_payment_minor=body.finances.other_debt_payment_minor,
            dependants=body.finances.dependants,
        ),
        hardship=body.hardship.code,
        hardship_note_cell=deps.vault.seal(address, note) if note is not None else None,
        willing_to_repay=body.willing_to_repay,
        created_by=sender.actor,
        created_by_person=sender.person_id,
        traceparent=current_traceparent(),
    )


def check_texts(deps: ApiDeps, tenant: str, consents: Sequence[ConsentBody], *, within: str = "/consents") -> None:
    """Refuse versions of texts that the register does not hold, or that hold later only; blocking.

    Raises:
        FormInvalid: naming each.
    """
    now = deps.clock()
    with deps.database.read() as session:
        known = [
            is_known_text(session, tenant=tenant, kind=each.purpose.value, version=each.text_version, now=now)
            for each in consents
        ]
    faults = tuple(
        FieldFault(pointer=f"{within}/{place}/textVersion", code="unknown-text-version")
        for place, is_known in enumerate(known)
        if not is_known
    )
    if faults:
        raise FormInvalid(faults=faults)


def _new_consent(body: ConsentBody, sender: Sender) -> NewConsent:
    through_link = sender.channel is Channel.LINK
    return NewConsent(
        id=new_token("cns"),
        purpose=body.purpose,
        form=body.form,
        text_version=body.text_version,
        channel=sender.channel,
        evidence_kind=EvidenceKind.LINK if through_link else None,
        evidence_ref=sender.actor if through_link else None,
    )


def _party(deps: ApiDeps, application: Application) -> _Party:
    """Who the applicant is to us; commits the key of a new subject."""
    tenant, applicant = application.sender.tenant, application.applicant
    indexes = deps.vault.blind_indexes(tenant=tenant, field=BlindField.ID_NUMBER, value=applicant.id_number)
    with deps.database.read() as session:
        known = party_queries.subject_by_id_index(session, tenant=tenant, id_indexes=indexes)
        points = party_queries.contact_points(session, known.id) if known is not None else []
    if known is not None:
        _same_name(deps, known, applicant)
        row = RowAddress(tenant, "subjects", known.id, known.id)
        missing = {
            column: value
            for column, value in applicant.cells().items()
            if column in _OPTIONAL_CELLS and getattr(known, column) is None
        }
        held = {(point.kind, _opened_point(deps, point.id, known, point.value_cell)) for point in points}
        return _Party(
            subject_id=known.id,
            missing=deps.vault.seal_many(row, missing),
            points=_points(deps, tenant, known.id, applicant, held=held),
        )
    subject_id = new_token("sub")
    deps.vault.create_subject(tenant=tenant, subject_id=subject_id)
    row = RowAddress(tenant, "subjects", subject_id, subject_id)
    return _Party(
        subject_id=subject_id,
        new=NewSubject(
            id=subject_id,
            tenant=tenant,
            id_type=applicant.id_type,
            id_index=indexes[0],
            other_id_indexes=indexes[1:],
            cells=deps.vault.seal_many(row, applicant.cells()),
        ),
        points=_points(deps, tenant, subject_id, applicant, held=set()),
    )


def _same_name(deps: ApiDeps, known: Subject, applicant: Applicant) -> None:
    address = CellAddress(known.tenant, "subjects", "name_cell", known.id, known.id)
    on_record = deps.vault.open_text(address, known.name_cell)
    if "".join(on_record.split()).casefold() != "".join(applicant.name.split()).casefold():
        # Two persons must not end up in one file because one digit was mistyped.
        raise FormInvalid(faults=(FieldFault(pointer="/applicant/name", code="name-differs"),))


def _opened_point(deps: ApiDeps, point_id: str, subject: Subject, cell: bytes) -> str:
    return deps.vault.open_text(CellAddress(subject.tenant, "contact_points", "value_cell", point_id, subject.id), cell)


def _points(
    deps: ApiDeps, tenant: str, subject_id: str, applicant: Applicant, *, held: set[tuple[str, str]]
) -> list[NewContactPoint]:
    wanted = [(ContactPointKind.MOBILE, applicant.mobile)]
    if applicant.email is not None:
        wanted.append((ContactPointKind.EMAIL, applicant.email))
    points = []
    for kind, value in wanted:
        if (kind.value, value) in held:
            continue
        point_id = new_token("cpt")
        address = CellAddress(tenant, "contact_points", "value_cell", point_id, subject_id)
        is_mobile = kind is ContactPointKind.MOBILE
        points.append(
            NewContactPoint(
                id=point_id,
                kind=kind,
                cell=deps.vault.seal(address, value),
                index=deps.vault.blind_index(tenant=tenant, field=BlindField.MOBILE, value=value)
                if is_mobile
                else None,
            )
        )
    return points
