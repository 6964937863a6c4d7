"""Carrying out an erasure (密钥销毁): keys first, then every token that finds the person, then the certificate.

No transaction spans data and keys, so each step is repeatable and a duty finishes what was begun: figures are taken and
the last look is recorded -> tombstone and keys -> tokens gone, request reduced to a commitment -> certificate, once the
sealer has given the deed its place in the log.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlmodel import Session, col, select

from compliance.audit.checkpoint import origin_of
from compliance.audit.deeds import Deed
from compliance.audit.log import inclusion_proof
from compliance.audit.seal import SIGNING_KEY_NAME
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.vault.certificate import ACTION, Inclusion, issue
from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.domain.privacy.erasing import ErasureState
from models.domain.shanghai import shanghai_date
from models.operations import erasure
from models.queries.retention import obstacles_of
from models.tables.audit import AuditCheckpoint, AuditEvent, AuditLeaf
from models.tables.erasure import ErasureRequest

ACTOR: Final = "duty:eraser"
DEFAULT_HORIZON_DAYS: Final = 7

NoteTombstone = Callable[[str, str, datetime], None]
"""Told of each person whose keys were destroyed: tenant, subject, when. Repeated, it says the same again."""


def _nowhere(tenant: str, subject_id: str, at: datetime) -> None:
    """For an installation that keeps no list of tombstones beside its backups."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Erasing:
    """Erases one person after the other.

    Attributes:
        horizon_days: after so many days no backup of the keys can be opened that still holds the person's.
        note_tombstone: remembers the person's token where a restored backup cannot have forgotten it.
    """

    database: Database
    vault: Vault
    horizon_days: int = DEFAULT_HORIZON_DAYS
    note_tombstone: NoteTombstone = field(default=_nowhere)

    def erase(self, request_id: str, *, now: datetime) -> ErasureState:
        """Carry out an approved request, from wherever an earlier try has left it.

        Returns:
            The state it is in afterwards: `REFUSED` if something has come up since it was approved.

        Raises:
            KeysUnavailable: the key store does not answer; nothing was destroyed, or the next try goes on.
        """
        request = self._begun(request_id, now)
        if request.state != ErasureState.APPROVED or request.subject_id is None:
            return ErasureState(request.state)
        with self.database.read() as session:
            subjects = erasure.keys_of(session, request.subject_id)
        for subject in subjects:
            # Before the key goes, so that no restored backup brings back a person whom nobody remembers to have erased.
            self.note_tombstone(request.tenant, subject, now)
            self.vault.shred_subject(tenant=request.tenant, subject_id=subject)
        return self._done(request, now)

    def certify(self, request_id: str, *, now: datetime) -> bool:
        """Issue the certificate of a request that was carried out; false while the deed waits for the sealer."""
        with self.database.read() as session:
            request = session.get_one(ErasureRequest, request_id)
            inclusion = inclusion_of(session, action=ACTION, target=request.id)
        if request.state != ErasureState.ERASED or inclusion is None or request.nonce is None:
            return False
        key = self.vault.signing_key(SIGNING_KEY_NAME)
        text = issue(
            self._statement(request, origin=origin_of(key.public_key())), inclusion, nonce=request.nonce, key=key
        )
        deed = Deed(tenant=request.tenant, action="erasure.certified", target=request.id, actor=ACTOR, at=now)
        with unit_of_work(self.database, deed) as unit:
            if not erasure.certify(unit.session, request.id, certificate=text, now=now):
                raise Unchanged
        return bool(unit.event_ids)

    def _begun(self, request_id: str, now: datetime) -> ErasureRequest:
        """The last look and the figures, recorded before anything is destroyed; nothing if that was done before."""
        with self.database.read() as session:
            request = session.get_one(ErasureRequest, request_id)
        if request.state != ErasureState.APPROVED or request.subject_id is None or request.figures:
            return request
        with self.database.read() as session:
            subjects = erasure.keys_of(session, request.subject_id)
        keys = sum(self.vault.subject_key_count(tenant=request.tenant, subject_id=each) for each in subjects)
        deed = Deed(tenant=request.tenant, action="erasure.begun", target=request.id, actor=ACTOR, at=now)
        with unit_of_work(self.database, deed) as unit:
            person = erasure.hold_person(unit.session, request.subject_id, erased_too=True)
            request = unit.session.get_one(ErasureRequest, request_id, populate_existing=True)
            if request.state != ErasureState.APPROVED or request.subject_id is None or request.figures:
                raise Unchanged
            standing = obstacles_of(unit.session, request.subject_id, tenant=request.tenant, today=shanghai_date(now))
            if standing and person.erased_at is None:  # else a restored backup has forgotten that it was done
                erasure.refuse(unit.session, request, standing=standing, now=now)
                deed.action, deed.facts = "erasure.refused", {"obstacles": [erasure.told(each) for each in standing]}
                return request
            request.figures = {"keys": keys, **erasure.held_rows(unit.session, request.subject_id)}
            unit.session.add(request)
            deed.facts = {"figures": request.figures}
        return request

    def _done(self, request: ErasureRequest, now: datetime) -> ErasureState:
        deed = Deed(tenant=request.tenant, action=ACTION, target=request.id, actor=ACTOR, at=now)
        with unit_of_work(self.database, deed) as unit:
            again = unit.session.get_one(ErasureRequest, request.id, populate_existing=True, with_for_update=True)
            if again.state != ErasureState.APPROVED or again.subject_id is None:
                raise Unchanged
            tokens = erasure.erase_tokens(unit.session, again.subject_id, tenant=again.tenant, now=now)
            figures = again.figures | {"tokens": tokens}
            erasure.reduce(unit.session, again, figures=figures, now=now)
            deed.facts = {
                "commitment": again.commitment,
                "ground": again.ground,
                "horizonDays": self.horizon_days,
                "figures": figures,
            }
        return ErasureState.ERASED

    def _statement(self, request: ErasureRequest, *, origin: str) -> dict[str, Any]:
        erased_at = request.erased_at or request.requested_at
        return {
            "installation": origin,
            "tenant": request.tenant,
            "request": request.id,
            "commitment": request.commitment,
            "ground": request.ground,
            "requestedAt": request.requested_at.isoformat(),
            "approvedAt": None if request.decided_at is None else request.decided_at.isoformat(),
            "erasedAt": erased_at.isoformat(),
            "horizonDays": self.horizon_days,
            "darkFrom": (erased_at.astimezone(UTC).date() + timedelta(days=self.horizon_days)).isoformat(),
            "figures": request.figures,
        }


def inclusion_of(session: Session, *, action: str, target: str) -> Inclusion | None:
    """The place of a deed in the log, with its audit path to the first checkpoint that covers it; None until then."""
    event = session.exec(
        select(AuditEvent).where(col(AuditEvent.target) == target, col(AuditEvent.action) == action).limit(1)
    ).first()
    leaf = None
    if event is not None:
        leaf = session.exec(select(AuditLeaf).where(col(AuditLeaf.event_id) == event.id)).one_or_none()
    if leaf is None or event is None:
        return None
    checkpoint = session.exec(
        select(AuditCheckpoint).where(col(AuditCheckpoint.size) > leaf.idx).order_by(col(AuditCheckpoint.size)).limit(1)
    ).first()
    if checkpoint is None:
        return None
    hashes = session.exec(
        select(AuditLeaf.leaf_hash).where(col(AuditLeaf.idx) < checkpoint.size).order_by(col(AuditLeaf.idx))
    ).all()
    path = inclusion_proof([bytes.fromhex(each) for each in hashes], index=leaf.idx)
    return Inclusion(
        body=event.body, index=leaf.idx, size=checkpoint.size, path=tuple(path), checkpoint=checkpoint.note
    )
