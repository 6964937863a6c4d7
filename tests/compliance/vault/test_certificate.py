"""Whatever is changed in a certificate is found, and checking it needs neither database nor installation."""

import base64
import copy
import json
import subprocess
import sys
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.audit.checkpoint import Checkpoint, origin_of, sign, verifier_key
from compliance.audit.deeds import Deed, canonical
from compliance.audit.log import inclusion_proof, leaf_hash, root_hash
from compliance.vault.certificate import ACTION, Inclusion, check, issue
from models.domain.privacy.erasing import commitment
from tests.support.clock import MONDAY_MORNING

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
SUBJECT, NONCE = "sub_" + "7" * 26, "ab" * 16
COMMITTED = commitment(
    tenant="main", request="era_1", subject=SUBJECT, ground="period-over", requested_at="2026-11-23", nonce=NONCE
)
FACTS: dict[str, Any] = {
    "commitment": COMMITTED, "ground": "period-over", "horizonDays": 7, "figures": {"keys": 1},
}  # fmt: skip
STATEMENT = {**FACTS, "tenant": "main", "request": "era_1", "requestedAt": "2026-11-23", "darkFrom": "2026-11-30"}


def issued(key: Ed25519PrivateKey = KEY, **facts: Any) -> dict[str, Any]:
    deed = Deed(
        tenant="main", action=ACTION, target="era_1", actor="duty:eraser", at=MONDAY_MORNING, facts=FACTS | facts
    )
    bodies = [canonical(f"{number}", deed) for number in range(5)]
    leaves = [leaf_hash(body.encode()) for body in bodies]
    note = sign(Checkpoint(origin=origin_of(key.public_key()), size=5, root=root_hash(leaves)), key=key)
    inclusion = Inclusion(
        body=bodies[2], index=2, size=5, path=tuple(inclusion_proof(leaves, index=2)), checkpoint=note
    )
    told: dict[str, Any] = json.loads(issue(STATEMENT, inclusion, nonce=NONCE, key=key))
    return told


def checked(document: dict[str, Any], **options: Any) -> tuple[str, ...]:
    return check(json.dumps(document), **options).faults


def test_a_whole_certificate_holds_under_the_key_that_was_handed_out() -> None:
    key = verifier_key(origin_of(KEY.public_key()), KEY.public_key())
    found = check(json.dumps(issued()), trusted_key=key, subject=SUBJECT)
    assert (found.faults, found.key_known, found.subject_shown) == ((), True, True)
    assert not check(json.dumps(issued())).key_known  # and says when nobody knew the key


def test_every_member_is_guarded() -> None:
    """Every text, number and list of the document changed by a little, one at a time."""
    whole = issued()
    untouched = []
    for name, value in whole.items():
        if name == "nonce":
            continue
        document = copy.deepcopy(whole)
        document[name] = _changed(value)
        if not checked(document):
            untouched.append(name)
    assert untouched == []
    for name in STATEMENT:
        document = copy.deepcopy(whole)
        document["statement"][name] = "other"
        assert "signature" in checked(document), name


def _changed(value: Any) -> Any:
    if isinstance(value, str):
        return value[:-2] + ("0" if value[-2] != "0" else "1") + value[-1]
    if isinstance(value, int):
        return value + 1
    if isinstance(value, list):
        return value[:-1]
    return {**value, "more": 1}


def test_another_person_another_key_and_another_event_are_named() -> None:
    assert checked(issued(), subject="sub_" + "8" * 26) == ("other-subject",)
    foreign = verifier_key(origin_of(OTHER.public_key()), OTHER.public_key())
    assert checked(issued(), trusted_key=foreign) == ("other-key",)
    assert checked(issued(horizonDays=90)) == ("event-differs",)  # the log says something else than the statement
    forged = issued(OTHER)
    assert checked(forged, trusted_key=issued()["verifierKey"]) == ("other-key",)


def test_a_checkpoint_signature_is_no_signature_of_a_statement() -> None:
    document = issued()
    note = document["checkpoint"].rsplit(" ", 1)[1].strip()
    document["signature"] = base64.b64encode(base64.b64decode(note)[4:]).decode()
    assert "signature" in checked(document)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", '{"statement": 1}', '{"format": "casework-erasure-certificate/1"}']
)
def test_what_is_no_certificate_is_called_so(text: str) -> None:
    assert check(text).faults == ("unreadable",)


def test_checking_needs_the_standard_library_and_cryptography_only() -> None:
    script = (
        "import sys, compliance.vault.certificate\n"
        "roots = {name.partition('.')[0] for name in sys.modules}\n"
        "ours = {name for name in sys.modules if name.startswith(('compliance.', 'models.'))}\n"
        "assert not roots & {'sqlalchemy', 'sqlmodel', 'litestar', 'temporalio', 'pydantic', 'structlog'}, roots\n"
        "assert not any('tables' in name or 'database' in name for name in ours), ours\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
