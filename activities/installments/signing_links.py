"""A customer is told, with a link of their own: link, notice and what it is about in one transaction, once per key."""

from dataclasses import dataclass, field
from datetime import datetime

from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.vault.keyring import Vault
from compliance.vault.link_tokens import PATH, token_of, whole_second
from compliance.vault.notice_secrets import seal_secrets
from models.database.engine import Database
from models.domain.application import LinkPurpose
from models.domain.notices import NoticeKind, case_tail
from models.domain.shanghai import shanghai_date
from models.domain.tokens import new_token
from models.operations.cases import NewDocument, add_document
from models.operations.notices import NewNotice, queue_notice
from models.operations.parties import NewLink, create_link
from models.queries import signing
from models.queries.notices import channel_for, notice_by_key
from models.tables.installments import InstallmentCase
from models.tables.parties import CustomerLink


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What the customer of a case is told.

    Attributes:
        business_key: of the notice; what stands under it is not told again.
        params: of the notice, beside the case and the day until which the link works.
        document: goes on record with it.
    """

    case: InstallmentCase
    business_key: str
    kind: NoticeKind
    purpose: LinkPurpose
    expires_at: datetime
    params: dict[str, int | str] = field(default_factory=dict)
    document: NewDocument | None = None


def tell(database: Database, vault: Vault, told: Told, *, links_url: str, now: datetime) -> None:
    """Make the link and queue the notice that carries it; repeatable. Earlier signing links of the case end.

    Raises:
        SubjectShredded: the person's keys were destroyed.
    """
    case, notice_id = told.case, new_token("ntc")
    link = NewLink(
        id=new_token("lnk"),
        tenant=case.tenant,
        purpose=told.purpose,
        branch=case.branch,
        created_by="workflow",
        expires_at=whole_second(told.expires_at),
        case_token=case.token,
    )
    url = f"{links_url}{PATH}/{token_of(vault, _row(link, now))}"
    cell = seal_secrets(
        vault,
        tenant=case.tenant,
        subject_id=case.subject_id,
        notice_id=notice_id,
        kind=told.kind,
        secrets={"link": url},
    )
    with unit_of_work(database, _deed(told, link, notice_id, now=now)) as unit:
        session = unit.session
        if notice_by_key(session, tenant=case.tenant, business_key=told.business_key) is not None:
            raise Unchanged
        if told.purpose is LinkPurpose.SIGNING:
            for standing in signing.standing_signing_links(session, case_token=case.token):
                standing.used_at = now
                session.add(standing)
        create_link(session, link, now=now)
        if told.document is not None:
            add_document(session, told.document, now=now)
        notice = NewNotice(
            id=notice_id,
            tenant=case.tenant,
            subject_id=case.subject_id,
            case_token=case.token,
            business_key=told.business_key,
            kind=told.kind,
            channel=channel_for(session, case.subject_id),
            params={"case": case_tail(case.token), "until": shanghai_date(link.expires_at).isoformat(), **told.params},
            secrets_cell=cell,
        )
        if queue_notice(session, notice, now=now) != notice_id:  # another try at this moment was first
            raise Unchanged


def _row(link: NewLink, now: datetime) -> CustomerLink:
    """The row as it will stand, for its token."""
    return CustomerLink(
        id=link.id,
        tenant=link.tenant,
        purpose=link.purpose,
        case_token=link.case_token,
        branch=link.branch,
        terms=link.terms,
        created_by=link.created_by,
        created_at=now,
        expires_at=link.expires_at,
    )


def _deed(told: Told, link: NewLink, notice_id: str, *, now: datetime) -> Deed:
    facts = {
        "link": link.id,
        "purpose": link.purpose.value,
        "notice": notice_id,
        "kind": told.kind.value,
        "expiresAt": link.expires_at.isoformat(),
    }
    if told.document is not None:
        facts |= {"document": told.document.id, "digest": told.document.digest}
    return Deed(
        tenant=told.case.tenant, action="link.created", target=told.case.token, actor="workflow", at=now, facts=facts
    )
