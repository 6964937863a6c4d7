"""Sends messages to customers who may have no case: answers to their requests, and that their record was changed.

A message goes out under its own key until a provider has taken it; a contact point that the record has no more is in
the message itself, sealed, and is dropped once it was used. Without a contact point the other channel is taken.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final

import structlog
from sqlmodel import col, select, update

from activities.duties.runner import Duty
from activities.transfers.notice_gateways import Carriers, Letter
from activities.transfers.notice_reach import Reaching
from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.vault.cells import CellAddress
from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.customers.message_words import FIRST_REST_S, TRIES, MessageState
from models.domain.transfers.notice_policy import NoticePolicy, Way
from models.errors import CannotOpen, GatewayRefused, GatewayUnavailable, KeysUnavailable, SubjectShredded
from models.tables.tenants import Tenant
from models.tables.transfer_notices import TransferNotice
from models.tables.transfer_telling import CustomerMessage
from models.texts.render import render

log = structlog.get_logger(__name__)
_BATCH: Final = 50
_LEASE: Final = timedelta(seconds=120)
_OTHER: Final = {Way.SMS: Way.EMAIL, Way.EMAIL: Way.SMS}
_HOURS: Final = NoticePolicy()


@dataclass(slots=True)
class CustomerMessenger(Duty):
    """Works through the queue. Two of them at once do no harm: a message is taken for one try at a time."""

    database: Database
    vault: Vault
    carriers: Carriers
    clock: Clock
    name: ClassVar[str] = "customer-messenger"
    every: ClassVar[timedelta] = timedelta(seconds=2)

    async def run_once(self, now: datetime) -> int:
        """Send what is due; returns how many the providers have taken."""
        return await asyncio.to_thread(self.send_due, now)

    def send_due(self, now: datetime) -> int:
        """As `run_once`; blocking."""
        with self.database.read() as session:
            due = session.exec(
                select(CustomerMessage)
                .where(col(CustomerMessage.state) == MessageState.QUEUED, col(CustomerMessage.due_at) <= now)
                .order_by(col(CustomerMessage.due_at), col(CustomerMessage.id))
                .limit(_BATCH)
            ).all()
            sandboxes = set(session.exec(select(Tenant.code).where(col(Tenant.sandbox))).all())
        return sum(self._one(each, is_sandbox=each.tenant in sandboxes) for each in due)

    def _one(self, message: CustomerMessage, *, is_sandbox: bool) -> bool:
        now, way = self.clock(), Way(message.channel)
        if message.expires_at <= now:
            return self._mark(message, MessageState.FAILED, now, reason="expired")
        morning = now if is_sandbox else _HOURS.may_rouse(way, now)
        if morning > now:
            return self._later(message, morning)
        if not self._taken(message, now):
            return False
        try:
            to = self._point(message, way)
            if to is None:
                return self._other_way(message, way, "no-contact-point")
            self.carriers.carry(way, self._letter(message, now), to=to)
        except SubjectShredded:
            return self._mark(message, MessageState.FAILED, now, reason="subject-shredded")
        except GatewayRefused as refused:
            return self._other_way(message, way, str(refused.params.get("reason", "refused"))[:40])
        except (GatewayUnavailable, KeysUnavailable, CannotOpen) as error:
            log.info("customer-message.not-sent", error_code=error.code)
            tries = message.attempts + 1
            if tries >= TRIES:
                return self._other_way(message, way, "no-answer")
            return self._later(message, now + timedelta(seconds=FIRST_REST_S * 2**tries))
        self._mark(message, MessageState.SENT, self.clock())
        return True

    def _point(self, message: CustomerMessage, way: Way) -> str | None:
        """Where the message goes. One to a contact point of its own goes nowhere else."""
        if message.to_cell is not None:
            address = CellAddress(message.tenant, "customer_messages", "to_cell", message.id, message.subject_id)
            return self.vault.open_text(address, message.to_cell)
        reaching = Reaching(self.database, self.vault)
        if message.record_id is not None:
            reach = reaching.of_record(message.tenant, message.record_id)
        else:
            with self.database.read() as session:
                notice = session.get(TransferNotice, str(message.params.get("notice", "")))
            reach = reaching.of_notices([notice]).get(notice.id) if notice is not None else None
        return reach.point(way) if reach is not None else None

    def _letter(self, message: CustomerMessage, now: datetime) -> Letter:
        with self.database.read() as session:
            bank = session.get_one(Tenant, message.tenant).name
        key = f"customer-message.{message.kind}"
        head = f"[{bank}] " if message.language == "en" else f"【{bank}】"
        return Letter(
            id=message.id.removeprefix("cms_"),
            name="",
            address="",
            postcode=None,
            subject=render(f"{key}.subject", message.params, message.language),
            text=head + render(f"{key}.text", message.params, message.language),
            at=now,
        )

    # Marks ------------------------------------------------------------------------------------------------------------

    def _taken(self, message: CustomerMessage, now: datetime) -> bool:
        """Take it for one try: to open somebody's contact point is a deed."""
        return self._change(message, "customer-message.tried", now, attempts=message.attempts + 1, due_at=now + _LEASE)

    def _later(self, message: CustomerMessage, at: datetime) -> bool:
        self._change(message, "customer-message.delayed", self.clock(), due_at=at)
        return False

    def _other_way(self, message: CustomerMessage, way: Way, reason: str) -> bool:
        """The other channel, if it was not tried and the message is not for one point alone."""
        now = self.clock()
        if message.to_cell is not None or message.reason_code is not None:
            return self._mark(message, MessageState.FAILED, now, reason=reason)
        other = _OTHER[way].value
        self._change(
            message, "customer-message.other-channel", now, channel=other, reason_code=reason, attempts=0, due_at=now
        )
        return False

    def _mark(self, message: CustomerMessage, state: MessageState, now: datetime, *, reason: str | None = None) -> bool:
        values: dict[str, object] = {"state": state.value, "to_cell": None}
        if state is MessageState.SENT:
            values["sent_at"] = now
        else:
            values["reason_code"] = reason
        self._change(message, f"customer-message.{state.lower()}", now, **values)
        return False

    def _change(self, message: CustomerMessage, action: str, now: datetime, **values: object) -> bool:
        """A compare-and-set by what was read; False: somebody else has it."""
        changed = False
        deed = Deed(
            tenant=message.tenant,
            action=action,
            target=message.id,
            actor=f"duty:{self.name}",
            at=now,
            facts={"kind": message.kind, "channel": message.channel, "subject": message.subject_id},
        )
        with unit_of_work(self.database, deed) as unit:
            done = unit.session.exec(
                update(CustomerMessage)
                .where(
                    col(CustomerMessage.id) == message.id,
                    col(CustomerMessage.state) == MessageState.QUEUED,
                    col(CustomerMessage.attempts) == message.attempts,
                    col(CustomerMessage.due_at) == message.due_at,
                )
                .values(**values)
                .execution_options(synchronize_session=False)
            )
            if not done.rowcount:
                raise Unchanged
            changed = True
        if changed:
            for name in values.keys() & {"attempts", "due_at"}:
                setattr(message, name, values[name])
        return changed
