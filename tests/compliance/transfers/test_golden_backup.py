"""The frozen backups still open, and what is written today is what was frozen (docs/transfer-backup.md)."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from compliance.transfers.backup_check import check_backup
from compliance.transfers.backup_container import read_container
from compliance.transfers.backup_envelopes import open_as_escrow
from compliance.vault.suites import SUITES
from tests.compliance.transfers.make_golden_backup import CONTENT, TARGET, example
from tests.support.transfer_containers import ESCROW, NAME

EXAMPLES = json.loads(TARGET.read_text(encoding="utf-8"))
EACH = pytest.mark.parametrize("frozen", EXAMPLES, ids=lambda one: one["suite"])


@EACH
def test_a_frozen_backup_is_opened_by_its_escrow_and_holds(frozen: dict[str, Any], tmp_path: Path) -> None:
    container, manifest = tmp_path / "book.cwtb", tmp_path / "book.manifest.json"
    container.write_bytes(base64.b64decode(frozen["container"]))
    manifest.write_text(json.dumps(frozen["document"]), encoding="utf-8")
    key = frozen["document"]["verifierKey"]
    checked = check_backup(container, manifest, trusted_key=key, escrow=ESCROW, scratch=tmp_path)
    assert (checked.fault, checked.opened) == (None, True)
    secrets = open_as_escrow(ESCROW, NAME, frozen["document"]["manifest"]["recipients"])
    assert secrets.packed().hex() == frozen["secrets"]
    assert list(read_container(container, NAME, secrets)) == CONTENT


def test_what_is_written_today_is_what_was_frozen(tmp_path: Path) -> None:
    def without_chance(made: dict[str, Any]) -> dict[str, Any]:
        """HPKE draws its own key each time, and the signature is over what it gives."""
        manifest = {name: value for name, value in made["document"]["manifest"].items() if name != "recipients"}
        return {**made, "document": manifest}

    today = [without_chance(example(suite, tmp_path)) for suite in SUITES.values()]
    assert today == [without_chance(frozen) for frozen in EXAMPLES]
