"""What only the customer may read of a notice (a link, a one-time code): sealed under their key until it is sent."""

import json
from collections.abc import Mapping

from compliance.vault.cells import CellAddress
from compliance.vault.keyring import Vault
from models.domain.notices import NoticeKind, check_secrets


def seal_secrets(
    vault: Vault, *, tenant: str, subject_id: str, notice_id: str, kind: NoticeKind, secrets: Mapping[str, str]
) -> bytes:
    """The cell for `NewNotice.secrets_cell`.

    Raises:
        ValueError: other secrets than the kind has, or one that would break a line.
        SubjectShredded: the person's keys were destroyed.
    """
    check_secrets(kind, secrets)
    address = _address(tenant=tenant, subject_id=subject_id, notice_id=notice_id)
    return vault.seal(address, json.dumps(dict(secrets)))


def open_secrets(vault: Vault, *, tenant: str, subject_id: str, notice_id: str, cell: bytes | None) -> dict[str, str]:
    """What was sealed; nothing, if there is no cell.

    Raises:
        CannotOpen: altered, or of another notice.
        SubjectShredded: the person's keys were destroyed.
    """
    if cell is None:
        return {}
    opened: dict[str, str] = json.loads(
        vault.open_text(_address(tenant=tenant, subject_id=subject_id, notice_id=notice_id), cell)
    )
    return opened


def _address(*, tenant: str, subject_id: str, notice_id: str) -> CellAddress:
    return CellAddress(tenant=tenant, table="notices", column="secrets_cell", row=notice_id, subject=subject_id)
