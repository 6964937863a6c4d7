"""Step 6: queued orders go to the bank as one file per profile (送盘).

Names and accounts are opened in memory, chunk by chunk, while the file is written. The file is the same byte for byte
however often it is written, and goes out once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlmodel import col, select

from activities.daily.calendar import BankCalendar
from activities.daily.chunks import CHUNK, DayWork
from activities.exchange.accounts import account_index
from activities.exchange.bank import BankConnection
from activities.exchange.bank_ids import bank_id
from activities.gateways.bank.checks import check_pain008
from activities.gateways.bank.fields import FieldRules
from activities.gateways.bank.naming import batch_id, file_name, message_id
from activities.gateways.bank.orders import DebitBatch, DebitFile, faults_of
from activities.gateways.bank.orders import DebitOrder as FileOrder
from activities.gateways.bank.pain008 import write_pain008
from activities.gateways.bank.port import OutboundFile
from activities.gateways.bank.profiles import PROFILES, SEPA, BankProfile
from activities.gateways.bank.profiles import Sequence as DebitSequence
from compliance.audit.unit import Unchanged, Unit
from compliance.vault.cells import RowAddress
from compliance.vault.keyring import Vault
from models.domain.batches.states import OrderReason
from models.domain.daily import FileState, OrderState
from models.errors import CannotOpen, SubjectShredded
from models.operations import bank_files
from models.operations.bank_files import NewFile
from models.operations.batches.daily_mirror import account_sent, account_withdrawn
from models.operations.business_dates import note_exception
from models.queries.daily import files_out, queued_orders, unanswered_orders
from models.tables.agreements import Agreement, Mandate
from models.tables.daily import BankFile, DebitOrder

_NUMBERS: Final = {name: number for number, name in enumerate(sorted(PROFILES), start=1)}
_UNKNOWN_PROFILE: Final = "unknown-profile"
_NOT_OPENED: Final = "cannot-open"
_REASONS: Final[dict[str | None, OrderReason]] = {_NOT_OPENED: OrderReason.CANNOT_OPEN}


@dataclass(frozen=True, slots=True)
class _Line:
    """An order with what a file needs of its mandate; sealed still."""

    order: DebitOrder
    mandate: Mandate
    currency: str


@dataclass(frozen=True, slots=True)
class _Examined:
    """An order, and as a code why it cannot stand in a file of its profile."""

    order_id: str
    profile: str
    problem: str | None
    account_index: bytes | None


@dataclass(frozen=True, slots=True)
class FileSender:
    """The step, over one bank."""

    work: DayWork
    vault: Vault
    bank: BankConnection

    def run(self) -> None:
        """Reserve, write, send, mark; each repeatable."""
        day = self.work.day
        with self.work.database.read() as session:
            waiting = queued_orders(session, tenant=day.tenant)
            late = unanswered_orders(session, tenant=day.tenant, on=day.on)
        for first in range(0, len(waiting), CHUNK):
            examined = [self._examined(line) for line in self._lines(waiting[first : first + CHUNK])]
            self.work.in_chunks(examined, self._assign, name=lambda each: each.order_id)
        with self.work.database.read() as session:
            files = files_out(session, tenant=day.tenant, on=day.on)
        for file in files:
            if file.state != FileState.SENT:
                self._send(file)
        for order_id in late:
            self.work.note(order_id, "unanswered")
        self.work.finish()

    def _assign(self, unit: Unit, examined: Sequence[_Examined], now: datetime) -> Mapping[str, int]:
        """Put orders that the bank would read into their file; the others are withdrawn."""
        day, put = self.work.day, 0
        bad = [each for each in examined if each.problem is not None]
        for name in sorted({each.profile for each in examined if each.problem is None}):
            good = [each.order_id for each in examined if each.profile == name and each.problem is None]
            file = bank_files.reserve_file(unit.session, self._new_file(PROFILES[name]), now=now)
            put += bank_files.assign_orders(unit.session, file, good, now=now)
        asked = {each.order_id: each.account_index for each in examined if each.problem is None}
        bank_files.note_accounts(unit.session, asked)
        for each in bad:
            order = unit.session.get_one(DebitOrder, each.order_id)
            order.state, order.updated_at = OrderState.WITHDRAWN, now
            unit.session.add(order)
            code = each.problem or ""
            note_exception(unit.session, day, step=self.work.step, target=order.id, code=code, now=now)
        if not put and not bad:
            raise Unchanged
        if bad:
            reasons = {each.order_id: _REASONS.get(each.problem, OrderReason.PROFILE_REFUSES) for each in bad}
            account_withdrawn(unit.session, reasons, on=day.on, now=now)
        return {"inFile": put, "withdrawn": len(bad)}

    def _new_file(self, profile: BankProfile) -> NewFile:
        day = self.work.day
        message = message_id(day.tenant, business_date=day.on, number=_NUMBERS[profile.name])
        return NewFile(
            tenant=day.tenant,
            name=file_name(message, profile=profile),
            message_id=message,
            business_date=day.on,
        )

    def _examined(self, line: _Line) -> _Examined:
        """Whether an order can stand in a file; if not, why, as a code."""
        order_id, name = line.order.id, line.mandate.profile
        profile = PROFILES.get(name)
        if profile is None or profile.name not in self.bank.creditors:
            return _Examined(order_id, name, _UNKNOWN_PROFILE, None)
        try:
            opened = self._opened(line, profile)
        except (CannotOpen, SubjectShredded):
            return _Examined(order_id, name, _NOT_OPENED, None)
        faults = faults_of(opened, rules=FieldRules(profile), profile=profile)
        asked = account_index(self.vault, self.work.day.tenant, opened.debtor_account)
        return _Examined(order_id, name, faults[0].code if faults else None, asked)

    def _send(self, file: BankFile) -> None:
        with self.work.database.read() as session:
            ids = bank_files.orders_in(session, file.id)
            count, total = bank_files.totals(session, file.id)
        if not ids:
            return
        profile = self._profile_of(file)
        collected_on = self._calendar().collection_date(self.work.day.on)
        creditor = self.bank.creditors[profile.name]
        message = file.message_id or ""
        batch = DebitBatch(
            batch_id=batch_id(message, sequence=DebitSequence.RECURRING),
            creditor=creditor,
            requested_date=collected_on,
            sequence=DebitSequence.RECURRING,
            currency=profile.currency,
            count=count,
            sum_minor=total,
            debits=self._debits(ids, profile),
        )
        whole = DebitFile(
            message_id=message,
            created_at=file.created_at.replace(microsecond=0),
            file_name=file.name,
            initiator=creditor.name,
            batches=(batch,),
        )
        written = write_pain008(whole, profile=profile, folder=self.bank.spool)
        check_pain008(
            written.path,
            profile=profile,
            as_of=self.work.day.on,
            is_bank_day=lambda day: day == collected_on,  # the calendar has spoken already
        ).require_ok()
        self.work.once(lambda unit, _now: self._written(unit, file.id, written.digest, count, total))
        self.bank.port.send(OutboundFile(name=written.name, path=written.path, digest=written.digest))
        self._mark_sent(file, ids)
        written.path.unlink(missing_ok=True)  # it names people in clear

    def _mark_sent(self, file: BankFile, ids: Sequence[str]) -> None:
        def mark(unit: Unit, chunk: Sequence[str], now: datetime) -> Mapping[str, int]:
            sent = bank_files.mark_orders_sent(unit.session, chunk, now=now)
            if not sent:
                raise Unchanged
            account_sent(unit.session, chunk, file_id=file.id, now=now)
            unit.deed.facts["file"] = file.id
            return {"sent": sent}

        def close(unit: Unit, _now: datetime) -> Mapping[str, int]:
            row = unit.session.get_one(BankFile, file.id)
            row.state = FileState.SENT
            unit.session.add(row)
            unit.deed.facts |= {"file": row.id, "digest": row.digest, "sumMinor": row.total_minor}
            return {"files": 1}

        self.work.in_chunks(ids, mark, name=str)
        self.work.once(close)

    @staticmethod
    def _written(unit: Unit, file_id: str, digest: str, count: int, total: int) -> Mapping[str, int]:
        bank_files.mark_written(unit.session, file_id, digest=digest, items=count, total_minor=total)
        unit.deed.facts |= {"file": file_id, "digest": digest}
        return {}

    def _profile_of(self, file: BankFile) -> BankProfile:
        return next(profile for profile in PROFILES.values() if self._new_file(profile).message_id == file.message_id)

    def _calendar(self) -> BankCalendar:
        return BankCalendar(replace(self.work, is_bank_day=self.bank.is_bank_day))

    def _debits(self, ids: Sequence[str], profile: BankProfile) -> Iterator[FileOrder]:
        for first in range(0, len(ids), CHUNK):
            lines = self._lines(ids[first : first + CHUNK])
            self.vault.load_subjects(self.work.day.tenant, {line.mandate.subject_id for line in lines})
            for line in lines:
                yield self._opened(line, profile)
            self.work.rest()

    def _lines(self, ids: Sequence[str]) -> list[_Line]:
        with self.work.database.read() as session:
            found = session.exec(
                select(DebitOrder, Mandate, Agreement.currency)
                .join(Mandate, col(Mandate.id) == col(DebitOrder.mandate_id))
                .join(Agreement, col(Agreement.id) == col(DebitOrder.agreement_id))
                .where(col(DebitOrder.id).in_(ids))
                .order_by(col(DebitOrder.end_to_end_id))
            ).all()
        return [_Line(order, mandate, currency) for order, mandate, currency in found]

    def _opened(self, line: _Line, profile: BankProfile) -> FileOrder:
        order, mandate = line.order, line.mandate
        row = RowAddress(tenant=mandate.tenant, table="mandates", row=mandate.id, subject=mandate.subject_id)
        cells = {"account_cell": mandate.account_cell, "holder_cell": mandate.holder_cell}
        clear = self.vault.open_many_text(row, cells)
        return FileOrder(
            end_to_end_id=order.end_to_end_id,
            instruction_id=bank_id(order.id),
            mandate_id=bank_id(mandate.id),
            mandate_signed=mandate.signed_on,
            amount_minor=order.amount_minor,
            currency=line.currency,
            debtor_name=clear["holder_cell"],
            debtor_account=clear["account_cell"],
            debtor_bank=mandate.bank_code or "",
            remittance=_remittance(order, profile),
        )


def _remittance(order: DebitOrder, profile: BankProfile) -> str:
    """What the customer reads on the statement."""
    return f"Installment {order.row_no}" if profile.name == SEPA.name else f"分期还款 第{order.row_no}期"
