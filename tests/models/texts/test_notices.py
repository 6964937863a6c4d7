"""Every notice has words in both languages, says what its parameters say, and fits the channel."""

import re

import pytest

from models.domain.aftercare.clocks import TicketKind
from models.domain.notices import (
    SPECS,
    DebitFailure,
    MandateStanding,
    NoticeChannel,
    NoticeKind,
    NoticeSpec,
    Param,
    check_params,
)
from models.domain.one_time_codes import CodePurpose, CodeRefusal
from models.domain.sms import MAX_PARTS, parts_of
from models.texts.notices import notice_words
from models.texts.render import LOCALES, Locale, catalogue, placeholders

BANK = "某某农村商业银行股份有限公司"
# As long as a customer's link can be: the longest host we expect, tenant, id and MAC.
LINK = "https://installments.casework.bank.example/v1/links/" + "a" * 97 + "." + "b" * 43
LONGEST: dict[Param, str | int] = {
    Param.MONEY: 9_999_999_99,
    Param.COUNT: 999,
    Param.DATE: "2026-12-31",
    Param.TAIL: "abcdef",
}
CODES = {"purpose": CodePurpose, "reason": DebitFailure, "mandate": MandateStanding, "kind": TicketKind}
NAMES = {"purpose": "code-purpose", "reason": "debit-failure", "mandate": "notice-mandate", "kind": "ticket-kind"}


def params_of(spec: NoticeSpec) -> list[dict[str, str | int]]:
    """Parameters as long as they get, once for each value of a code."""
    plain = {name: LONGEST[kind] for name, kind in spec.params.items() if kind is not Param.CODE}
    coded = [name for name, kind in spec.params.items() if kind is Param.CODE]
    if not coded:
        return [plain]
    [name] = coded
    return [plain | {name: value} for value in CODES[name]]


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("kind", list(NoticeKind))
@pytest.mark.parametrize("channel", list(NoticeChannel))
def test_the_words_fit_and_hold_everything(kind: NoticeKind, channel: NoticeChannel, locale: Locale) -> None:
    spec = SPECS[kind]
    secrets = {name: LINK if name == "link" else "012345" for name in spec.secrets}
    for params in params_of(spec):
        check_params(kind, params)
        words = notice_words(kind, {**params, **secrets}, channel=channel, locale=locale, bank=BANK)
        assert "…" not in words.text
        assert BANK in words.text
        assert all(secret in words.text for secret in secrets.values())
        for name in CODES.keys() & params.keys():
            assert catalogue(locale)[f"{NAMES[name]}.{params[name]}"] in words.text
        if channel is NoticeChannel.SMS:
            assert parts_of(words.text) <= MAX_PARTS
            assert "\n" not in words.text
        else:
            assert 0 < len(words.subject) <= 60


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("kind", list(NoticeKind))
def test_the_words_take_the_parameters_of_the_kind_and_no_others(kind: NoticeKind, locale: Locale) -> None:
    texts = catalogue(locale)
    told = {
        name.partition(":")[0]
        for part in ("subject", "body", "sms")
        for name in placeholders(texts.get(f"notice.{kind}.{part}", ""))
    }
    assert told == SPECS[kind].params.keys() | SPECS[kind].secrets


def test_a_code_fits_one_message_in_chinese() -> None:
    for purpose in CodePurpose:
        params: dict[str, str | int] = {"case": "abcdef", "purpose": purpose, "minutes": 5, "code": "012345"}
        words = notice_words(
            NoticeKind.ONE_TIME_CODE, params, channel=NoticeChannel.SMS, locale="zh-CN", bank="某某银行"
        )
        assert parts_of(words.text) == 1
        assert "012345" in words.text


def test_a_reminder_says_amount_and_date_and_a_debit_says_how_the_mandate_stands() -> None:
    reminder = notice_words(
        NoticeKind.DUE_REMINDER,
        {"case": "abcdef", "amount": 123_456, "due": "2026-12-01", "row": 3, "rows": 12},
        channel=NoticeChannel.SMS,
        locale="zh-CN",
        bank=BANK,
    )
    assert "¥1,234.56" in reminder.text  # CCM-67: amount and day, before it is due
    assert "2026年12月1日" in reminder.text
    paid: dict[str, str | int] = {"case": "abcdef", "amount": 1, "date": "2026-12-01", "left": 2}
    active, ended = (
        notice_words(
            NoticeKind.PAYMENT_RECEIVED,
            paid | {"mandate": standing},
            channel=NoticeChannel.SMS,
            locale="zh-CN",
            bank=BANK,
        ).text
        for standing in (MandateStanding.ACTIVE, MandateStanding.ENDED)
    )
    assert "变更或终止" in active  # DDB-REVOKE
    assert "已终止" in ended


@pytest.mark.parametrize("locale", LOCALES)
def test_no_notice_holds_a_number_of_a_person_or_sells_anything(locale: Locale) -> None:
    for key, text in catalogue(locale).items():
        if not key.startswith("notice."):
            continue
        assert not re.search(r"[0-9]{6}", text), key
        assert not re.search(r"优惠|办卡|新产品|贷款产品|offer you|new product|discount", text), key  # CONS-29
        assert not re.search(r"起诉|律师|移送公安|上门|lawsuit|lawyer|police will|visit you", text), key  # COLL-CBA-BAN


@pytest.mark.parametrize(
    ("prefix", "values"),
    [
        ("notice-kind", NoticeKind),
        ("notice-channel", NoticeChannel),
        ("debit-failure", DebitFailure),
        ("notice-mandate", MandateStanding),
        ("code-purpose", CodePurpose),
        ("code-refusal", CodeRefusal),
    ],
)
def test_every_code_has_a_name(prefix: str, values: type[NoticeKind]) -> None:
    for locale in LOCALES:
        assert [value for value in values if f"{prefix}.{value}" not in catalogue(locale)] == []
