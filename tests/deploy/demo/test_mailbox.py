"""What the demo's customers read on their phones: the newest message about their case, each only once."""

import json
import os
from pathlib import Path

import pytest

from deploy.demo.mailbox import NothingCame, ReceivedPhones, SpoolPhones, next_code, next_link

_MOBILE = "13800138000"
_FIRST, _SECOND = (f"{letter * 60}.{letter * 43}" for letter in "ab")


def spooled(folder: Path, number: int, text: str) -> None:
    path = folder / f"sms-{number:032x}.json"
    path.write_text(json.dumps({"to": f"+86{_MOBILE}", "text": text}), encoding="utf-8")
    os.utime(path, (number, number))


async def test_the_newest_link_of_the_case_is_taken_and_then_known(tmp_path: Path) -> None:
    spooled(tmp_path, 9, f"（编号尾号 abc123）https://bank.example/v1/links/{_SECOND}")
    spooled(tmp_path, 3, f"（编号尾号 abc123）https://bank.example/v1/links/{_FIRST}")
    spooled(tmp_path, 12, f"（编号尾号 other9）https://bank.example/v1/links/{'c' * 60}.{'c' * 43}")
    phones, known = SpoolPhones(tmp_path), set[str]()
    assert await next_link(phones, _MOBILE, tail="abc123", known=known, patience=0) == _SECOND
    assert await next_link(phones, _MOBILE, tail="abc123", known=known, patience=0) == _FIRST
    with pytest.raises(NothingCame):
        await next_link(phones, _MOBILE, tail="abc123", known=known, patience=0)


async def test_a_code_is_read_out_of_what_a_provider_received() -> None:
    message = {
        "to": f"+86{_MOBILE}",
        "text": "【示例银行】验证码 048213，用于签署分期还款协议（编号尾号 abc123），5 分钟内有效。",
    }
    phones = ReceivedPhones({"1": message})
    assert await next_code(phones, _MOBILE, tail="abc123", known=set(), patience=0) == "048213"
    with pytest.raises(NothingCame):
        await next_code(phones, "13900139000", tail="abc123", known=set(), patience=0)
