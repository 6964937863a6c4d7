"""A transfer job that collects: its tenant, its folder in the exchange directory, books of generated customers."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sqlmodel import col, select

from activities.transfers.collect_steps import SqlCollect
from activities.transfers.sources.desk import Sources
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.vault.keyring import Vault
from compliance.vault.transfer_rows import open_rows
from models.contracts.transfers import ChunkStep, JobStep
from models.database.engine import Database
from models.domain.bank_card import luhn_digit
from models.domain.canonical import digest
from models.domain.customers.uscc import uscc_character
from models.domain.tokens import new_case_token, new_token
from models.domain.transfers.mapping import parse_mapping
from models.domain.transfers.states import JobStage
from models.tables.tenants import Tenant
from models.tables.transfers import TransferJob, TransferRow, TransferSource
from tests.support.clock import FakeClock
from tests.support.people import people
from tests.support.training import sponsored

TENANT: Final = "main"
HEADER: Final = ("客户号", "姓名", "证件类型", "证件号码", "手机", "邮箱", "卡号", "性别", "出生日期", "地址")
MAPPING: Final = """version = 1
[fields.customer_no]
column = "客户号"
[fields.name]
column = "姓名"
[fields.id_type]
column = "证件类型"
[fields.id_number]
column = "证件号码"
[fields.mobile]
column = "手机"
[fields.email]
column = "邮箱"
[fields.account]
column = "卡号"
[fields.sex]
column = "性别"
[fields.birth_date]
column = "出生日期"
[fields.address]
column = "地址"
"""


def book(count: int, *, begin: int = 0) -> list[list[str]]:
    """Rows under `HEADER`, every one of them valid."""
    rows = []
    for number, person in enumerate(people(begin + count)[begin:], start=begin):
        card = f"622999{number:09d}"
        rows.append(
            [
                f"K{number:08d}",
                person.name,
                person.id_type,
                person.id_number,
                person.mobile,
                person.email or "",
                card + luhn_digit(card),
                "男" if person.sex == "M" else "女",
                str(person.birth_date),
                person.address,
            ]
        )
    return rows


def csv_bytes(rows: Sequence[Sequence[str]], *, header: Sequence[str] = HEADER, encoding: str = "utf-8") -> bytes:
    """A CSV file."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


def uscc(number: int) -> str:
    """A possible credit code."""
    body = f"9111010{number % 10}MA{number:07d}"
    return body + uscc_character(body)


@dataclass
class Collection:
    """A job in the stage of collecting, and the steps over it."""

    database: Database
    vault: Vault
    clock: FakeClock
    folder: Path
    connections: dict[str, str] = field(default_factory=dict)
    job: str = ""

    def open(self, *, tenant: bool = True) -> "Collection":
        """Make the tenant, its keys and the job."""
        self.vault.ensure_tenant(TENANT)
        self.job = new_case_token(TENANT)
        (self.folder / TENANT).mkdir(parents=True, exist_ok=True)
        with unit_of_work(self.database, self._deed()) as unit:
            if tenant:
                unit.session.add(Tenant(code=TENANT, name="某某银行", created_at=self.clock()))
                unit.session.flush()
            unit.session.add(
                TransferJob(
                    token=self.job,
                    tenant=TENANT,
                    branch="hq",
                    plan_hash=digest({}),
                    stage=JobStage.COLLECTING.value,
                    created_by="stf_test",
                    created_by_person="psn_test",
                    created_at=self.clock(),
                    updated_at=self.clock(),
                )
            )
            unit.session.flush()
            sponsored(unit.session, self.job, tenant=TENANT)
        return self

    def put(self, name: str, content: bytes) -> Path:
        """A file where sources are looked for."""
        path = self.folder / TENANT / name
        path.write_bytes(content)
        return path

    def source(self, kind: str, place: str, mapping: str = MAPPING) -> str:
        """Register a source."""
        parsed = parse_mapping(mapping).as_document()
        source_id = new_token("tsr")
        with unit_of_work(self.database, self._deed()) as unit:
            number = 1 + len(unit.session.connection().exec_driver_sql("SELECT id FROM transfer_sources").all())
            unit.session.add(
                TransferSource(
                    id=source_id,
                    tenant=TENANT,
                    job=self.job,
                    number=number,
                    kind=kind,
                    place=place,
                    mapping=parsed,
                    mapping_hash=digest(parsed),
                )
            )
        return source_id

    @property
    def steps(self) -> SqlCollect:
        """The adapter of the port."""
        sources = Sources(self.folder, self.connections, self.vault)
        return SqlCollect(self.database, self.vault, sources, self.clock)

    def collect(self) -> Any:
        """Collect to the end; the last answer."""
        return self._run(self.steps.collect)

    def verify(self) -> Any:
        """Verify to the end."""
        return self._run(self.steps.verify_rows)

    def report(self) -> None:
        """Write the data-quality report."""
        self.steps.quality_report(JobStep(job=self.job))

    def rows(self) -> list[TransferRow]:
        """All rows by number."""
        with self.database.read() as session:
            query = select(TransferRow).where(col(TransferRow.job) == self.job).order_by(col(TransferRow.number))
            return list(session.exec(query).all())

    def opened(self) -> list[Mapping[str, str]]:
        """What the rows hold."""
        rows = [(row.subject_id, row.row_cell) for row in self.rows()]
        return [values for _, values in open_rows(self.vault, tenant=TENANT, rows=rows)]

    def _run(self, step: Any) -> Any:
        after = ""
        for _ in range(1_000):
            done = step(ChunkStep(job=self.job, after=after))
            if done.after is None or done.paused:
                return done
            after = done.after
        raise AssertionError("a step that does not end")

    def _deed(self) -> Deed:
        return Deed(tenant=TENANT, action="test", target=self.job or TENANT, actor="test", at=self.clock())
