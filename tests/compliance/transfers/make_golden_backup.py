"""Makes `golden_backup.json` anew: `python -m tests.compliance.transfers.make_golden_backup`. Only for a new form."""

import base64
import json
import os
import tempfile
from pathlib import Path
from typing import Any, Final
from unittest import mock

from compliance.transfers.backup_stream import BackedUp
from compliance.vault.customer_layout import Customer
from compliance.vault.suites import SUITES, Suite
from tests.support.transfer_containers import backup

TARGET: Final = Path(__file__).with_name("golden_backup.json")
CONTENT: Final = [
    BackedUp(
        Customer(
            "cus_0123456789abcdefghjkmnpqrs",
            "sub_0123456789abcdefghjkmnpqrs",
            {
                "customer_no": "C00000001",
                "name": "王小明",
                "id_type": "resident-id",
                "id_number": "110101199003071233",
                "address": "某某路1号",
                "language": "zh-CN",
            },
        ),
        version=3,
        person_link="psn_0123456789abcdefghjkmnpqrs",
    ),
    BackedUp(
        Customer(
            "cus_1123456789abcdefghjkmnpqrs",
            "sub_1123456789abcdefghjkmnpqrs",
            {
                "customer_no": "C00000002",
                "name": "Ann Lee",
                "id_type": "passport",
                "id_number": "E12345678",
                "language": "en",
            },
        ),
        state="locked",
    ),
]


def example(suite: Suite, folder: Path) -> dict[str, Any]:
    """A backup under the suite, with keys and randomness that anybody can see; the envelope's stay the library's."""
    with mock.patch.object(os, "urandom", lambda count: bytes(range(count))):
        made = backup(folder, suite=suite, content=CONTENT)
    return {
        "suite": suite.code,
        "secrets": made.secrets.packed().hex(),
        "container": base64.b64encode(made.container.read_bytes()).decode(),
        "document": made.document,
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made_in:
        examples = [example(suite, Path(made_in)) for suite in SUITES.values()]
    TARGET.write_text(json.dumps(examples, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")
