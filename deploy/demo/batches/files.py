"""The files of the demo's batches: their layouts, as the institution adds them, and what stands in them.

A layout names what an order needs and no more: a file that brings other data of a person is stopped at the gate of its
cohort (PIPL-6).
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final

from deploy.demo.batches.casting import Debited, Debtor, Waged, Worker
from deploy.demo.mock_bank import CREDITOR_BANK

DEBIT_LAYOUT: Final = "demo-debits"
WAGE_LAYOUT: Final = "demo-wages"
LAYOUTS: Final = (
    """
version = 1
name = "demo-debits"
kind = "auto-debit"
unique = ["reference"]
titles = { "zh-CN" = "自动扣款（演示）", en = "Auto-debit, demo" }

[file]
format = "csv"

[fields.reference]
kind = "reference"
columns = ["流水号"]

[fields.mandate]
kind = "reference"
columns = ["授权编号"]

[fields.payerName]
kind = "name"
columns = ["户名"]

[fields.payerAccount]
kind = "account"
columns = ["账号"]

[fields.amountMinor]
kind = "amount"
columns = ["金额"]

[fields.dueDate]
kind = "date"
columns = ["扣款日期"]
""",
    """
version = 1
name = "demo-wages"
kind = "payroll"
unique = ["reference"]
total = "amountMinor"
titles = { "zh-CN" = "代发工资（演示）", en = "Payroll, demo" }

[file]
format = "csv"

[fields.reference]
kind = "reference"
columns = ["流水号"]

[fields.payeeName]
kind = "name"
columns = ["姓名"]

[fields.idType]
kind = "id-type"
columns = ["证件类型"]

[fields.idNumber]
kind = "id-number"
columns = ["证件号码"]
id_type_field = "idType"

[fields.payeeAccount]
kind = "account"
columns = ["账号"]

[fields.payeeBank]
kind = "bank"
columns = ["开户行号"]

[fields.amountMinor]
kind = "amount"
columns = ["实发金额"]

[fields.grossMinor]
kind = "amount"
columns = ["应发金额"]

[fields.damagesMinor]
kind = "number"
columns = ["赔偿扣款（分）"]

[fields.deductions]
kind = "code"
columns = ["扣款项目"]
values = { "个税、社保" = "income-tax social-insurance" }

[fields.payDate]
kind = "date"
columns = ["发放日期"]

[fields.ownAccount]
kind = "code"
columns = ["本人账户"]
values = { "是" = "yes", "否" = "no" }
""",
)
_DEBIT_HEAD: Final = ("流水号", "授权编号", "户名", "账号", "金额", "扣款日期")
_WAGE_HEAD: Final = (
    "流水号", "姓名", "证件类型", "证件号码", "账号", "开户行号", "实发金额", "应发金额", "赔偿扣款（分）", "扣款项目",
    "发放日期", "本人账户",
)  # fmt: skip
_GROSS_MINOR: Final = 120_000  # above the net wage
_CHECKS: Final = "0123456789"


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchFile:
    """A file with its sender's figures: of all rows, those too that will be held."""

    path: Path
    layout: str
    count: int
    total_minor: int


def write_debits(path: Path, debtors: list[Debtor], *, on: date) -> BatchFile:
    """The file of mandates and amounts."""
    rows = [
        (
            f"D{number:06}",
            each.mandate,
            each.person.name,
            each.person.card_number,
            "见附件" if each.part is Debited.UNREADABLE else _yuan(each.amount_minor),
            on.isoformat(),
        )
        for number, each in enumerate(debtors, start=1)
    ]
    _write(path, _DEBIT_HEAD, rows)
    total = sum(each.amount_minor for each in debtors if each.part is not Debited.UNREADABLE)
    return BatchFile(path=path, layout=DEBIT_LAYOUT, count=len(rows), total_minor=total)


def write_wages(path: Path, workers: list[Worker], *, on: date) -> BatchFile:
    """The client's file; a line that stands there twice is the one before it."""
    rows: list[tuple[str, ...]] = []
    total = 0
    for number, each in enumerate(workers, start=1):
        if each.part is Waged.TWICE:
            rows.append(rows[-1])
            total += workers[number - 2].net_minor
            continue
        rows.append(_wage(number, each, on))
        total += 0 if each.part is Waged.NO_AMOUNT else each.net_minor
    _write(path, _WAGE_HEAD, rows)
    return BatchFile(path=path, layout=WAGE_LAYOUT, count=len(rows), total_minor=total)


def _wage(number: int, worker: Worker, on: date) -> tuple[str, ...]:
    person, part = worker.person, worker.part
    return (
        f"W{number:06}",
        person.name,
        "身份证",
        _other_end(person.id_number) if part is Waged.BAD_NUMBER else person.id_number,
        _other_end(person.card_number) if part is Waged.BAD_ACCOUNT else person.card_number,
        CREDITOR_BANK,
        "" if part is Waged.NO_AMOUNT else _yuan(worker.net_minor),
        _yuan(worker.net_minor + _GROSS_MINOR),
        "0",
        "个税、社保",
        on.isoformat(),
        "否" if part is Waged.OTHER_ACCOUNT else "是",
    )


def _other_end(number: str) -> str:
    """The same with another check digit."""
    return number[:-1] + next(digit for digit in _CHECKS if digit != number[-1])


def _yuan(minor: int) -> str:
    return f"{Decimal(minor).scaleb(-2):.2f}"


def _write(path: Path, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)
