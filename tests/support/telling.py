"""A transfer job with generated customers, real receivers of text messages and mail, and what tells them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from sqlmodel import col, select

from activities.gateways.mail_smtp import MailSmtp, SmtpServer, SmtpTls
from activities.gateways.messages import MessageGateway
from activities.gateways.sms_http import SmsHttp
from activities.gateways.spool import Spool
from activities.transfers.notice_gateways import Carriers, LetterSpool
from activities.transfers.notices import ReceiptSource, SqlNotices
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.vault.keyring import Vault
from compliance.vault.transfer_rows import seal_rows
from deploy.demo.receivers import LOOPBACK, HookReceiver, MailReceiver
from models.contracts.transfers import ChunkStep, JobStep, NoticesLeft
from models.database.engine import Database
from models.domain.notices import NoticeChannel
from models.domain.tokens import new_case_token, new_token
from models.domain.transfers.states import JobStage, NoticeState
from models.operations.assessments import model_assessment
from models.tables.tenants import Tenant
from models.tables.transfer_notices import TransferNotice, TransferNoticeAttempt
from models.tables.transfers import TransferJob, TransferRow, TransferSource
from tests.support.clock import FakeClock
from tests.support.training import sponsored

SOURCE, TARGET = "seller", "main"
LINKS = "https://casework.bank.example"
PLAN: dict[str, Any] = {
    "notice": {
        "source": {"zh-CN": "甲银行", "en": "Bank A"},
        "recipient": {"zh-CN": "乙银行", "en": "Bank B"},
        "contacts": "400-000-0000",
        "purpose": {"zh-CN": "继续为您提供账户服务", "en": "serving your account"},
        "method": {"zh-CN": "加密传输后存储", "en": "encrypted transfer and storage"},
        "kinds": {"zh-CN": ["身份信息", "联系方式"], "en": ["identity", "contacts"]},
    }
}


def customer(number: int, **changes: str | None) -> dict[str, str]:
    """A generated customer, reached in every way."""
    values: dict[str, str | None] = {
        "customer_no": f"C{number:08d}",
        "name": f"客户{number}",
        "id_type": "resident-id",
        "id_number": f"11010119900307{number:04d}",
        "mobile": f"+86138{number:08d}",
        "email": f"customer{number}@example.com",
        "address": f"北京市海淀区某路{number}号",
        "postcode": "100080",
        "language": "zh-CN",
    }
    return {name: value for name, value in {**values, **changes}.items() if value is not None}


@dataclass
class Telling:
    """The job under test."""

    database: Database
    vault: Vault
    clock: FakeClock
    folder: Path
    hooks: HookReceiver
    mail: MailReceiver
    sources: Sequence[ReceiptSource] = ()
    job: str = ""
    _gateways: dict[NoticeChannel, MessageGateway] = field(default_factory=dict)

    def open(
        self, *customers: dict[str, str], classes: Sequence[str] = ("C",), tenants: bool = True, **job: Any
    ) -> "Telling":
        """Tenants, job and rows."""
        if tenants:
            for code in (SOURCE, TARGET):
                self._tenant(code)
        self.job = new_case_token(TARGET)
        now = self.clock()
        fields: dict[str, Any] = {
            "token": self.job,
            "tenant": TARGET,
            "source_tenant": SOURCE,
            "branch": "hq",
            "classes": list(classes),
            "plan": PLAN,
            "plan_hash": "0" * 64,
            "stage": JobStage.NOTIFYING.value,
            "created_by": "stf_test",
            "created_by_person": "prs_test",
            "created_at": now,
            "updated_at": now,
        }
        source = TransferSource(
            id=new_token("tsr"), tenant=TARGET, job=self.job, number=1, kind="csv", place="x.csv", mapping_hash="0" * 64
        )
        subjects = [new_token("sub") for _ in customers]
        sealed = list(seal_rows(self.vault, tenant=TARGET, rows=zip(subjects, customers, strict=True), create=True))
        with unit_of_work(self.database, self.deed()) as unit:
            unit.session.add(TransferJob(**(fields | job)))
            unit.session.flush()
            sponsored(unit.session, self.job, tenant=TARGET)
            unit.session.add(source)
            unit.session.flush()
            for number, (subject, cell) in enumerate(sealed, start=1):
                unit.session.add(
                    TransferRow(
                        job=self.job,
                        number=number,
                        tenant=TARGET,
                        source=source.id,
                        line=number,
                        subject_id=subject,
                        row_cell=cell,
                        outcome="accepted",
                    )
                )
        return self

    def _tenant(self, code: str) -> None:
        self.vault.ensure_tenant(code)
        with unit_of_work(self.database, self.deed(code)) as unit:
            if unit.session.get(Tenant, code) is None:
                unit.session.add(Tenant(code=code, name=f"{code}银行", created_at=self.clock()))
                unit.session.flush()
                unit.session.add(model_assessment(code, approved_on=date(2026, 1, 5), now=self.clock()))

    def deed(self, tenant: str = TARGET) -> Deed:
        return Deed(tenant=tenant, action="test", target="test", actor="test", at=self.clock())

    def change_row(self, number: int, **values: Any) -> None:
        with unit_of_work(self.database, self.deed()) as unit:
            row = unit.session.get_one(TransferRow, (self.job, number))
            for name, value in values.items():
                setattr(row, name, value)
            unit.session.add(row)

    @property
    def notices(self) -> SqlNotices:
        """The adapter, as a worker that has just begun."""
        if not self._gateways:
            server = SmtpServer(host=LOOPBACK, port=self.mail.port, tls=SmtpTls.NONE)
            self._gateways = {
                NoticeChannel.SMS: SmsHttp(url=self.hooks.url, token="t0ken"),
                NoticeChannel.MAIL: MailSmtp(server=server, sender="notices@bank.example"),
            }
        return SqlNotices(
            database=self.database,
            vault=self.vault,
            carriers=Carriers(messages=self._gateways, post=LetterSpool(self.folder / "letters")),
            clock=self.clock,
            links_url=LINKS,
            sources=self.sources,
            public_folder=Spool(self.folder / "public"),
        )

    def plan(self) -> None:
        done = self.notices.plan_notices(ChunkStep(job=self.job))
        assert (done.after, done.stopped) == (None, None)

    def send(self) -> None:
        assert self.notices.send_notices(ChunkStep(job=self.job)).after is None

    def left(self) -> NoticesLeft:
        return self.notices.notices_left(JobStep(job=self.job))

    def notice(self, number: int = 1) -> TransferNotice:
        with self.database.read() as session:
            return session.exec(
                select(TransferNotice).where(
                    col(TransferNotice.job) == self.job, col(TransferNotice.row_number) == number
                )
            ).one()

    def states(self) -> list[str]:
        with self.database.read() as session:
            return list(
                session.exec(
                    select(TransferNotice.state)
                    .where(col(TransferNotice.job) == self.job)
                    .order_by(col(TransferNotice.row_number))
                ).all()
            )

    def state(self, number: int = 1) -> NoticeState:
        return NoticeState(self.notice(number).state)

    def attempts(self, number: int = 1) -> list[TransferNoticeAttempt]:
        with self.database.read() as session:
            return list(
                session.exec(
                    select(TransferNoticeAttempt)
                    .where(col(TransferNoticeAttempt.notice) == self.notice(number).id)
                    .order_by(col(TransferNoticeAttempt.number))
                ).all()
            )

    def letters(self) -> list[Path]:
        return sorted((self.folder / "letters").glob("letter-*.json"))

    def link_of(self, mobile: str) -> str:
        """The path of the link in the newest text message to a number."""
        found = re.search(r"/v1/links/[A-Za-z0-9_.-]+", self.hooks.inbox.to(mobile)[-1]["text"])
        assert found is not None
        return found[0].rstrip(".")
