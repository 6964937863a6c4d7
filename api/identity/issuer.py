"""The local issuer of tokens: for the embedded default, and for banks that have no identity provider.

A log-in is a family of refresh tokens. Access tokens carry `jti = <family>.<random>`, so that denying the family ends
them all.
"""

import base64
import hashlib
import hmac
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from api.identity.passwords import check_policy, hash_password, password_matches
from api.identity.principal import Principal
from api.identity.tokens import (
    ACCESS_TOKEN_LIFETIME,
    LEEWAY_S,
    MAX_LIFETIME_S,
    SigningKey,
    TokenVerifier,
    local_keys,
    sign_token,
    signing_key,
)
from compliance.audit.deeds import Deed
from compliance.audit.unit import bookkeeping, unit_of_work
from compliance.vault.keyring import Vault
from compliance.vault.purposes import Purpose
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.tokens import new_token
from models.errors import NotAuthenticated
from models.operations.sessions import (
    add_refresh_token,
    end_all_sessions,
    end_session,
    find_refresh_token,
    release_try,
    reserve_try,
    use_refresh_token,
)
from models.operations.staff import set_password
from models.queries.staff import staff_by_id, staff_by_login, staff_of_token
from models.tables.staff import Staff

REFRESH_IDLE: Final = timedelta(hours=1)  # without a refresh for that long, the log-in is over
REFRESH_TOTAL: Final = timedelta(hours=12)  # and after a working day anyway
AUDIENCE: Final = "casework"
ISSUER: Final = "urn:casework:local"
_INSTALLATION: Final = "_"  # the vault's name for the installation itself
_REFRESH_PREFIX: Final = "rt_"
DENY_FOR: Final = timedelta(
    seconds=MAX_LIFETIME_S + 2 * LEEWAY_S
)  # longer than any token lives, ours or another issuer's
log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenPair:
    """What a log-in gives; `refresh_token` is shown once and kept by hash only."""

    access_token: str
    refresh_token: str
    expires_in_s: int
    staff_id: str
    password_change_required: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Issuer:
    """Logs people in and out. All methods block: call them from a sync handler or through `in_thread`.

    Attributes:
        bucket_key: 32 bytes by which accounts and sources are named in the throttle's table.
    """

    database: Database
    clock: Clock
    key: SigningKey
    bucket_key: bytes
    issuer: str = ISSUER
    audience: str = AUDIENCE

    def log_in(self, *, tenant: str, login: str, password: str, source: str) -> TokenPair:
        """Open a session for the right password.

        Args:
            tenant: code of the institution.
            login: the account's name there.
            password: as typed.
            source: address the request came from, as the server saw it; headers of proxies are not looked at.

        Raises:
            TooManyRequests: too many failures of this account or from this source.
            NotAuthenticated: anything else; the answer and its time are the same for every reason.
        """
        now = self.clock()
        account, origin = self._bucket("account", tenant, login.casefold()), self._bucket("source", source)
        with bookkeeping(self.database) as session:
            reserve_try(session, bucket=origin, now=now, hard_stop=False)
            reserve_try(session, bucket=account, now=now, hard_stop=True)
        with self.database.read() as session:
            staff = staff_by_login(session, tenant=tenant, login=login)
        right = password_matches(password, staff.password_hash if staff is not None else None)
        if staff is None or not right or not staff.active:
            log.warning("login.refused")
            raise NotAuthenticated
        with bookkeeping(self.database) as session:
            release_try(session, bucket=origin, forget_all=False)
            release_try(session, bucket=account, forget_all=True)
        return self._open(staff, now=now)

    def refresh(self, refresh_token: str) -> TokenPair:
        """Swap a refresh token for a new pair. A token that was swapped before ends its whole log-in.

        Raises:
            NotAuthenticated: unknown, expired, used before, or its owner is gone.
        """
        now = self.clock()
        token_hash = _hash(refresh_token)
        with self.database.read() as session:
            found = find_refresh_token(session, token_hash=token_hash)
            staff = None
            if found is not None:
                owner = staff_of_token(session, subject=found.staff_id, from_outside=False, token_ids=(found.family,))
                staff = owner.row if owner is not None else None
        if found is None or staff is None or found.expires_at <= now:
            raise NotAuthenticated
        new_refresh = _new_refresh_token()
        deed = self._deed("session.refreshed", staff, found.family, now)
        with unit_of_work(self.database, deed) as unit:
            stolen = not use_refresh_token(unit.session, token_hash=token_hash, now=now)
            if stolen:
                deed.action = "session.reuse-detected"
                end_session(unit.session, family=found.family, until=now + DENY_FOR)
            else:
                add_refresh_token(
                    unit.session,
                    token_hash=_hash(new_refresh),
                    family=found.family,
                    staff_id=staff.id,
                    auth_time=found.auth_time,
                    expires_at=min(now + REFRESH_IDLE, found.auth_time + REFRESH_TOTAL),
                )
        if stolen:
            log.warning("refresh.reused", staff_id=staff.id)
            raise NotAuthenticated
        return self._pair(staff, family=found.family, refresh_token=new_refresh, auth_time=found.auth_time, now=now)

    def change_password(self, principal: Principal, *, current: str, new: str, source: str) -> None:
        """Choose another password; every log-in of the account ends.

        Raises:
            FormInvalid: the new password breaks the policy.
            TooManyRequests, NotAuthenticated: as at a log-in.
        """
        check_policy(new, login=principal.login, pointer="/newPassword")
        now = self.clock()
        account = self._bucket("account", principal.tenant, principal.login.casefold())
        origin = self._bucket("source", source)
        with bookkeeping(self.database) as session:
            reserve_try(session, bucket=origin, now=now, hard_stop=False)
            reserve_try(session, bucket=account, now=now, hard_stop=True)
        with self.database.read() as session:
            found = staff_by_id(session, tenant=principal.tenant, staff_id=principal.staff_id)
        if not password_matches(current, found.row.password_hash if found is not None else None):
            raise NotAuthenticated
        with bookkeeping(self.database) as session:
            release_try(session, bucket=origin, forget_all=False)
            release_try(session, bucket=account, forget_all=True)
        new_hash = hash_password(new)
        deed = Deed(
            tenant=principal.tenant,
            action="staff.password-changed",
            target=principal.staff_id,
            actor=principal.staff_id,
            at=now,
        )
        with unit_of_work(self.database, deed) as unit:
            set_password(unit.session, staff_id=principal.staff_id, password_hash=new_hash)
            end_all_sessions(unit.session, staff_id=principal.staff_id, now=now)
            end_session(unit.session, family=principal.session_id, until=now + DENY_FOR)

    def account_bucket(self, *, tenant: str, login: str) -> str:
        """The throttle's name for an account, for the administrator who opens it again."""
        return self._bucket("account", tenant, login.casefold())

    def _open(self, staff: Staff, *, now: datetime) -> TokenPair:
        family, refresh_token = new_token("ses"), _new_refresh_token()
        with unit_of_work(self.database, self._deed("session.opened", staff, family, now)) as unit:
            add_refresh_token(
                unit.session,
                token_hash=_hash(refresh_token),
                family=family,
                staff_id=staff.id,
                auth_time=now,
                expires_at=now + REFRESH_IDLE,
            )
        return self._pair(staff, family=family, refresh_token=refresh_token, auth_time=now, now=now)

    def _pair(self, staff: Staff, *, family: str, refresh_token: str, auth_time: datetime, now: datetime) -> TokenPair:
        access_token = sign_token(
            key=self.key,
            issuer=self.issuer,
            audience=self.audience,
            subject=staff.id,
            jti=f"{family}.{new_token('at')[3:]}",
            issued_at=now,
            auth_time=auth_time,
        )
        return TokenPair(
            access_token=access_token,
            refresh_token=refresh_token,
            expires_in_s=int(ACCESS_TOKEN_LIFETIME.total_seconds()),
            staff_id=staff.id,
            password_change_required=staff.password_initial,
        )

    def _deed(self, action: str, staff: Staff, family: str, now: datetime) -> Deed:
        return Deed(
            tenant=staff.tenant, action=action, target=staff.id, actor=staff.id, at=now, facts={"session": family}
        )

    def _bucket(self, kind: str, *names: str) -> str:
        digest = hmac.new(self.bucket_key, "\x00".join((kind, *names)).encode("utf-8", "replace"), hashlib.sha256)
        return f"{kind}:{digest.hexdigest()}"


def log_out(database: Database, principal: Principal, *, now: datetime) -> None:
    """End the log-in that the caller's token belongs to, whoever issued it: at once, in every process."""
    deed = Deed(
        tenant=principal.tenant,
        action="session.closed",
        target=principal.staff_id,
        actor=principal.staff_id,
        at=now,
        facts={"session": principal.session_id},
    )
    with unit_of_work(database, deed) as unit:
        end_session(unit.session, family=principal.session_id, until=now + DENY_FOR)


def local_issuer(
    *, database: Database, vault: Vault, clock: Clock, issuer: str = ISSUER, audience: str = AUDIENCE
) -> tuple[Issuer, TokenVerifier]:
    """The issuer over the vault's keys, and the verifier of its tokens. Keys are read once: a rotation needs a restart.

    Raises:
        UnsafeSetting: a key is weak.
    """
    pairs = vault.token_keys()
    kid, private = pairs[0]
    vault.ensure_tenant(_INSTALLATION)
    keys = local_keys(pairs)
    made = Issuer(
        database=database,
        clock=clock,
        key=signing_key(kid, private),
        bucket_key=vault.purpose_key(_INSTALLATION, Purpose.FINGERPRINT),
        issuer=issuer,
        audience=audience,
    )
    return made, TokenVerifier(keys=lambda: keys, issuer=issuer, audience=audience)


def _new_refresh_token() -> str:
    return _REFRESH_PREFIX + base64.urlsafe_b64encode(os.urandom(32)).rstrip(b"=").decode("ascii")


def _hash(refresh_token: str) -> str:
    # 256 random bits need no slow hash.
    return hashlib.sha256(refresh_token.encode("utf-8", "replace")).hexdigest()
