"""Files of a run leave for the bank (送盘): reserved, written, checked, sent, marked; each exactly once.

MsgId, time and name stand in SQL before the first byte, and with them which orders are in the file. Until the commit
that marks it as written an order can be taken out of it, and it is written anew; from then on it is the same byte for
byte, after a crash at any point.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any, Final

from sqlmodel import Session, col, update

from activities.batches.bank_orders import OrderOpener
from activities.batches.bank_work import BankWork, unless_nothing
from activities.batches.timing import due_in_s
from activities.exchange.bank_ids import TRANSFERS, batch_of
from activities.gateways.bank.checks import check_pain008
from activities.gateways.bank.document import WrittenFile
from activities.gateways.bank.fields import FieldRules
from activities.gateways.bank.orders import DebitBatch, DebitFile, DebitOrder, faults_of
from activities.gateways.bank.pain001 import write_pain001
from activities.gateways.bank.pain008 import write_pain008
from activities.gateways.bank.port import OutboundFile
from activities.gateways.bank.profiles import PROFILES, BankProfile
from activities.gateways.bank.profiles import Sequence as DebitSequence
from activities.gateways.bank.transfer_checks import check_pain001
from activities.gateways.bank.transfers import TransferBatch, TransferFile, TransferOrder, transfer_faults
from compliance.audit.unit import Unchanged, Unit
from models.contracts.batch_steps import FilesSent
from models.domain.batches.kinds import KINDS, KindName
from models.domain.batches.states import FinalState, OrderReason, OrderState
from models.domain.daily import FileState
from models.errors import CannotOpen, SubjectShredded
from models.operations.bank_files import NewFile, mark_written, reserve_file
from models.operations.batches.order_states import move_orders
from models.operations.batches.taking_out import take_out
from models.queries.batches.outgoing import (
    FileContents,
    contents_of,
    files_of,
    in_order,
    orders_in,
    queued_orders,
    stopped_in,
)
from models.tables.batch_runs import BatchOrder, BatchRun
from models.tables.daily import BankFile

CHUNK: Final = 500
_PURPOSES: Final = {KindName.PAYROLL: "SALA"}  # ISO external category purpose: salary payment
_LEAVING: Final = (FileState.RESERVED, FileState.WRITTEN)


@dataclass(frozen=True, slots=True)
class _Examined:
    """An order, the file that it belongs to, and as a code why it cannot stand in one."""

    order: BatchOrder
    profile: str
    problem: str | None


class _OvertakenError(Exception):
    """What was written is not what is to leave."""


@dataclass(frozen=True, slots=True)
class RunSender:
    """The step, over one run."""

    bank: BankWork
    opener: OrderOpener

    def run(self) -> FilesSent:
        """Everything that waits and may leave now. What a file carries goes out even behind the cut-off of its day."""
        stopped = self._stopped()
        if stopped is not None:
            return stopped
        settings, now = self.bank.settings, self.bank.work.clock()
        wait = due_in_s(now, on=self.bank.day.on, cut_off=settings.cut_off, is_bank_day=self.bank.is_bank_day)
        self._tidy()
        if wait is None and not self._cancelled():
            self._put_all()
        files, orders, total = 0, 0, 0
        for file in self._files():
            if not self._send(file):
                continue
            with self.bank.work.database.read() as session:
                sent = session.get_one(BankFile, file.id)
            files, orders, total = files + 1, orders + sent.items, total + sent.total_minor
        left = self._queued(limit=1)
        return FilesSent(files=files, orders=orders, amount_minor=total, due_in_s=(wait or 1) if left else None)

    def _stopped(self) -> FilesSent | None:
        with self.bank.work.database.read() as session:
            run = session.get_one(BatchRun, self.bank.work.run.token)
        if run.paused_at is not None:
            return FilesSent(files=0, orders=0, amount_minor=0, paused=True)
        if run.tripped is not None and run.cancel_asked_at is None:
            return FilesSent(files=0, orders=0, amount_minor=0, stopped=run.tripped)
        return None

    def hand_over(self) -> None:
        """Files of a stopped run that are written may be at the bank: they go out whole, and are followed."""
        for file in self._files():
            if file.state == FileState.WRITTEN:
                self._send(file)

    def _cancelled(self) -> bool:
        with self.bank.work.database.read() as session:
            return session.get_one(BatchRun, self.bank.work.run.token).cancel_asked_at is not None

    def _tidy(self) -> None:
        """What a killed sender left of files that have gone out: they name people in clear."""
        with self.bank.work.database.read() as session:
            gone = [file.name for file in files_of(session, self.bank.work.run) if file.state == FileState.SENT]
        for name in gone:
            (self.bank.bank.spool / name).unlink(missing_ok=True)

    # -- which orders stand in which file

    def _put_all(self) -> None:
        while orders := self._queued(limit=CHUNK):
            with self.bank.work.database.read() as session:
                examined = self._examine(session, orders)
            self.bank.write("batch.file-reserved", partial(self._assign, examined))
            self.bank.rest()

    def _queued(self, *, limit: int) -> list[BatchOrder]:
        with self.bank.work.database.read() as session:
            return queued_orders(session, self.bank.work.run.token, limit=limit)

    def _examine(self, session: Session, orders: Sequence[BatchOrder]) -> list[_Examined]:
        mandates, payees = self.opener.mandates(session, orders), self.opener.payees(session, orders)
        seen = []
        for order in orders:
            mandate = mandates.get(order.mandate_id or "")
            profile = self.opener.profile_of(order, mandate)
            if profile is None or profile.name not in self.bank.bank.creditors:
                reason = OrderReason.NO_MANDATE if self.opener.is_debit and mandate is None else None
                seen.append(_Examined(order, "", reason or OrderReason.PROFILE_REFUSES))
                continue
            if mandate is not None and mandate.revoked_at is not None:  # stopped since the order was made
                seen.append(_Examined(order, profile.name, OrderReason.MANDATE_REVOKED))
                continue
            try:
                if mandate is not None:
                    faults = faults_of(
                        self.opener.debit(order, mandate, profile), rules=FieldRules(profile), profile=profile
                    )
                else:
                    opened = self.opener.transfer(order, payees[order.member], profile)
                    faults = transfer_faults(opened, rules=FieldRules(profile), profile=profile)
            except (CannotOpen, SubjectShredded, KeyError):
                seen.append(_Examined(order, profile.name, OrderReason.CANNOT_OPEN))
                continue
            seen.append(_Examined(order, profile.name, OrderReason.PROFILE_REFUSES if faults else None))
        return seen

    def _assign(self, examined: Sequence[_Examined], unit: Unit, now: datetime) -> Mapping[str, int]:
        """Put orders that the bank would read into their file; the others are withdrawn, each with its reason."""
        put = withdrawn = 0
        for problem in sorted({each.problem for each in examined if each.problem is not None}):
            bad = [each.order for each in examined if each.problem == problem]
            withdrawn += len(
                move_orders(
                    unit.session, bad, to=OrderState.WITHDRAWN, cause="not-in-file", reason_code=problem, now=now,
                    final_state=FinalState.WITHDRAWN.value, final_at=now,
                )
            )  # fmt: skip
        for name in sorted({each.profile for each in examined if each.problem is None}):
            good = [each.order for each in examined if each.profile == name and each.problem is None]
            file = self._file_for(unit.session, PROFILES[name], now=now)
            put += len(
                move_orders(
                    unit.session, good, to=OrderState.IN_FILE, cause=f"file/{file.id}", file_id=file.id, now=now
                )
            )
        return unless_nothing({"orders": put, "withdrawn": withdrawn})

    def _file_for(self, session: Session, profile: BankProfile, *, now: datetime) -> BankFile:
        """The file of this run, profile and date that is not written yet, or else its next one."""
        known = [file for file in files_of(session, self.bank.work.run) if _profile_of(file) is profile]
        last = known[-1] if known else None
        if last is not None:  # held, so that a sender who was overtaken does not mark it as written meanwhile
            session.refresh(last, with_for_update=True)
        if last is not None and last.state == FileState.RESERVED and last.business_date == self.bank.day.on:
            return last
        kind = KINDS[KindName(self.bank.work.run.kind)].message
        number = len(files_of(session, self.bank.work.run)) + 1
        # From the business alone, within 35 characters together with the batch's suffix.
        message = f"B{self.bank.work.run.token.rpartition('.')[2]}-{number:02X}"
        version = profile.pain001 if kind == TRANSFERS else profile.pain008
        new = NewFile(
            tenant=self.bank.day.tenant,
            name=f"{message}.{profile.name}.{version}.xml",
            message_id=message,
            business_date=self.bank.day.on,
            kind=kind,
        )
        return reserve_file(session, new, now=now)

    # -- one file

    def _files(self) -> list[BankFile]:
        with self.bank.work.database.read() as session:
            return [file for file in files_of(session, self.bank.work.run) if file.state in _LEAVING]

    def _send(self, file: BankFile) -> bool:
        """Write, mark, hand over, mark again. False: nothing is to leave in it now."""
        while True:
            self._take_out(file)
            contents = self._contents(file)
            if not contents.count:
                return False
            written = self._write(file, contents)
            try:
                self.bank.write("batch.file-written", partial(self._written, file, written, contents), file=file.id)
                break
            except _OvertakenError:  # somebody has stopped an order of it, or the run, while it was being written
                written.path.unlink(missing_ok=True)
                if self._cancelled():
                    return False
        self.bank.bank.port.send(OutboundFile(name=written.name, path=written.path, digest=written.digest))
        self._mark_sent(file)
        written.path.unlink(missing_ok=True)  # it names people in clear
        return True

    def _take_out(self, file: BankFile) -> None:
        """Orders whose mandate was stopped since they were put into the file, as long as it is not written."""
        if file.state != FileState.RESERVED:
            return
        with self.bank.work.database.read() as session:
            stopped = stopped_in(session, file.id)
        for first in range(0, len(stopped), CHUNK):
            part = stopped[first : first + CHUNK]

            def out(unit: Unit, now: datetime, ids: Sequence[str] = part) -> Mapping[str, int]:
                orders, reason = in_order(unit.session, ids), OrderReason.MANDATE_REVOKED
                taken = take_out(unit.session, orders, cause=f"out-of-file/{file.id}", reason_code=reason, now=now)
                return unless_nothing({"orders": len(taken)})

            self.bank.write("batch.orders-withdrawn", out, file=file.id)

    def _contents(self, file: BankFile) -> FileContents:
        with self.bank.work.database.read() as session:
            return contents_of(session, file.id)

    def _write(self, file: BankFile, contents: FileContents) -> WrittenFile:
        profile, kind = _profile_of(file), file.kind
        with self.bank.work.database.read() as session:
            ids = orders_in(session, file.id)
            payer = None
            own = self.bank.bank.creditors[profile.name]
            if kind == TRANSFERS:
                payer = self.opener.payer(session, own=own)
        requested = self.bank.collection_date(max(file.business_date, contents.wanted_on or file.business_date))
        message, created_at = file.message_id or "", file.created_at.replace(microsecond=0)
        common: dict[str, Any] = {
            "batch_id": batch_of(message, kind=kind),
            "requested_date": requested,
            "currency": profile.currency,
        }
        spool = self.bank.bank.spool
        check: dict[str, Any] = {"profile": profile, "as_of": file.business_date}
        is_day: Callable[[date], bool] = lambda day: day == requested  # noqa: E731 - the calendar has spoken already
        if payer is not None:
            transfers = TransferBatch(
                **common, payer=payer, count=contents.count, sum_minor=contents.sum_minor,
                transfers=self._transfers(ids, profile), purpose=_PURPOSES.get(KindName(self.bank.work.run.kind), ""),
            )  # fmt: skip
            whole = TransferFile(
                message_id=message, created_at=created_at, file_name=file.name, initiator=payer.name,
                batches=(transfers,),
            )  # fmt: skip
            written = write_pain001(whole, profile=profile, folder=spool)
            check_pain001(written.path, **check, is_bank_day=is_day).require_ok()
            return written
        debits = DebitBatch(
            **common, creditor=own, sequence=DebitSequence.RECURRING, count=contents.count,
            sum_minor=contents.sum_minor, debits=self._debits(ids, profile),
        )  # fmt: skip
        debit_file = DebitFile(
            message_id=message, created_at=created_at, file_name=file.name, initiator=own.name, batches=(debits,)
        )
        written = write_pain008(debit_file, profile=profile, folder=spool)
        check_pain008(written.path, **check, is_bank_day=is_day).require_ok()
        return written

    def _debits(self, ids: Sequence[str], profile: BankProfile) -> Iterator[DebitOrder]:
        for orders in self._chunks(ids):
            with self.bank.work.database.read() as session:
                mandates = self.opener.mandates(session, orders)
            for order in orders:
                yield self.opener.debit(order, mandates[order.mandate_id or ""], profile)

    def _transfers(self, ids: Sequence[str], profile: BankProfile) -> Iterator[TransferOrder]:
        for orders in self._chunks(ids):
            with self.bank.work.database.read() as session:
                payees = self.opener.payees(session, orders)
            for order in orders:
                yield self.opener.transfer(order, payees[order.member], profile)

    def _chunks(self, ids: Sequence[str]) -> Iterator[list[BatchOrder]]:
        for first in range(0, len(ids), CHUNK):
            with self.bank.work.database.read() as session:
                yield in_order(session, ids[first : first + CHUNK])
            self.bank.rest()

    def _written(
        self, file: BankFile, written: WrittenFile, contents: FileContents, unit: Unit, now: datetime
    ) -> Mapping[str, int]:
        """The point of no return: from this commit on the bank is taken to have the file.

        A file that was written again and came out otherwise is refused here, before it leaves (BankFileConflict).

        Raises:
            _OvertakenError: it is not written yet, and an order of it, or the run, was stopped meanwhile.
        """
        del now
        session = unit.session
        fresh = session.get_one(BankFile, file.id, with_for_update=True, populate_existing=True)
        if fresh.state == FileState.RESERVED:
            run = session.get_one(BatchRun, self.bank.work.run.token, populate_existing=True)
            changed = contents_of(session, file.id) != contents
            if run.cancel_asked_at is not None or changed or stopped_in(session, file.id):
                raise _OvertakenError
        before = fresh.digest
        mark_written(session, file.id, digest=written.digest, items=written.count, total_minor=written.sum_minor)
        if before is not None:
            raise Unchanged
        unit.deed.facts |= {"digest": written.digest}
        return {"orders": written.count}

    def _mark_sent(self, file: BankFile) -> None:
        with self.bank.work.database.read() as session:
            ids = orders_in(session, file.id)

        def mark(chunk: Sequence[str], unit: Unit, now: datetime) -> Mapping[str, int]:
            orders = in_order(unit.session, chunk)
            return unless_nothing({"orders": len(mark_left(unit.session, orders, now=now))})

        for first in range(0, len(ids), CHUNK):
            part = ids[first : first + CHUNK]
            self.bank.write("batch.file-sent", partial(mark, part), file=file.id)
            self.bank.rest()

        def close(unit: Unit, _now: datetime) -> Mapping[str, int]:
            done = unit.session.exec(
                update(BankFile)
                .where(col(BankFile.id) == file.id, col(BankFile.state) != FileState.SENT)
                .values(state=FileState.SENT.value)
                .execution_options(synchronize_session=False)
            ).rowcount
            return unless_nothing({"orders": len(ids) * int(done > 0)})

        self.bank.write("batch.file-sent", close, file=file.id)


def mark_left(session: Session, orders: Sequence[BatchOrder], *, now: datetime) -> list[str]:
    """Orders of a file have left the house; also the bank's answer says so, where we were killed before we noted it."""
    left = [order for order in orders if order.state == OrderState.IN_FILE]
    moved: list[str] = []
    for file_id in sorted({order.file_id or "" for order in left}):
        mine = [order for order in left if order.file_id == file_id]
        moved += move_orders(session, mine, to=OrderState.SENT, cause=f"sent/{file_id}", now=now)
    return moved


def _profile_of(file: BankFile) -> BankProfile:
    return PROFILES[file.name.split(".")[1]]
