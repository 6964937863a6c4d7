"""What a person may see without a reason: masks by class of JR/T 0171 (个人金融信息保护技术规范), back-office patterns.

Masking happens here, on the server, and masked forms are never stored. Every function takes any string; what it does
not recognise it hides more of, never less. Names, ID, card and mobile numbers keep their length. How much stays is data
(`models.domain.privacy.masks`), which a bank may make stricter.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from models.domain.privacy.masks import DEFAULT_MASKS, AddressShown, AmountsInLists, MaskPolicy
from models.domain.privacy.words import Mask
from models.texts.render import render

STAR: Final = "*"
HIDDEN: Final = "******"  # for what has no telling length

_IDENTITY_CARD: Final = re.compile(r"\A(?:\d{15}|\d{17}[\dXxＸｘ])\Z")
_CARD: Final = re.compile(r"\A\d{13,19}\Z")
_MOBILE: Final = re.compile(r"\A\d{11}\Z")
_MOBILE_ABROAD: Final = re.compile(r"\A((?:\+86|\+\d{1,3})[ -]?)(\d{7,12})\Z")
_LANDLINE: Final = re.compile(r"\A(0\d{2,3}-)(\d{7,8})\Z")
_DOMAIN: Final = re.compile(r"\A[0-9A-Za-z](?:[0-9A-Za-z.-]{0,252}[0-9A-Za-z])?\Z")
_SHORTEST_SHOWN: Final = 6  # of anything shorter every character counts
_OTHER_ACCOUNT_LAST: Final = 2
_ROUNDED_DIGITS: Final = 2

# Province and city first, then a short district name without the words that streets and estates are made of.
_TO_DISTRICT: Final = re.compile(
    r"\A(?:[\u4e00-\u9fff]{2,8}?(?:特别行政区|自治区|省|市))"
    r"(?:[\u4e00-\u9fff]{1,8}?(?:自治州|地区|市|盟))?"
    r"(?:[^\W\d_a-zA-Z路街号巷弄楼栋村]{1,8}?(?<![小社园街校厂院营库])[区县旗市])?"
)
_TO_CITY: Final = re.compile(
    r"\A(?:[\u4e00-\u9fff]{2,8}?(?:特别行政区|自治区|省|市))(?:[\u4e00-\u9fff]{1,8}?(?:自治州|地区|市|盟))?"
)


def mask_name(name: str, masks: MaskPolicy = DEFAULT_MASKS) -> str:
    """A name (姓名): of two characters the second is hidden, of more the first and last are kept."""
    if len(name) < 2:  # noqa: PLR2004
        return STAR * len(name)
    if len(name) == 2:  # noqa: PLR2004
        return STAR + name[1] if masks.hide_surname else name[0] + STAR
    return _between(name, first=0 if masks.hide_surname else 1, last=1)


def mask_id_number(number: str, masks: MaskPolicy = DEFAULT_MASKS, *, to_owner: bool = False) -> str:
    """An identity card (身份证号): first 6 and last 4, to its owner first 1 and last 1. Any other document: 1 and 2."""
    if _IDENTITY_CARD.match(number):
        if to_owner:
            return _between(number, first=masks.own_id_first, last=masks.own_id_last)
        return _between(number, first=masks.id_first, last=masks.id_last)
    if len(number) < _SHORTEST_SHOWN:
        return STAR * len(number)
    return _between(number, first=masks.document_first, last=masks.document_last)


def mask_mobile(number: str, masks: MaskPolicy = DEFAULT_MASKS) -> str:
    """A mobile (手机号): first 3 and last 4, behind a country code too. A landline (座机): area code and last 4."""
    if _MOBILE.match(number):
        return _between(number, first=masks.mobile_first, last=masks.mobile_last)
    abroad = _MOBILE_ABROAD.match(number)
    if abroad is not None:
        local = abroad.group(2)
        if _MOBILE.match(local):
            return abroad.group(1) + _between(local, first=masks.mobile_first, last=masks.mobile_last)
        return abroad.group(1) + _between(local, last=masks.abroad_last)
    landline = _LANDLINE.match(number)
    if landline is not None:
        return landline.group(1) + _between(landline.group(2), last=masks.landline_last)
    return _between(number, last=masks.abroad_last) if len(number) >= _SHORTEST_SHOWN else STAR * len(number)


def mask_card(number: str, masks: MaskPolicy = DEFAULT_MASKS, *, on_statement: bool = False) -> str:
    """A bank card or account number (银行卡号): first 6 and last 4; on statements and letters last 4.

    What is no card number: last 2.
    """
    if _CARD.match(number):
        if on_statement:
            return _between(number, last=masks.statement_last)
        return _between(number, first=masks.card_first, last=masks.card_last)
    last = min(_OTHER_ACCOUNT_LAST, masks.card_last)
    return _between(number, last=last) if len(number) >= _SHORTEST_SHOWN else STAR * len(number)


def mask_email(address: str, masks: MaskPolicy = DEFAULT_MASKS) -> str:
    """An e-mail address (邮箱): at most the first 3 characters, and never more than half, then the domain."""
    local, at, domain = address.rpartition("@")
    if not at or not _DOMAIN.match(domain) or "@" in local:
        return HIDDEN
    return f"{local[: min(masks.email_first, len(local) // 2)]}***@{domain}"


def mask_address(address: str, masks: MaskPolicy = DEFAULT_MASKS) -> str:
    """An address (地址) down to the district, where province, city and district are written out; else nothing of it."""
    match = {AddressShown.DISTRICT: _TO_DISTRICT, AddressShown.CITY: _TO_CITY}.get(AddressShown(masks.address))
    found = match.match(address) if match is not None else None
    return (found.group(0) if found is not None else "") + HIDDEN


def mask_category(kind_text: str, count: int, *, locale: str) -> str:
    """Employer, income and proof of hardship (困难证明) in lists: the kind and how many, `医疗类证明 1 份`."""
    return render("privacy.category", {"kind": kind_text, "count": count}, locale)


def listed_amount(amount_minor: int | None, masks: MaskPolicy = DEFAULT_MASKS) -> int | None:
    """An amount (金额) as a list may tell it, minor units: in full, rounded down to two digits, or not at all."""
    if amount_minor is None or masks.amounts_in_lists == AmountsInLists.HIDDEN:
        return None
    if masks.amounts_in_lists == AmountsInLists.SHOWN:
        return amount_minor
    step: int = 10 ** max(len(str(abs(amount_minor))) - _ROUNDED_DIGITS, 0)
    return amount_minor // step * step if amount_minor >= 0 else -(-amount_minor // step * step)


def mask_amount(text: str) -> str:
    """An amount as text: its first digit stays, and the shape of the rest (`¥12,345.67` becomes `¥1*,***.**`)."""
    first = next((place for place, character in enumerate(text) if character.isdigit()), len(text))
    return text[: first + 1] + re.sub(r"[0-9]", STAR, text[first + 1 :])


def masked(mask: Mask, value: str, masks: MaskPolicy = DEFAULT_MASKS) -> str | None:
    """A value of the catalogue under the mask that its entry names; None for what is not shown at all."""
    by_kind: dict[Mask, Callable[[str, MaskPolicy], str]] = {
        Mask.NAME: mask_name,
        Mask.ID_NUMBER: mask_id_number,
        Mask.PHONE: mask_mobile,
        Mask.CARD: mask_card,
        Mask.EMAIL: mask_email,
        Mask.ADDRESS: mask_address,
    }
    if mask in by_kind:
        return by_kind[mask](value, masks)
    if mask is Mask.AMOUNT:
        return mask_amount(value)
    return value if mask is Mask.NONE else None


def _between(value: str, *, first: int = 0, last: int) -> str:
    return value[:first] + STAR * (len(value) - first - last) + value[len(value) - last :]


@dataclass(frozen=True, kw_only=True, slots=True)
class MaskedSubject:
    """A person as a list or a case shows them. Employer and evidence are not shown at all, not even masked."""

    name: str | None = None
    id_number: str | None = None
    mobile: str | None = None
    email: str | None = None
    card: str | None = None
    address: str | None = None


def mask_subject(
    *,
    name: str | None = None,
    id_number: str | None = None,
    mobile: str | None = None,
    email: str | None = None,
    card: str | None = None,
    address: str | None = None,
    masks: MaskPolicy = DEFAULT_MASKS,
) -> MaskedSubject:
    """Mask what is given; what is None stays None."""
    return MaskedSubject(
        name=None if name is None else mask_name(name, masks),
        id_number=None if id_number is None else mask_id_number(id_number, masks),
        mobile=None if mobile is None else mask_mobile(mobile, masks),
        email=None if email is None else mask_email(email, masks),
        card=None if card is None else mask_card(card, masks),
        address=None if address is None else mask_address(address, masks),
    )
