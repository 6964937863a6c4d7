"""How a transferor writes its book: other names of columns, other codes, dates without hyphens, perhaps GB 18030.

A mapping (字段映射) has to say what is what; `deploy.demo.transfers.mapping` writes the one that fits.
"""

from collections.abc import Mapping
from typing import Final

from models.domain.customers.record import LONG_TERM

# In the order of the file. Two columns belong to the transferor alone and are not taken over.
HEADERS: Final[Mapping[str, str]] = {
    "customer_no": "客户编号",
    "name": "客户名称",
    "id_type": "证件种类",
    "id_number": "证件号码",
    "id_valid_until": "证件有效期",
    "sex": "性别",
    "birth_date": "出生日期",
    "nationality": "国籍",
    "mobile": "手机号码",
    "email": "电子邮箱",
    "account": "结算账号",
    "occupation": "职业",
    "employer": "工作单位",
    "employer_uscc": "单位统一社会信用代码",
    "address": "联系地址",
    "postcode": "邮政编码",
    "language": "服务语言",
}
OWN_HEADERS: Final = ("客户等级", "网点号")
CODES: Final[Mapping[str, Mapping[str, str]]] = {
    "id_type": {
        "resident-id": "01",
        "hk-macao-residence": "21",
        "taiwan-residence": "22",
        "hk-macao-permit": "23",
        "taiwan-permit": "24",
    },
    "sex": {"M": "1", "F": "2"},
    "nationality": {"CHN": "156", "HKG": "344", "MAC": "446", "TWN": "158"},
    "language": {"zh-CN": "中文", "en": "英文"},
}
DATES: Final = ("id_valid_until", "birth_date")
LONG_TERM_WRITTEN: Final = "长期"


def header() -> list[str]:
    """The first line of the file."""
    return [*HEADERS.values(), *OWN_HEADERS]


def written(values: Mapping[str, str], number: int) -> list[str]:
    """A record as a line of the file; `number` makes up what belongs to the transferor alone."""
    return [*(_value(name, values.get(name, "")) for name in HEADERS), "ABC"[number % 3], f"{1000 + number % 37}"]


def _value(name: str, value: str) -> str:
    if name in DATES:
        return LONG_TERM_WRITTEN if value == LONG_TERM else value.replace("-", "")
    codes = CODES.get(name)
    return codes.get(value, value) if codes is not None else value
