"""What the HTTP edge is given by the composition root, and how a handler gets at it.

A handler names what it needs as a parameter; the app provides it (`api.app.create_app`):

    @post("/things/{thing_id:str}", guards=[requires(Permission.X)], sync_to_thread=True, operation_id="DoThing")
    def act(self, thing_id: FromPath[str], data: JSONBody[ThingBody], deps: Deps, principal: Caller) -> ThingAnswer:

- `deps: Deps`: this module's `ApiDeps`;
- `principal: Caller` (`api.identity.principal`): who is asking; not on public routes;
- `request_id: RequestId`: 32 hex digits, also the `traceId` of problems and the trace of the request's span;
- `locale: Locale`: `zh-CN` or `en`, from `Accept-Language`, else the caller's own;
- `idempotency_key: KeyHeader` (`api.idempotency`): the checked header; 400 without it;
- `if_match: IfMatch` (`api.etags`): the version that `If-Match` names; 428 without it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from litestar.di import NamedDependency
from litestar.params import SkipValidation
from temporalio.client import Client

from api.receipts.pace import Pace
from compliance.telemetry.metrics import Metrics
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.reconciliation.records import FiledLine
from models.domain.reconciliation.tolerance import BankDays
from models.domain.transfers.source_desk import SourceDesk
from models.errors import UnsafeSetting

if TYPE_CHECKING:
    from api.identity.issuer import Issuer
    from api.identity.tokens import TokenVerifier
    from compliance.payloads.dispatch import Dispatcher
    from compliance.vault.keyring import Vault


def unknown_calendar(day: date) -> bool:
    """For a service without a calendar.

    Raises:
        LookupError: always; nothing is assumed of a day.
    """
    raise LookupError(day)


def no_files(tenant: str) -> Iterable[FiledLine]:  # noqa: ARG001 - as `ApiDeps.filed_lines`
    """For a service that does not see the exchange with the bank."""
    return ()


@dataclass(kw_only=True, slots=True)
class ApiDeps:
    """Everything a handler may reach.

    Attributes:
        temporal: a lazily connected client; a call fails while Temporal is down, the app does not.
        dispatcher: sends starts and decisions through that client.
        files_root: where sealed files lie.
        issuer: the local issuer of tokens, or None where an outside issuer logs people in.
        metrics: what `/metrics` shows; the process hands in its own.
        is_bank_day: the bank's calendar.
        filed_lines: a tenant's booked entries as the files of its bank have them.
        transfer_sources: looks at the sources of transfer jobs; None where there are none.
        receipts_secret: shared with the gateways that push receipts; None where none does.
        receipts_pace: how many pushes this process takes.
    """

    database: Database
    vault: "Vault"
    temporal: Client
    dispatcher: "Dispatcher"
    clock: Clock
    verifier: "TokenVerifier"
    issuer: "Issuer | None"
    files_root: Path
    metrics: Metrics = field(default_factory=Metrics)
    is_bank_day: BankDays = unknown_calendar
    filed_lines: Callable[[str], Iterable[FiledLine]] = no_files
    transfer_sources: SourceDesk | None = None
    receipts_secret: str | None = field(default=None, repr=False)
    receipts_pace: Pace = field(default_factory=lambda: Pace(burst=50, per_second=20))


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiSettings:
    """What differs between installations.

    Attributes:
        allowed_hosts: names the `Host` header may carry, without port; `*` allows any, outside production only.
        tls: whether the service is reached over TLS only: then HSTS is sent.
        outbox_red_after: readiness turns red when the oldest start or decision has waited for longer.
    """

    production: bool
    allowed_hosts: frozenset[str] = field(default_factory=lambda: frozenset({"127.0.0.1", "localhost", "[::1]"}))
    tls: bool = False
    outbox_red_after: timedelta = timedelta(seconds=60)

    def __post_init__(self) -> None:
        """Refuse what production must not run with.

        Raises:
            UnsafeSetting: naming the setting.
        """
        if not self.allowed_hosts:
            raise UnsafeSetting(detail="allowed_hosts is empty: name the hosts this service answers to")
        if self.production and "*" in self.allowed_hosts:
            raise UnsafeSetting(detail="allowed_hosts may not be * in production: name the hosts")
        if self.production and not self.tls:
            raise UnsafeSetting(detail="production is reached over TLS only: set tls")


Deps = NamedDependency[SkipValidation[ApiDeps]]
RequestId = NamedDependency[SkipValidation[str]]
Locale = NamedDependency[SkipValidation[str]]
