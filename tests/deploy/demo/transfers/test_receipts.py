"""The demo's providers: each message gets one receipt, mail that arrived gets none, links are found in the texts."""

import json
from pathlib import Path

import httpx

from deploy.demo.transfers.receipts import providers

LINK = "a" * 60 + "." + "b" * 43


def test_every_text_message_is_told_back_once(tmp_path: Path) -> None:
    with providers(tmp_path) as provided:
        for number in range(40):
            message = {"id": f"{number:032x}", "to": "+8613800000000", "text": f"see https://x.example/{LINK} today"}
            answer = httpx.post(provided.settings["CASEWORK_SMS_URL"], json=message, trust_env=False)
            assert answer.status_code == 202
        assert provided.tell() == 40
        assert provided.tell() == 0
        assert next(iter(provided.links())) == LINK
    told = [json.loads(path.read_text()) for path in sorted((tmp_path / "receipts").glob("*.json"))]
    states = [receipt["state"] for receipt in told]
    assert len({receipt["id"] for receipt in told}) == 40
    assert set(states) == {"delivered", "bounced"}
    assert 0 < states.count("bounced") < 20
