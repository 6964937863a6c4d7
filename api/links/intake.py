"""What happens through a customer's link: it is made, used once for an application, or used to look and withdraw."""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from api.agreements.progress import read_progress
from api.deps import ApiDeps
from api.idempotency import Stored
from api.identity.principal import Principal
from api.installments.access import case_for
from api.installments.answers import TermsAnswer
from api.installments.bodies import LinkApplicationBody
from api.installments.controller import branch_of
from api.installments.intake import Sender, check_application, take_in
from api.links.bodies import AppliedAnswer, LetterAnswer, LinkAnswer, NewLinkBody, ProgressAnswer
from api.links.tokens import link_of
from api.wording import worded
from compliance.audit.deeds import Deed
from compliance.audit.unit import Unit, unit_of_work
from compliance.vault.link_tokens import PATH, token_of, whole_second
from models.domain.application import MAX_LINK_HOURS, Channel, DocumentKind, LinkPurpose
from models.domain.shanghai import shanghai_date
from models.domain.states import CaseStage
from models.domain.tokens import new_token
from models.errors import FieldFault, FormInvalid, LinkExpired, NotFound
from models.operations.idempotency import KeySlot, find_key, open_key
from models.operations.parties import NewLink, create_link, use_link
from models.queries import case_file, cases, parties
from models.queries.agreements import agreement_of_case
from models.tables.installments import InstallmentCase, Proposal
from models.tables.parties import CustomerLink


def link_answer(deps: ApiDeps, link: CustomerLink) -> LinkAnswer:
    """A link with its token; blocking."""
    token = token_of(deps.vault, link)
    return LinkAnswer(id=link.id, purpose=link.purpose, token=token, path=f"{PATH}/{token}", expires_at=link.expires_at)


# Made by staff --------------------------------------------------------------------------------------------------------


def make_link(deps: ApiDeps, principal: Principal, body: NewLinkBody, *, slot: KeySlot, fingerprint: str) -> str:
    """Make a link; blocking. Returns its id.

    Raises:
        FormInvalid: a member that does not go with the purpose, or one that is missing.
        NotFound: the case is not the caller's to see.
        KeyTaken: another request under this key was first.
    """
    now = deps.clock()
    link = _new_link(deps, principal, body, now=now)
    deed = Deed(
        tenant=link.tenant,
        action="link.created",
        target=link.case_token or link.id,
        actor=principal.staff_id,
        at=now,
        facts={
            "link": link.id,
            "purpose": link.purpose.value,
            "branch": link.branch,
            "terms": link.terms,
            "expiresAt": link.expires_at.isoformat(),
        },
    )
    with unit_of_work(deps.database, deed) as unit:
        open_key(unit.session, slot, fingerprint=fingerprint, resource_id=link.id, now=now, status=HTTPStatus.CREATED)
        create_link(unit.session, link, now=now)
    return link.id


def _new_link(deps: ApiDeps, principal: Principal, body: NewLinkBody, *, now: datetime) -> NewLink:
    is_progress = body.purpose is LinkPurpose.PROGRESS
    faults = [
        FieldFault(pointer=pointer, code="unknown-field")
        for pointer, given in (
            ("/caseToken", not is_progress and body.case_token is not None),
            ("/terms", is_progress and body.terms is not None),
            ("/branch", is_progress and body.branch is not None),
        )
        if given
    ]
    if is_progress and body.case_token is None:
        faults.append(FieldFault(pointer="/caseToken", code="missing"))
    if faults:
        raise FormInvalid(faults=tuple(faults))
    case = case_for(deps, principal, body.case_token) if body.case_token is not None else None
    terms = body.terms.model_dump(mode="json", by_alias=True, exclude_none=True) if body.terms is not None else {}
    return NewLink(
        id=new_token("lnk"),
        tenant=principal.tenant,
        purpose=body.purpose,
        branch=case.branch if case is not None else branch_of(body.branch, principal),
        created_by=principal.staff_id,
        expires_at=whole_second(now + timedelta(hours=body.expires_in_hours)),
        case_token=case.token if case is not None else None,
        terms=terms,
    )


def made(deps: ApiDeps, principal: Principal, link_id: str) -> Stored:
    """The answer to a link's making; blocking."""
    with deps.database.read() as session:
        link = parties.link_by_id(session, link_id, tenant=principal.tenant)
    assert link is not None  # it was made under the caller's own key
    return Stored(status=HTTPStatus.CREATED, body=link_answer(deps, link).model_dump(mode="json"))


# What a progress link hands out; everything else of a case is the bank's.
FETCHED: Final = frozenset({DocumentKind.SEALED_AGREEMENT, DocumentKind.CLOSE_LETTER})

# Used by the customer -------------------------------------------------------------------------------------------------


def usable_link(deps: ApiDeps, token: str, *, purpose: LinkPurpose | None = None) -> CustomerLink:
    """The link behind a token, while it can be used; blocking.

    Raises:
        NotFound: forged, or a link of another purpose.
        LinkExpired: it is spent or its time is over.
    """
    link = link_of(deps, token)
    if purpose is not None and link.purpose != purpose:
        raise NotFound
    if not is_open(deps, link):
        raise LinkExpired
    return link


def is_open(deps: ApiDeps, link: CustomerLink) -> bool:
    """Whether the link can still be used."""
    return link.used_at is None and deps.clock() < link.expires_at


def application_link(deps: ApiDeps, token: str, *, key: str) -> tuple[CustomerLink, KeySlot]:
    """The link an application comes in through, and the request's slot; blocking.

    A spent link still answers the request that spent it.

    Raises:
        NotFound: forged, or a link of another purpose.
        LinkExpired: spent by another request, or its time is over.
    """
    link = link_of(deps, token)
    if link.purpose != LinkPurpose.APPLICATION:
        raise NotFound
    slot = KeySlot(tenant=link.tenant, principal=link.id, route="links.apply", key=key)
    if not is_open(deps, link):
        with deps.database.read() as session:
            if find_key(session, slot) is None:
                raise LinkExpired
    return link, slot


def apply_through(
    deps: ApiDeps, link: CustomerLink, body: LinkApplicationBody, *, slot: KeySlot, fingerprint: str
) -> str:
    """Take in the application, spend the link and make a progress link, in one unit; blocking.

    Returns:
        The case token.

    Raises:
        FormInvalid: as `check_application`.
        LinkExpired: another request spent it meanwhile.
        KeyTaken: another request under this key was first.
    """
    sender = Sender(tenant=link.tenant, branch=link.branch, channel=Channel.LINK, actor=link.id, person_id=None)
    application = check_application(body, sender=sender, today=shanghai_date(deps.clock()))

    def spend(unit: Unit, case_token: str) -> None:
        now = unit.deed.at
        use_link(unit.session, link.id, tenant=link.tenant, now=now)
        progress = NewLink(
            id=new_token("lnk"),
            tenant=link.tenant,
            purpose=LinkPurpose.PROGRESS,
            branch=link.branch,
            created_by=link.id,
            expires_at=whole_second(now + timedelta(hours=MAX_LINK_HOURS)),
            case_token=case_token,
        )
        create_link(unit.session, progress, now=now)
        unit.also(
            Deed(
                tenant=link.tenant,
                action="link.used",
                target=link.id,
                actor=link.id,
                at=now,
                facts={"case": case_token, "progressLink": progress.id},
            )
        )

    return take_in(deps, application, slot=slot, fingerprint=fingerprint, status=HTTPStatus.CREATED, also=spend)


def applied(deps: ApiDeps, link: CustomerLink, case_token: str, *, locale: str) -> Stored:
    """The answer to an application through a link, the same however often it is asked for; blocking."""
    with deps.database.read() as session:
        case = session.get_one(InstallmentCase, case_token)
        progress = parties.link_made_by(session, link.id, case_token=case_token)
    assert progress is not None  # made in the same unit as the case
    answer = AppliedAnswer(
        case_token=case.token,
        stage=CaseStage.INTAKE,
        stage_text=worded(f"case.stage.{CaseStage.INTAKE}", locale),
        requested=TermsAnswer(amount_minor=case.requested_amount_minor, term_months=case.requested_term_months),
        progress_link=link_answer(deps, progress),
    )
    headers = {"Location": f"{answer.progress_link.path}/progress"}
    return Stored(status=HTTPStatus.CREATED, body=answer.model_dump(mode="json"), headers=headers)


def case_of_link(deps: ApiDeps, link: CustomerLink) -> InstallmentCase:
    """The case that a progress link is about; blocking.

    Raises:
        NotFound: it is about none.
    """
    with deps.database.read() as session:
        case = session.get(InstallmentCase, link.case_token) if link.case_token is not None else None
    if case is None or case.tenant != link.tenant:
        raise NotFound
    return case


def progress_answer(deps: ApiDeps, link: CustomerLink, *, locale: str) -> ProgressAnswer:
    """How the case stands, in the customer's words; blocking."""
    case = case_of_link(deps, link)
    with deps.database.read() as session:
        documents = case_file.documents_of_case(session, case.token)
        proposal = cases.latest_proposal(session, case_token=case.token)
        agreement = agreement_of_case(session, case_token=case.token)
        repayment = read_progress(session, agreement, locale=locale) if agreement is not None else None
    granted = None
    if case.granted_amount_minor is not None and case.granted_term_months is not None:
        granted = TermsAnswer(
            amount_minor=case.granted_amount_minor,
            term_months=case.granted_term_months,
            concession_bps=case.granted_concession_bps,
        )
    return ProgressAnswer(
        stage=case.stage,
        stage_text=worded(f"case.stage.{case.stage}", locale),
        outcome=case.outcome,
        outcome_text=worded(f"case.outcome.{case.outcome}", locale) if case.outcome is not None else None,
        requested=TermsAnswer(amount_minor=case.requested_amount_minor, term_months=case.requested_term_months),
        offered=_offered(case, proposal),
        granted=granted,
        documents=len(documents),
        repayment=repayment,
        letters=[
            LetterAnswer(
                id=row.id,
                kind=row.kind,
                kind_text=worded(f"document-kind.{row.kind}", locale),
                size_bytes=row.size_bytes,
                digest=row.digest,
            )
            for row in documents
            if row.kind in FETCHED
        ],
        withdrawal_pending=case.pending_decision_id is not None,
        created_at=case.created_at,
        updated_at=case.updated_at,
        expires_at=link.expires_at,
    )


def _offered(case: InstallmentCase, proposal: Proposal | None) -> TermsAnswer | None:
    # A recommendation is the bank's own affair until it is approved; a counter-offer is meant for the customer.
    if case.stage != CaseStage.COUNTER_OFFER or proposal is None:
        return None
    return TermsAnswer(
        amount_minor=proposal.amount_minor,
        term_months=proposal.term_months,
        concession_bps=proposal.concession_bps,
    )
