"""One-time codes (动态验证码): six digits from the operating system, sent to the customer and kept as a MAC only.

`issue_code` makes one and queues the notice that carries it; `prove_code` counts a try, then compares; whoever acts on
the proof spends it with `models.operations.one_time_codes.use_code` in the transaction of the act itself.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.vault.framing import framed
from compliance.vault.keyring import Vault
from compliance.vault.notice_secrets import seal_secrets
from compliance.vault.purposes import Purpose
from models.database.engine import Database
from models.domain.notices import NoticeChannel, NoticeKind, case_tail
from models.domain.one_time_codes import CODE_LIFE, DIGITS, CodePurpose, CodeRefusal
from models.domain.tokens import new_token
from models.errors import CodeRefused
from models.operations.notices import NewNotice, queue_notice
from models.operations.one_time_codes import NewCode, add_code, newest_code, refusal_of, reserve_try

_MINUTES: Final = int(CODE_LIFE.total_seconds() // 60)


@dataclass(frozen=True, kw_only=True, slots=True)
class Confirming:
    """What a customer is to confirm with a code.

    Attributes:
        bound_to: SHA-256, in hex, of what they are shown (`compliance.audit.deeds.shown_hash`); another is refused.
        actor: for the audit log: the id of the link they came by.
    """

    tenant: str
    subject_id: str
    case_token: str
    purpose: CodePurpose
    bound_to: str
    actor: str


def issue_code(
    database: Database, vault: Vault, confirming: Confirming, *, channel: NoticeChannel, locale: str, now: datetime
) -> str:
    """Make a code and queue the notice with it, in one transaction of its own; blocking.

    Returns:
        The id of the queued notice (`one-time-code/<code id>` is its business key).

    Raises:
        TooManyRequests: too many codes in the last hour; nothing was made.
        SubjectShredded: the person's keys were destroyed.
    """
    vault.ensure_tenant(confirming.tenant)  # a tenant from before there were codes has no key for them
    code_id, notice_id = new_token("otc"), new_token("ntc")
    digits = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
    code = NewCode(
        id=code_id,
        tenant=confirming.tenant,
        subject_id=confirming.subject_id,
        purpose=confirming.purpose,
        bound_to=confirming.bound_to,
        code_mac=_mac(vault, confirming, code_id=code_id, digits=digits),
    )
    kind = NoticeKind.ONE_TIME_CODE
    cell = seal_secrets(
        vault,
        tenant=confirming.tenant,
        subject_id=confirming.subject_id,
        notice_id=notice_id,
        kind=kind,
        secrets={"code": digits},
    )
    notice = NewNotice(
        id=notice_id,
        tenant=confirming.tenant,
        subject_id=confirming.subject_id,
        case_token=confirming.case_token,
        business_key=f"one-time-code/{code_id}",
        kind=kind,
        channel=channel,
        locale=locale,
        params={
            "case": case_tail(confirming.case_token),
            "purpose": confirming.purpose.value,
            "minutes": _MINUTES,
        },
        secrets_cell=cell,
    )
    with unit_of_work(database, _deed("code.issued", confirming, now=now, code=code_id)) as unit:
        add_code(unit.session, code, now=now)
        queue_notice(unit.session, notice, now=now)
    return notice_id


def prove_code(database: Database, vault: Vault, confirming: Confirming, digits: str, *, now: datetime) -> str:
    """Compare what the customer entered; the try is counted and on record before, whatever comes of it; blocking.

    Returns:
        The id of the code, to be spent with the act (`use_code`).

    Raises:
        CodeRefused: `params.reason` is a `CodeRefusal`.
    """
    with database.read() as session:
        code = newest_code(
            session, tenant=confirming.tenant, subject_id=confirming.subject_id, purpose=confirming.purpose
        )
    refusal = refusal_of(code, bound_to=confirming.bound_to, now=now)
    if code is None or refusal is not None:
        raise CodeRefused(params={"reason": (refusal or CodeRefusal.NONE).value})
    mac = _mac(vault, confirming, code_id=code.id, digits=digits)
    is_right = hmac.compare_digest(mac, code.code_mac)
    counted = False
    deed = _deed("code.tried", confirming, now=now, code=code.id)
    with unit_of_work(database, deed) as unit:
        counted = reserve_try(unit.session, code.id, now=now)
        # What came of a try that was not counted is told to nobody.
        unit.deed.facts["result"] = "refused" if not counted else "right" if is_right else "wrong"
    if not counted:
        raise CodeRefused(params={"reason": _refusal_now(database, confirming, now=now).value})
    if not is_right:
        raise CodeRefused(params={"reason": CodeRefusal.WRONG.value})
    return code.id


def _refusal_now(database: Database, confirming: Confirming, *, now: datetime) -> CodeRefusal:
    with database.read() as session:
        code = newest_code(
            session, tenant=confirming.tenant, subject_id=confirming.subject_id, purpose=confirming.purpose
        )
    return refusal_of(code, bound_to=confirming.bound_to, now=now) or CodeRefusal.WRONG


def _deed(action: str, confirming: Confirming, *, now: datetime, code: str) -> Deed:
    return Deed(
        tenant=confirming.tenant,
        action=action,
        target=confirming.case_token,
        actor=confirming.actor,
        at=now,
        facts={"code": code, "purpose": confirming.purpose.value, "boundTo": confirming.bound_to},
    )


def _mac(vault: Vault, confirming: Confirming, *, code_id: str, digits: str) -> bytes:
    key = vault.purpose_key(confirming.tenant, Purpose.ONE_TIME_CODE)
    message = framed(
        "casework.one-time-code",
        confirming.tenant,
        confirming.subject_id,
        confirming.purpose.value,
        confirming.bound_to,
        code_id,
        digits,
    )
    return hmac.new(key, message, hashlib.sha256).digest()
