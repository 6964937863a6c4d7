"""The six test rules of the masking table, each under its number, and the patterns that a bank may set."""

import io
import logging
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from api.erasures.views import field_answer
from compliance.telemetry.logs import configure_logging
from compliance.vault.keyring import Vault
from compliance.vault.masking import (
    listed_amount,
    mask_address,
    mask_amount,
    mask_card,
    mask_category,
    mask_id_number,
    mask_mobile,
    mask_name,
    masked,
)
from models.database.engine import Database
from models.domain.bank_card import luhn_digit
from models.domain.privacy.fields import FIELDS
from models.domain.privacy.masks import DEFAULT_MASKS, MaskPolicy
from models.domain.privacy.retention import DEFAULT_RETENTION
from models.domain.privacy.words import DataClass, Export, Mask
from models.domain.resident_id import check_character
from models.domain.roles import Role
from models.operations.products import set_terms
from tests.support.api import Office
from tests.support.applications import CARD, ID_NUMBER, NOTE, FakeDispatcher, application, open_desk, send, taken_in
from tests.support.clock import FakeClock
from tests.support.desk import BRANCH, events
from tests.support.inbox import add_tasks, make_task


@pytest.fixture
def bank(sqlite_database: Database, vault: Vault, clock: FakeClock, tmp_path: Path) -> Office:
    return open_desk(sqlite_database, vault, clock, tmp_path, FakeDispatcher())


# The table's own examples ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mask", "raw", "shown"),
    [
        (Mask.NAME, "王小明", "王*明"),
        (Mask.ID_NUMBER, "110101199003071230", "110101********1230"),
        (Mask.ID_NUMBER, "E12345678", "E******78"),
        (Mask.PHONE, "13800138000", "138****8000"),
        (Mask.PHONE, "010-12345678", "010-****5678"),
        (Mask.CARD, "6222021234567890123", "622202*********0123"),
        (Mask.EMAIL, "zhangsan@example.com", "zha***@example.com"),
        (Mask.ADDRESS, "北京市海淀区某路1号2室", "北京市海淀区******"),
        (Mask.AMOUNT, "¥12,345.67", "¥1*,***.**"),
        (Mask.HIDDEN, "anything", None),
        (Mask.NEVER, "123456", None),
        (Mask.CATEGORY, "北京晴川印刷有限公司", None),
    ],
)
def test_the_examples_of_the_table(mask: Mask, raw: str, shown: str | None) -> None:
    assert masked(mask, raw) == shown


def test_the_customers_own_screen_the_statement_and_the_list_show_less() -> None:
    assert mask_id_number("110101199003071230", to_owner=True) == "1****************0"
    assert mask_card("6222021234567890123", on_statement=True) == "***************0123"
    assert mask_category("医疗类证明", 1, locale="zh-CN") == "医疗类证明 1 份"
    assert mask_name("李四") == "李*"  # a contact person's name and number are masked like anybody's
    assert mask_mobile("13900000000") == "139****0000"


def test_every_mask_of_the_catalogue_can_be_applied() -> None:
    for entry in FIELDS.values():
        shown = masked(entry.mask, "110101199003071230")
        assert shown != "110101199003071230" or entry.mask is Mask.NONE, entry.id


# 1 --------------------------------------------------------------------------------------------------------------------


async def test_rule_1_the_server_sends_masked_values_only(bank: Office) -> None:
    officer = bank.staff("officer", Role.CASE_OFFICER, branch=BRANCH)
    case = await taken_in(bank, officer)
    async with bank.client(officer) as client:
        pages = [
            (await client.get(f"/v1/subjects/{case['subjectId']}")).text,
            (await client.get(f"/v1/installment-cases/{case['token']}")).text,
            (await client.post("/v1/installment-cases/search", json={})).text,
            (await client.post("/v1/tasks/search", json={})).text,
        ]
    for clear in (ID_NUMBER, CARD, "13812345678", "欧阳晓雯", "柳芳南里", "晴川印刷", NOTE, "xiaowen.ouyang"):
        assert not any(clear in page for page in pages), clear
    assert f"{ID_NUMBER[:6]}********{ID_NUMBER[-4:]}" in pages[0]


# 2 --------------------------------------------------------------------------------------------------------------------


@given(st.integers(min_value=0, max_value=10**17 - 1))
def test_rule_2_what_has_a_fixed_length_keeps_it(number: int) -> None:
    body = f"{number:017d}"
    for raw, shown in (
        (body + check_character(body), mask_id_number(body + check_character(body))),
        (body, mask_card(body)),
        (f"1{body[:10]}", mask_mobile(f"1{body[:10]}")),
    ):
        assert len(shown) == len(raw)
        assert shown != raw


# 3 --------------------------------------------------------------------------------------------------------------------


async def test_rule_3_a_clear_view_writes_who_what_whose_why_and_for_which_ticket(bank: Office) -> None:
    officer = bank.staff("officer", Role.CASE_OFFICER, branch=BRANCH)
    case = await taken_in(bank, officer)
    body = {"field": "idNumber", "reason": "verify-identity", "ticket": "CRM-123"}
    async with bank.client(officer) as client:
        shown = await client.post(f"/v1/subjects/{case['subjectId']}/reveals", json=body)
    assert shown.json()["value"] == ID_NUMBER
    (event,) = events(bank, "subject.revealed")
    assert (event.actor, event.target) == (officer.id, case["subjectId"])
    for told in ('"field":"idNumber"', '"reason":"verify-identity"', '"ticket":"CRM-123"'):
        assert told in event.body
    assert ID_NUMBER not in event.body


# 4 --------------------------------------------------------------------------------------------------------------------


async def test_rule_4_a_search_goes_by_keyed_digest(bank: Office) -> None:
    officer = bank.staff("officer", Role.CASE_OFFICER, branch=BRANCH)
    await taken_in(bank, officer)
    asked: list[str] = []
    from sqlalchemy import event as sql_event

    @sql_event.listens_for(bank.deps.database.engine, "before_cursor_execute")
    def _watch(*arguments: Any) -> None:
        asked.append(repr(arguments[3]))

    async with bank.client(officer) as client:
        found = await client.post("/v1/subjects/search", json={"idNumber": ID_NUMBER})
    assert len(found.json()["items"]) == 1
    assert asked
    assert not any(ID_NUMBER in parameters for parameters in asked)


# 5 --------------------------------------------------------------------------------------------------------------------

_ID_CARD = re.compile(r"(?<![0-9])[1-9][0-9]{16}[0-9Xx](?![0-9])")
_CARD = re.compile(r"(?<![0-9])[0-9]{16,19}(?![0-9])")
_MOBILE = re.compile(r"(?<![0-9])1[3-9][0-9]{9}(?![0-9])")


def numbers_of_persons(text: str) -> list[str]:
    """What the scanner finds: identity numbers by checksum, cards of 16 to 19 digits by Luhn, mobiles by pattern."""
    found = [each for each in _ID_CARD.findall(text) if check_character(each[:17]) == each[17].upper()]
    found += [each for each in _CARD.findall(text) if luhn_digit(each[:-1]) == each[-1]]
    return found + _MOBILE.findall(text)


def test_rule_5_the_scanner_sees_what_it_is_for() -> None:
    text = f"id {ID_NUMBER}, card {CARD}, mobile 13812345678"
    assert numbers_of_persons(text) == [ID_NUMBER, CARD, "13812345678"]
    assert numbers_of_persons("era_0123456789, 2026-11-23T10:00:00, 12345678901234567") == []


async def test_rule_5_logs_and_problems_of_failures_pass_the_scanner(bank: Office) -> None:
    """A run of failures with personal data in every place where somebody could put it."""
    stream = io.StringIO()
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    configure_logging(stream=stream)
    try:
        officer = bank.staff("officer", Role.CASE_OFFICER, branch=BRANCH)
        answers = [
            await send(bank, officer, application(applicant__idNumber=ID_NUMBER[:-1] + "0"), key="1"),
            await send(bank, officer, application(applicant__mobile="138123456789"), key="2"),
            await send(bank, officer, application(applicant__cardNumber=CARD[:-1] + "0"), key="3"),
            await send(bank, officer, application(**{ID_NUMBER: CARD}), key="4"),
            await send(bank, officer, application(hardship__note=f"卡号 {CARD} 123"), key="5"),
        ]
        async with bank.client(officer) as client:
            answers += [
                await client.get(f"/v1/subjects/{ID_NUMBER}"),
                await client.get(f"/v1/installment-cases/{CARD}?mobile=13812345678"),
                await client.post("/v1/subjects/search", json={"idNumber": ID_NUMBER, "mobile": "13812345678"}),
                await client.post("/v1/tasks/search", json={"filter": {ID_NUMBER: CARD}}),
            ]
        log = structlog.get_logger("casework.test")
        log.warning("test.failed", mobile="13812345678", subject_id=ID_NUMBER, error_type=f"Bad {CARD}")
        logging.getLogger("sqlalchemy.engine").error("INSERT failed: %s", (ID_NUMBER, CARD, "13812345678"))
        try:
            raise ValueError(f"{ID_NUMBER} {CARD} 13812345678")  # noqa: TRY301
        except ValueError:
            log.exception("test.raised")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        structlog.reset_defaults()
    assert all(answer.status_code >= 400 for answer in answers)
    logged = stream.getvalue()
    assert "test.raised" in logged
    assert numbers_of_persons(logged) == []
    for answer in answers:
        assert numbers_of_persons(answer.text) == [], answer.text


# 6 --------------------------------------------------------------------------------------------------------------------


def test_rule_6_what_is_c3_is_not_in_any_export() -> None:
    exported = [entry for entry in FIELDS.values() if entry.export is not Export.NEVER]
    assert not [entry for entry in exported if entry.data_class in {DataClass.C3, DataClass.C2_AUX}]
    told = field_answer(FIELDS["one-time-code"], policy=DEFAULT_RETENTION, locale="en")
    assert (told.export, told.mask) == ("never", "never")


# What a bank sets -----------------------------------------------------------------------------------------------------


async def test_a_bank_that_hides_more_is_obeyed_at_once(bank: Office) -> None:
    officer = bank.staff("officer", Role.CASE_OFFICER, branch=BRANCH)
    case = await taken_in(bank, officer)
    stricter = MaskPolicy(version="masks/own", source="test", hide_surname=True, id_first=0, address="nothing")
    with bank.deps.database.write() as session:
        set_terms(session, stricter, tenant="main", by="operator", now=bank.clock())
    async with bank.client(officer) as client:
        shown = (await client.get(f"/v1/subjects/{case['subjectId']}")).json()
    assert (shown["name"], shown["address"]) == ("***雯", "******")
    assert shown["idNumber"] == "*" * 14 + ID_NUMBER[-4:]


@pytest.mark.parametrize("name", [each.name for each in fields(MaskPolicy) if type(each.default) is int])
def test_no_bank_shows_more_than_the_defaults(name: str) -> None:
    least = getattr(DEFAULT_MASKS, name)
    with pytest.raises(ValueError, match=name):
        MaskPolicy(version="v", source="s", **{name: least + 1})
    assert MaskPolicy.from_record(MaskPolicy(version="v", source="s", **{name: 0}).as_record())


def test_amounts_in_lists_are_an_option_of_the_bank() -> None:
    rounded = MaskPolicy(version="v", source="s", amounts_in_lists="rounded")
    hidden = MaskPolicy(version="v", source="s", amounts_in_lists="hidden")
    assert [listed_amount(1_234_567, each) for each in (DEFAULT_MASKS, rounded, hidden)] == [1_234_567, 1_200_000, None]
    assert [listed_amount(amount, rounded) for amount in (0, 9, -1_999, None)] == [0, 9, -1_900, None]
    assert mask_amount("-3.00") == "-3.**"
    with pytest.raises(ValueError, match="sometimes"):
        MaskPolicy(version="v", source="s", amounts_in_lists="sometimes")


def test_an_address_can_be_shown_to_the_city_only() -> None:
    city = MaskPolicy(version="v", source="s", address="city")
    assert mask_address("浙江省杭州市西湖区文三路1号", city) == "浙江省杭州市******"


async def test_the_inbox_obeys_the_option_for_amounts_in_lists(bank: Office) -> None:
    officer = bank.staff("officer", Role.CASE_OFFICER, branch=BRANCH)
    case = await taken_in(bank, officer)
    task = make_task(
        case_token=case["token"], workflow_id=f"installments/{case['token']}", amount_minor=3_456_789,
        title_params={"amountMinor": 3_456_789, "termMonths": 36, "case": "abcdef"},
    )  # fmt: skip
    add_tasks(bank.deps.database, [task])
    seen = []
    for how in ("shown", "rounded", "hidden"):
        masks = MaskPolicy(version=f"masks/{how}", source="test", amounts_in_lists=how)
        with bank.deps.database.write() as session:
            set_terms(session, masks, tenant="main", by="operator", now=bank.clock())
        bank.clock.advance(seconds=1)
        async with bank.client(officer) as client:
            (item,) = (await client.post("/v1/tasks/search", json={})).json()["items"]
        seen.append((item["amountMinor"], "34,567.89" in item["title"], "34,000.00" in item["title"]))
    assert seen == [(3_456_789, True, False), (3_400_000, False, True), (None, False, False)]
