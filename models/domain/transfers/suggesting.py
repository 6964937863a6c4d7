"""A suggested mapping (映射建议): which column is which field, by its name and by what its values look like.

A suggestion is a draft for a person. Its confidence is in thousandths; nothing of a value stands in it.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from models.domain.customers.countries import country_code
from models.domain.customers.record import FIELDS
from models.domain.customers.spelling import ID_TYPE_NAMES, spell_record
from models.domain.customers.spelling_dates import read_date, read_validity
from models.domain.customers.spelling_texts import plain_text
from models.domain.identifiers import IdType
from models.domain.transfers.mapping import TransferMapping

SYNONYMS: Final[dict[str, tuple[str, ...]]] = {
    "customer_no": (
        "客户号", "客户编号", "客户代码", "客户标识", "会员号", "核心客户号", "ecif号", "customerno",
        "customerid", "custno", "custid", "clientno", "clientid", "cif", "cifno", "ecif", "customernumber",
    ),
    "name": (
        "姓名", "客户姓名", "客户名称", "中文姓名", "户名", "持卡人姓名", "name", "fullname", "customername",
        "custname", "clientname", "holdername", "xm", "khxm",
    ),
    "id_type": (
        "证件类型", "证件种类", "证件类别", "idtype", "certtype", "documenttype", "doctype", "idkind", "zjlx",
    ),
    "id_number": (
        "证件号码", "证件号", "身份证号", "身份证号码", "身份证", "idnumber", "idno", "certno", "idcard",
        "idcardno", "documentno", "documentnumber", "nationalid", "zjhm", "sfzh",
    ),
    "id_valid_until": (
        "证件有效期", "证件到期日", "有效期至", "证件有效期至", "身份证有效期", "有效期限", "证件失效日期",
        "idvaliduntil", "idexpiry", "certexpiry", "validuntil", "expirydate", "idexpirydate", "zjyxq",
    ),
    "mobile": (
        "手机", "手机号", "手机号码", "移动电话", "联系电话", "联系手机", "电话", "mobile", "mobileno",
        "mobilenumber", "mobilephone", "phone", "cell", "cellphone", "tel", "sjhm",
    ),
    "email": (
        "邮箱", "邮件", "电子邮箱", "电子邮件", "邮件地址", "email", "mail", "emailaddress",
    ),
    "account": (
        "账号", "帐号", "卡号", "银行卡号", "银行账号", "还款账号", "账户", "account", "accountno",
        "accountnumber", "acctno", "cardno", "cardnumber", "pan",
    ),
    "sex": (
        "性别", "sex", "gender", "xb",
    ),
    "birth_date": (
        "出生日期", "生日", "出生年月", "出生年月日", "birthdate", "birthday", "dob", "dateofbirth", "csrq",
    ),
    "nationality": (
        "国籍", "国家", "国家地区", "国籍地区", "nationality", "country", "citizenship", "gj",
    ),
    "occupation": (
        "职业", "职务", "岗位", "occupation", "job", "profession", "zy",
    ),
    "employer": (
        "工作单位", "单位名称", "单位", "公司", "公司名称", "雇主", "employer", "company", "companyname",
        "gzdw",
    ),
    "employer_uscc": (
        "统一社会信用代码", "社会信用代码", "信用代码", "单位信用代码", "营业执照号", "uscc", "creditcode",
        "employeruscc",
    ),
    "address": (
        "地址", "联系地址", "家庭住址", "住址", "通讯地址", "居住地址", "户籍地址", "详细地址", "address",
        "homeaddress", "mailingaddress", "addr", "dz",
    ),
    "postcode": (
        "邮编", "邮政编码", "postcode", "zip", "zipcode", "postalcode", "yb",
    ),
    "language": (
        "语言", "首选语言", "language", "lang", "locale",
    ),
}  # fmt: skip
EXACT: Final = 950
PART: Final = 700
CONTENT: Final = 800
AGREE: Final = 990  # name and content say the same
CONTRADICTED: Final = 300  # the name says so, and no value looks like it
LEAST: Final = 400
_CONTENT_FROM: Final = 0.6  # so many of the values must look like the field


@dataclass(frozen=True, kw_only=True, slots=True)
class Suggestion:
    """One field: from which column, or which constant; how sure, in thousandths; and by what (`name`, `content`)."""

    field: str
    column: str | None
    confidence: int
    by: tuple[str, ...]
    constant: str | None = None


def suggest(header: Sequence[str], sample: Sequence[Sequence[str]], *, today: date) -> list[Suggestion]:
    """The likeliest column of each field; a column serves one field only, the surest first.

    Args:
        header: names of the columns.
        sample: some rows.
        today: tells a birth date from the end of a validity.
    """
    columns = [
        [row[place] for row in sample if place < len(row) and row[place].strip()] for place in range(len(header))
    ]
    found = []
    for place, name in enumerate(header):
        for field in FIELDS:
            scored = _score(field, name, columns[place], today)
            if scored is not None:
                found.append((scored[0], place, field, scored[1]))
    found.sort(key=lambda each: (-each[0], FIELDS.index(each[2]), each[1]))
    taken: set[int] = set()
    chosen: dict[str, Suggestion] = {}
    for confidence, place, field, by in found:
        if place in taken or field in chosen:
            continue
        taken.add(place)
        chosen[field] = Suggestion(field=field, column=header[place], confidence=confidence, by=by)
    if "id_type" not in chosen and "id_number" in chosen:
        numbers = columns[list(header).index(chosen["id_number"].column or "")]
        if numbers and _part(numbers, _is_resident_id(today)) >= 0.9:  # noqa: PLR2004 - nearly all of them
            chosen["id_type"] = Suggestion(
                field="id_type", column=None, confidence=CONTENT, by=("content",), constant=IdType.RESIDENT_ID.value
            )
    return [chosen[field] for field in FIELDS if field in chosen]


def as_toml(suggestions: Sequence[Suggestion], mapping: TransferMapping) -> str:
    """The suggestion as a mapping file, to be read and mended by a person."""
    lines = ["version = 1", ""]
    options = mapping.file.model_dump(exclude_none=True, exclude_defaults=True)
    if options:
        lines += [
            "[file]",
            *(f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in options.items()),
            "",
        ]
    if mapping.sql is not None:
        lines += ["[sql]", f"table = {json.dumps(mapping.sql.table)}", f"key = {json.dumps(mapping.sql.key)}", ""]
    for each in suggestions:
        value = each.constant if each.column is None else each.column
        kind = "constant" if each.column is None else "column"
        lines += [
            f"[fields.{each.field}]  # {each.confidence / 10:.0f} %, {' + '.join(each.by)}",
            f"{kind} = {json.dumps(value, ensure_ascii=False)}",
            "",
        ]
    return "\n".join(lines)


def _score(field: str, name: str, values: Sequence[str], today: date) -> tuple[int, tuple[str, ...]] | None:
    plain = _plain(name)
    by_name = EXACT if plain in SYNONYMS[field] or plain == field.replace("_", "") else 0
    if not by_name and any(len(each) > 2 and each in plain for each in SYNONYMS[field]):  # noqa: PLR2004
        by_name = PART
    looks = _LOOKS.get(field)
    part = _part(values, looks(today)) if looks is not None and values else 0.0
    if by_name and part >= _CONTENT_FROM:
        return (AGREE if by_name == EXACT else EXACT), ("name", "content")
    if by_name and looks is not None and values and part < 1 - _CONTENT_FROM and field in _TELLING:
        return CONTRADICTED, ("name",)
    if by_name:
        return by_name, ("name",)
    confidence = int(CONTENT * part)
    return (confidence, ("content",)) if part >= _CONTENT_FROM and field in _TELLING and confidence >= LEAST else None


def _plain(name: str) -> str:
    return re.sub(r"[\s_\-./()（）:：*]+", "", unicodedata.normalize("NFKC", name)).lower()


def _part(values: Sequence[str], looks: Callable[[str], bool]) -> float:
    return sum(map(looks, values)) / len(values)


def _fits(field: str, today: date, **more: str) -> Callable[[str], bool]:
    def fits(value: str) -> bool:
        spelled = spell_record({field: value, **more}, today=today)
        return field in spelled.values and not any(fault.field == field for fault in spelled.faults)

    return fits


def _is_resident_id(today: date) -> Callable[[str], bool]:
    return _fits("id_number", today, id_type=IdType.RESIDENT_ID.value)


def _is_account(today: date) -> Callable[[str], bool]:
    fits = _fits("account", today)
    return lambda value: value.strip().isdigit() and len(value.strip()) >= 16 and fits(value)  # noqa: PLR2004 - a card


def _is_birth_date(today: date) -> Callable[[str], bool]:
    def born(value: str) -> bool:
        day = read_date(plain_text(value))
        return day is not None and day < today and day.year > today.year - 120

    return born


def _is_validity(today: date) -> Callable[[str], bool]:
    def valid(value: str) -> bool:
        text = read_validity(plain_text(value))
        return text is not None and text[:4] >= str(today.year - 5)

    return valid


# What the values of a field look like; only of some do the values tell the field by themselves.
_LOOKS: Final[dict[str, Callable[[date], Callable[[str], bool]]]] = {
    "id_number": _is_resident_id,
    "mobile": lambda today: _fits("mobile", today),
    "email": lambda today: _fits("email", today),
    "account": _is_account,
    "employer_uscc": lambda today: _fits("employer_uscc", today),
    "birth_date": _is_birth_date,
    "id_valid_until": _is_validity,
    "sex": lambda today: _fits("sex", today),
    "id_type": lambda _today: lambda value: plain_text(value) in ID_TYPE_NAMES,
    "nationality": lambda _today: lambda value: country_code(value) is not None,
    "address": lambda _today: lambda value: re.search(r"[省市区县].*[路街道号村室]", value) is not None,
}
_TELLING: Final = frozenset(
    {"mobile", "email", "employer_uscc", "birth_date", "id_valid_until", "address", "account", "id_number"}
)
