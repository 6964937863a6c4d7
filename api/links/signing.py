"""What a customer is shown through a signing link (签约), what of it they have read, and the code to sign it with."""

from dataclasses import dataclass
from datetime import datetime

from litestar.response import Stream
from sqlmodel import Session

from api.bodies import known_token
from api.deps import ApiDeps
from api.installments.documents import open_document
from api.links.bodies import (
    CodeSentAnswer,
    MandateTermsAnswer,
    ReadingAnswer,
    ReadingBody,
    SigningAnswer,
    SigningDocumentAnswer,
)
from api.links.intake import FETCHED, case_of_link, usable_link
from api.wording import worded
from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.policy import policy_on
from compliance.vault.one_time_codes import Confirming, issue_code
from models.domain.application import LinkPurpose
from models.domain.mandates import mandate_terms
from models.domain.one_time_codes import CODE_LIFE, CodePurpose
from models.domain.servicing.stored import rows_from_json
from models.domain.shanghai import shanghai_date
from models.domain.states import Outcome, TaskState
from models.errors import BlockedByRule, DecisionPending, LinkExpired, NotFound, ShownChanged, WrongState
from models.operations.signing import READING_SECONDS, both_read, confirm_reading, open_reading
from models.queries import agreements, signing
from models.queries.case_file import document_of_case
from models.queries.notices import channel_for
from models.tables.agreements import AgreementText, DocumentReading, PlanOffer
from models.tables.installments import CaseDocument, InstallmentCase
from models.tables.parties import CustomerLink
from models.tables.tasks import Task
from models.tables.tenants import Tenant


@dataclass(frozen=True, kw_only=True, slots=True)
class Signing:
    """All that one request needs to know, read at one moment."""

    link: CustomerLink
    case: InstallmentCase
    text: AgreementText
    offer: PlanOffer
    task: Task | None
    readings: dict[str, DocumentReading]
    is_signed: bool

    @property
    def document_ids(self) -> tuple[str, str]:
        """In the order of reading: what it costs, then what is agreed."""
        return (self.text.cost_document_id, self.text.agreement_document_id)

    @property
    def state(self) -> str:
        """For the customer: open, pending, signed or closed."""
        if self.task is not None:
            return "pending" if self.task.state == TaskState.DECIDING else "open"
        return "signed" if self.is_signed else "closed"

    def open_task(self) -> Task:
        """The task that can be signed now.

        Raises:
            DecisionPending: a decision on it is under way.
            WrongState: there is nothing to be signed: it was, or the case has gone on.
            ShownChanged: it asks about other documents than these.
            BlockedByRule: a rule stands against the signature.
        """
        if self.task is None:
            raise WrongState(params={"state": self.case.stage})
        if self.task.state == TaskState.DECIDING:
            raise DecisionPending
        shown = self.task.shown.get("signing", {})
        for name, document_id in (("costStatement", self.document_ids[0]), ("agreement", self.document_ids[1])):
            if (shown.get(name) or {}).get("id") != document_id:
                raise ShownChanged
        barred = next((one for one in self.task.blocked if one["outcome"] == Outcome.SIGN), None)
        if barred is not None:
            raise BlockedByRule(params={"rule": barred["rule"]})
        return self.task

    def confirming(self, task: Task) -> Confirming:
        """What a one-time code confirms here."""
        return Confirming(
            tenant=self.case.tenant,
            subject_id=self.case.subject_id,
            case_token=self.case.token,
            purpose=CodePurpose.SIGN_AGREEMENT,
            bound_to=task.shown_hash,
            actor=self.link.id,
        )


def signing_of(deps: ApiDeps, token: str) -> Signing:
    """What a token's link lets be signed; blocking.

    Raises:
        NotFound: forged, a link of another purpose, or nothing is printed.
        LinkExpired: its time is over, or a later link has taken its place.
    """
    return signing_of_link(deps, usable_link(deps, token, purpose=LinkPurpose.SIGNING))


def signing_of_link(deps: ApiDeps, link: CustomerLink) -> Signing:
    """As `signing_of`, read anew for a link that is known; blocking."""
    case = case_of_link(deps, link)
    with deps.database.read() as session:
        text = agreements.latest_text(session, case_token=case.token)
        offer = signing.chosen_offer(session, case_token=case.token)
        if text is None or offer is None or offer.plan_hash != text.plan_hash:
            raise NotFound
        return Signing(
            link=link,
            case=case,
            text=text,
            offer=offer,
            task=signing.open_signing_task(session, case_token=case.token),
            readings=signing.readings_of_text(session, text.id),
            is_signed=signing.is_signed(session, text.id),
        )


def signing_answer(deps: ApiDeps, token: str, *, locale: str) -> SigningAnswer:
    """What is to be signed, and what of it is still to be read; blocking."""
    about = signing_of(deps, token)
    with deps.database.read() as session:
        documents = [session.get_one(CaseDocument, document_id) for document_id in about.document_ids]
        payee = session.get_one(Tenant, about.case.tenant).name
        seconds = _reading_seconds(session, about.case, now=deps.clock())
    return SigningAnswer(
        state=about.state,
        state_text=worded(f"signing.state.{about.state}", locale),
        shown_hash=about.task.shown_hash if about.task is not None else None,
        plan_hash=about.text.plan_hash,
        plan={"family": about.offer.family, "figures": about.offer.figures, "rows": about.offer.rows},
        documents=[_document(row, about.readings.get(row.id), seconds=seconds, locale=locale) for row in documents],
        mandate=_mandate(about.offer, payee=payee, locale=locale),
        currency=about.case.currency,
        expires_at=about.link.expires_at,
    )


def stream_document(deps: ApiDeps, token: str, document_id: str) -> Stream:
    """A document that the link is about; of one to be signed the first opening is kept; blocking until it streams.

    Raises:
        NotFound: the link does not hand it out.
        CannotOpen, SubjectShredded: as `open_document`.
    """
    link = usable_link(deps, token)
    known_token(document_id)
    if link.purpose == LinkPurpose.SIGNING:
        return _stream_to_sign(deps, signing_of_link(deps, link), document_id)
    if link.purpose != LinkPurpose.PROGRESS:
        raise NotFound
    case = case_of_link(deps, link)
    with deps.database.read() as session:
        document = document_of_case(session, document_id, case_token=case.token)
    if document is None or document.kind not in FETCHED:
        raise NotFound
    return open_document(deps, document, actor=link.id)


def _stream_to_sign(deps: ApiDeps, about: Signing, document_id: str) -> Stream:
    if document_id not in about.document_ids:
        raise NotFound
    with deps.database.read() as session:
        document = session.get_one(CaseDocument, document_id)

    def note_opening(session: Session, now: datetime) -> None:
        open_reading(session, about.text, document_id=document_id, now=now)

    return open_document(deps, document, actor=about.link.id, also=note_opening)


def confirm(deps: ApiDeps, token: str, body: ReadingBody) -> ReadingAnswer:
    """The customer has read a document to its end; repeatable, the first confirmation stands; blocking.

    Raises:
        NotFound: the document is not one of those to be signed.
        NotRead: it was not open for long enough.
        DecisionPending, WrongState, ShownChanged, BlockedByRule: nothing is to be signed now.
    """
    about, now = signing_of(deps, token), deps.clock()
    about.open_task()
    if body.document_id not in about.document_ids:
        raise NotFound
    kind = "cost-statement" if body.document_id == about.text.cost_document_id else "agreement"
    deed = Deed(
        tenant=about.case.tenant,
        action="document.read",
        target=about.case.token,
        actor=about.link.id,
        at=now,
        facts={"document": body.document_id, "kind": kind, "claimed": body.seconds},
    )
    with unit_of_work(deps.database, deed) as unit:
        reading = signing.readings_of_text(unit.session, about.text.id).get(body.document_id)
        least = _reading_seconds(unit.session, about.case, now=now)
        if not confirm_reading(unit.session, reading, kind=kind, claimed=body.seconds, now=now, least=least):
            raise Unchanged
    with deps.database.read() as session:
        kept = signing.readings_of_text(session, about.text.id)[body.document_id]
    assert kept.confirmed_at is not None
    return ReadingAnswer(document_id=kept.document_id, seconds=kept.seconds or 0, confirmed_at=kept.confirmed_at)


def send_code(deps: ApiDeps, token: str, *, locale: str) -> CodeSentAnswer:
    """Send a one-time code for what is shown now; it confirms nothing else; blocking.

    Raises:
        NotRead: one of the documents is not confirmed.
        TooManyRequests: too many codes in the last hour.
        DecisionPending, WrongState, ShownChanged, BlockedByRule: nothing is to be signed now.
    """
    about = signing_of(deps, token)
    task = about.open_task()
    both_read(about.text, about.readings)
    with deps.database.read() as session:
        channel = channel_for(session, about.case.subject_id)
    issue_code(deps.database, deps.vault, about.confirming(task), channel=channel, locale=locale, now=deps.clock())
    return CodeSentAnswer(channel=channel.value, valid_seconds=int(CODE_LIFE.total_seconds()))


def link_still_stands(session: Session, link: CustomerLink, *, now: datetime) -> None:
    """Within the transaction of a signature: nobody has sent a later link meanwhile.

    Raises:
        LinkExpired: somebody has.
    """
    row = session.get_one(CustomerLink, link.id, populate_existing=True)
    if row.used_at is not None or row.expires_at <= now:
        raise LinkExpired


def _reading_seconds(session: Session, case: InstallmentCase, *, now: datetime) -> int:
    """For how long a document must lie open: the rule's figure, or the bank's longer one."""
    return policy_on(session, case.tenant, on=shanghai_date(now)).figure("reading_seconds", READING_SECONDS)


def _document(
    row: CaseDocument, reading: DocumentReading | None, *, seconds: int, locale: str
) -> SigningDocumentAnswer:
    return SigningDocumentAnswer(
        id=row.id,
        kind=row.kind,
        kind_text=worded(f"document-kind.{row.kind}", locale),
        size_bytes=row.size_bytes,
        digest=row.digest,
        reading_seconds=seconds,
        opened_at=reading.opened_at if reading is not None else None,
        confirmed_at=reading.confirmed_at if reading is not None else None,
    )


def _mandate(offer: PlanOffer, *, payee: str, locale: str) -> MandateTermsAnswer:
    terms = mandate_terms(rows_from_json(offer.rows))
    return MandateTermsAnswer(
        payee_name=payee,
        purpose=terms.purpose,
        purpose_text=worded(f"mandate.purpose.{terms.purpose}", locale),
        cycle=terms.cycle,
        cycle_text=worded(f"mandate.cycle.{terms.cycle}", locale),
        limit_minor=terms.limit_minor,
        valid_to=terms.valid_to,
    )
