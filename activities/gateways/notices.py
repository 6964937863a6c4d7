"""The step that sends a notice: takes it for one try, opens where it goes, hands it over under its id, marks it.

The contact point and the text live in memory for the length of the try. A try that was killed is over when its lease
ends; the next one sends the same words under the same id, so that a provider which got the first drops the second.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlmodel import Session
from temporalio import activity

from activities.gateways.messages import Message, MessageGateway, NotConnected
from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.rules.evaluate import blocks, evaluate_rule
from compliance.rules.results import Verdict
from compliance.vault.cells import CellAddress
from compliance.vault.keyring import Vault
from compliance.vault.notice_secrets import open_secrets
from compliance.verdicts import verdict_rows
from models.contracts.notices import NoticeAnswer, SendNoticeInput
from models.database.engine import Database
from models.domain.application import ContactChannel
from models.domain.clock import Clock
from models.domain.notices import NoticeChannel, NoticeKind, NoticeState, contact_hour, message_id_of
from models.domain.shanghai import shanghai_date
from models.domain.states import Gate
from models.errors import GatewayRefused, GatewayUnavailable, SubjectShredded
from models.operations import notices
from models.queries.notices import contact_point_for
from models.queries.products import collection_policy_of
from models.tables.notices import Notice
from models.tables.tenants import Tenant
from models.texts.notices import notice_words
from workflows.ports.notices import NoticePort

_NOT_CONNECTED: Final = NotConnected()


@dataclass(slots=True)
class SqlNotices(NoticePort):
    """The adapter; a channel without a gateway refuses every notice as `not-connected`. `actor` goes on record."""

    database: Database
    vault: Vault
    gateways: Mapping[NoticeChannel, MessageGateway]
    clock: Clock
    actor: str = "workflow"

    @activity.defn(name="notices.send", no_thread_cancel_exception=True)
    def send(self, input: SendNoticeInput) -> NoticeAnswer:
        """Send one queued notice; repeated, the provider gets it under the same id."""
        return self.deliver(input.notice_id)

    def deliver(self, notice_id: str) -> NoticeAnswer:
        """As `send`, for the notifier.

        Raises:
            GatewayUnavailable: the provider did not answer, or another try is under way; try again.
        """
        now = self.clock()
        notice = self._taken(notice_id, now)
        if notice is None:
            return self._as_it_stands(notice_id, now)
        try:
            message = self._message(notice, now)
        except SubjectShredded:
            message = None
            reason = "subject-shredded"
        else:
            reason = "no-contact-point"
        if message is None:
            return self._not_sent(notice, NoticeState.SKIPPED, reason)
        verdict = self._lint(notice, message)
        if blocks(result=verdict.result, severity=verdict.severity):
            return self._not_sent(notice, NoticeState.FAILED, "blocked-by-rule", against=verdict)
        try:
            receipt = self.gateways.get(message.channel, _NOT_CONNECTED).send(message)
        except GatewayRefused as refused:
            return self._not_sent(notice, NoticeState.FAILED, str(refused.params.get("reason", "refused")))
        except GatewayUnavailable:
            self._later(notice)
            raise
        at = self.clock()
        deed = self._deed(notice, "notice.sent", at)
        with unit_of_work(self.database, deed) as unit:
            if not notices.mark_sent(unit.session, notice_id, provider_ref=receipt.ref, now=at):
                raise Unchanged
        return NoticeAnswer(notice_id=notice_id, state=NoticeState.SENT)

    def _taken(self, notice_id: str, now: datetime) -> Notice | None:
        """The notice, ours for one try; None if there is nothing to try now."""
        taken: Notice | None = None
        with self.database.read() as session:
            notice = session.get_one(Notice, notice_id)
            at_once = _may_go_now(session, notice, now)
        if notice.state != NoticeState.QUEUED:
            return None
        if notice.expires_at <= now:
            self._not_sent(notice, NoticeState.FAILED if notice.attempts else NoticeState.SKIPPED, "expired")
            return None
        # To open somebody's contact point is a deed, whatever comes of it.
        deed = self._deed(notice, "notice.tried" if at_once else "notice.postponed", now, target=notice.id)
        with unit_of_work(self.database, deed) as unit:
            if not at_once:
                until = contact_hour(NoticeKind(notice.kind), now)
                if notice.send_after >= until or not notices.postpone(unit.session, notice_id, until=until):
                    raise Unchanged
            elif notices.begin_try(unit.session, notice_id, now=now):
                taken = unit.session.get_one(Notice, notice_id, populate_existing=True)
                unit.deed.facts["attempt"] = taken.attempts
            else:
                raise Unchanged
        return taken

    def _as_it_stands(self, notice_id: str, now: datetime) -> NoticeAnswer:
        with self.database.read() as session:
            notice = session.get_one(Notice, notice_id)
        if notice.state == NoticeState.QUEUED and notice.send_after <= now:
            raise GatewayUnavailable(detail="a try is under way, or has just failed")
        return NoticeAnswer(notice_id=notice_id, state=notice.state, reason_code=notice.reason_code)

    def _message(self, notice: Notice, now: datetime) -> Message | None:
        """What is handed over; None if there is no contact point for the channel."""
        channel, kind = NoticeChannel(notice.channel), NoticeKind(notice.kind)
        with self.database.read() as session:
            point = contact_point_for(session, notice.subject_id, channel=channel)
            bank = session.get_one(Tenant, notice.tenant).name
        if point is None:
            return None
        address = CellAddress(
            tenant=point.tenant, table="contact_points", column="value_cell", row=point.id, subject=point.subject_id
        )
        secrets = open_secrets(
            self.vault,
            tenant=notice.tenant,
            subject_id=notice.subject_id,
            notice_id=notice.id,
            cell=notice.secrets_cell,
        )
        words = notice_words(kind, {**notice.params, **secrets}, channel=channel, locale=notice.locale, bank=bank)
        return Message(
            id=message_id_of(tenant=notice.tenant, business_key=notice.business_key),
            channel=channel,
            to=self.vault.open_text(address, point.value_cell),
            subject=words.subject,
            text=words.text,
            at=now,
        )

    def _lint(self, notice: Notice, message: Message) -> Verdict:
        """What the bans of collection say of our own words (COLL-CBA-BAN): a notice goes to its person's own point."""
        with self.database.read() as session:
            policy = collection_policy_of(session, notice.tenant)
        facts = {
            "contact_channel": ContactChannel.MESSAGE.value,
            "banned_words_found": policy.banned_in(f"{message.subject or ''}{message.text}"),
        }
        return evaluate_rule("COLL-CBA-BAN", facts, as_of=shanghai_date(message.at))

    def _not_sent(
        self, notice: Notice, state: NoticeState, reason: str, *, against: Verdict | None = None
    ) -> NoticeAnswer:
        deed = self._deed(notice, f"notice.{state.lower()}", self.clock())
        deed.facts["reason"] = reason
        with unit_of_work(self.database, deed) as unit:
            if not notices.mark_unsent(unit.session, notice.id, state=state, reason_code=reason):
                raise Unchanged
            if against is not None:
                deed.facts["rule"] = against.rule_id
                if notice.case_token is not None:
                    key = f"notice/{notice.id}"
                    unit.session.add_all(
                        verdict_rows([against], gate=Gate.CONTACT, case_token=notice.case_token, key=key, now=deed.at)
                    )
        return NoticeAnswer(notice_id=notice.id, state=state, reason_code=reason)

    def _deed(self, notice: Notice, action: str, now: datetime, *, target: str | None = None) -> Deed:
        return Deed(
            tenant=notice.tenant,
            action=action,
            target=target or notice.case_token or notice.id,
            actor=self.actor,
            at=now,
            facts={"notice": notice.id, "kind": notice.kind, "channel": notice.channel, "subject": notice.subject_id},
        )

    def _later(self, notice: Notice) -> None:
        now = self.clock()
        with unit_of_work(self.database, self._deed(notice, "notice.delayed", now, target=notice.id)) as unit:
            if not notices.try_later(unit.session, notice.id, attempts=notice.attempts, now=now):
                raise Unchanged


def _may_go_now(session: Session, notice: Notice, now: datetime) -> bool:
    """Whether nobody is disturbed. In a sandbox there are no debtors, and its clock is not its business date."""
    return contact_hour(NoticeKind(notice.kind), now) <= now or session.get_one(Tenant, notice.tenant).sandbox
