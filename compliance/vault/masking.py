"""What a person may see without a reason: masks by class of JR/T 0171 (个人金融信息保护技术规范), back-office patterns.

Masking happens here, on the server, and masked forms are never stored. Every function takes any string; what it does
not recognise it hides more of, never less. Names, ID, card and mobile numbers keep their length.
"""

import re
from dataclasses import dataclass
from typing import Final

STAR: Final = "*"
HIDDEN: Final = "******"  # for what has no telling length

_IDENTITY_CARD: Final = re.compile(r"\A(?:\d{15}|\d{17}[\dXxＸｘ])\Z")
_CARD: Final = re.compile(r"\A\d{13,19}\Z")
_MOBILE: Final = re.compile(r"\A\d{11}\Z")
_MOBILE_ABROAD: Final = re.compile(r"\A((?:\+86|\+\d{1,3})[ -]?)(\d{7,12})\Z")
_LANDLINE: Final = re.compile(r"\A(0\d{2,3}-)(\d{7,8})\Z")
_DOMAIN: Final = re.compile(r"\A[0-9A-Za-z](?:[0-9A-Za-z.-]{0,252}[0-9A-Za-z])?\Z")
_SHORTEST_SHOWN: Final = 6  # of anything shorter every character counts

# Province and city first, then a short district name without the words that streets and estates are made of.
_TO_DISTRICT: Final = re.compile(
    r"\A(?:[\u4e00-\u9fff]{2,8}?(?:特别行政区|自治区|省|市))"
    r"(?:[\u4e00-\u9fff]{1,8}?(?:自治州|地区|市|盟))?"
    r"(?:[^\W\d_a-zA-Z路街号巷弄楼栋村]{1,8}?(?<![小社园街校厂院营库])[区县旗市])?"
)


def mask_name(name: str) -> str:
    """A name (姓名): of two characters the second is hidden, of more the first and last are kept."""
    if len(name) < 2:  # noqa: PLR2004
        return STAR * len(name)
    if len(name) == 2:  # noqa: PLR2004
        return name[0] + STAR
    return _between(name, first=1, last=1)


def mask_id_number(number: str) -> str:
    """An identity card (身份证号): first 6 and last 4. Any other document: first and last 2."""
    if _IDENTITY_CARD.match(number):
        return _between(number, first=6, last=4)
    return _between(number, first=1, last=2) if len(number) >= _SHORTEST_SHOWN else STAR * len(number)


def mask_mobile(number: str) -> str:
    """A mobile (手机号): first 3 and last 4, behind a country code too. A landline (座机): area code and last 4."""
    if _MOBILE.match(number):
        return _between(number, first=3, last=4)
    abroad = _MOBILE_ABROAD.match(number)
    if abroad is not None:
        local = abroad.group(2)
        return abroad.group(1) + (_between(local, first=3, last=4) if _MOBILE.match(local) else _between(local, last=2))
    landline = _LANDLINE.match(number)
    if landline is not None:
        return landline.group(1) + _between(landline.group(2), last=4)
    return _between(number, last=2) if len(number) >= _SHORTEST_SHOWN else STAR * len(number)


def mask_card(number: str) -> str:
    """A bank card or account number (银行卡号): first 6 and last 4. What is no card number: last 2."""
    if _CARD.match(number):
        return _between(number, first=6, last=4)
    return _between(number, last=2) if len(number) >= _SHORTEST_SHOWN else STAR * len(number)


def mask_email(address: str) -> str:
    """An e-mail address (邮箱): at most the first 3 characters, and never more than half, then the domain."""
    local, at, domain = address.rpartition("@")
    if not at or not _DOMAIN.match(domain) or "@" in local:
        return HIDDEN
    return f"{local[: min(3, len(local) // 2)]}***@{domain}"


def mask_address(address: str) -> str:
    """An address (地址) down to the district, where province, city and district are written out; else nothing of it."""
    match = _TO_DISTRICT.match(address)
    return (match.group(0) if match is not None else "") + HIDDEN


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
) -> MaskedSubject:
    """Mask what is given; what is None stays None."""
    return MaskedSubject(
        name=None if name is None else mask_name(name),
        id_number=None if id_number is None else mask_id_number(id_number),
        mobile=None if mobile is None else mask_mobile(mobile),
        email=None if email is None else mask_email(email),
        card=None if card is None else mask_card(card),
        address=None if address is None else mask_address(address),
    )
