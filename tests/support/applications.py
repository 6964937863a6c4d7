"""Applications for tests: a person nobody is, the body that staff would send, and a dispatcher that answers as told."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import httpx

from compliance.payloads.dispatch import Answer, Fate
from compliance.vault.keyring import Vault
from models.contracts.installments import DecideInput, DecideResult
from models.database.engine import Database
from models.domain.bank_card import luhn_digit
from models.domain.resident_id import check_character
from models.tables.staff import Staff
from tests.support.api import Office, open_office
from tests.support.clock import FakeClock

CASES: Final = "/v1/installment-cases"

ID_NUMBER: Final = "11010519800307123" + check_character("11010519800307123")
CARD: Final = "622999000000123" + luhn_digit("622999000000123")
PERSON: Final = {
    "idType": "resident-id",
    "idNumber": ID_NUMBER,
    "name": "欧阳晓雯",
    "mobile": "13812345678",
    "email": "xiaowen.ouyang@example.com",
    "address": "北京市朝阳区柳芳南里甲十七号楼三单元402",
    "employer": "北京晴川印刷有限公司",
    "cardNumber": CARD,
}
NOTE: Final = "丈夫住院，孩子上学，店铺关门"
CLEAR_VALUES: Final = (
    ID_NUMBER,
    "欧阳晓雯",
    "13812345678",
    "xiaowen.ouyang@example.com",
    "柳芳南里甲十七号楼三单元402",
    "北京晴川印刷有限公司",
    CARD,
    NOTE,
)
PNG: Final = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 700  # more than two chunks of a sealed file

_BODY: Final[dict[str, Any]] = {
    "applicant": PERSON,
    "finances": {
        "totalDueMinor": 5_000_000,
        "monthlyIncomeMinor": 800_000,
        "essentialExpenseMinor": 350_000,
        "otherDebtPaymentMinor": 100_000,
        "dependants": 1,
    },
    "hardship": {"code": "illness", "note": NOTE},
    "willingToRepay": True,
    "requested": {"amountMinor": 3_000_000, "termMonths": 36},
    "consents": [
        {"purpose": "credit-report-query", "form": "WRITTEN", "textVersion": "2026-01"},
        {"purpose": "privacy-notice", "form": "WRITTEN", "textVersion": "privacy-notice/2026-11"},
    ],
}


def application(**changes: Any) -> dict[str, Any]:
    """A good application, with members replaced: `applicant__mobile="1"` replaces one inside."""
    body = copy.deepcopy(_BODY)
    for name, value in changes.items():
        *path, last = name.split("__")
        place = body
        for step in path:
            place = place[step]
        if value is ...:
            del place[last]
        else:
            place[last] = value
    return body


def another_id(serial: int) -> str:
    """A valid resident number, another one for each serial below a thousand."""
    body = f"11010519750101{serial:03d}"
    return body + check_character(body)


@dataclass
class FakeDispatcher:
    """Stands where Temporal would answer. `starts` and `sent` are what reached it."""

    fate: Fate = Fate.UNANSWERED
    reason: str | None = None
    starts: list[str] = field(default_factory=list)
    sent: list[DecideInput] = field(default_factory=list)
    dates: list[tuple[str, date]] = field(default_factory=list)
    nudged: list[str] = field(default_factory=list)
    starting: Callable[[str], None] = lambda _token: None

    async def start_case(self, case_token: str) -> bool:
        self.starting(case_token)
        self.starts.append(case_token)
        return self.fate is not Fate.UNANSWERED

    async def start(self, workflow_id: str) -> bool:
        self.starts.append(workflow_id)
        return self.fate is not Fate.UNANSWERED

    async def nudge(self, workflow_id: str) -> None:
        self.nudged.append(workflow_id)

    async def catch_up(self, *, tenant: str, until: date) -> bool:
        self.dates.append((tenant, until))
        return self.fate is not Fate.UNANSWERED

    async def send(self, workflow_id: str, decision: DecideInput, *, budget: timedelta) -> Answer:
        assert workflow_id.startswith(("installments/", "aftercare/", "tickets/"))
        assert budget <= timedelta(seconds=2)
        self.sent.append(decision)
        result = None
        if self.fate is Fate.APPLIED:
            result = DecideResult(decision_id=decision.decision_id, stage="ended", outcome="withdrawn")
        return Answer(fate=self.fate, result=result, reason=self.reason)


def open_desk(
    database: Database,
    vault: Vault,
    clock: FakeClock,
    folder: Path,
    dispatcher: FakeDispatcher,
    *,
    opened: bool = False,
) -> Office:
    """An office whose workflows are started and asked through a dispatcher of the test."""
    files = folder / "files"
    files.mkdir(exist_ok=True)
    return open_office(database, vault, clock, files, dispatcher=dispatcher, opened=opened)  # type: ignore[arg-type]


async def send(office: Office, by: Staff, body: dict[str, Any], *, key: str = "k") -> httpx.Response:
    """Send an application as staff."""
    async with office.client(by) as client:
        return await client.post(CASES, json=body, headers={"Idempotency-Key": key})


async def taken_in(office: Office, by: Staff, *, key: str = "k", **changes: Any) -> dict[str, Any]:
    """A case that was just made, as the answer tells of it."""
    answer = await send(office, by, application(**changes), key=key)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told
