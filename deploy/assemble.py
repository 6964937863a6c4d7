"""Composition of a process: client, API, workers and duties over open stores. Nothing else builds them."""

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from litestar import Litestar
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, UpdateNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError, TLSConfig
from temporalio.worker import Worker

from activities.duties.batch_reconciler import BatchReconciler
from activities.duties.batch_scheduler import BatchScheduler
from activities.duties.care_reconciler import CareReconciler
from activities.duties.incident_watch import IncidentWatch
from activities.duties.key_recorder import KeyRecorder
from activities.duties.notifier import Notifier
from activities.duties.reconciler import Reconciler
from activities.duties.reevaluator import Reevaluator
from activities.duties.relay import Relay
from activities.duties.runner import DutyRunner
from activities.duties.scheduler import Scheduler
from activities.duties.sealer import Sealer
from activities.duties.sweeper import Sweeper
from activities.duties.transfer_reconciler import TransferReconciler
from activities.gateways.bureau import BureauGateway, BureauRecord, Identity
from activities.gateways.core import CoreGateway, CoreOrders
from activities.gateways.core_files import FileCore
from activities.gateways.notices import SqlNotices
from activities.gateways.simulated_bureau import SimulatedBureau
from activities.gateways.simulated_core import SimulatedCore
from activities.installments.signing_steps import SigningDesk
from activities.worker import WorkerDeps, create_workers
from api.app import create_app
from api.deps import ApiDeps, ApiSettings
from api.identity.issuer import local_issuer
from api.identity.jwks import JwksFile
from api.identity.tokens import TokenVerifier
from compliance.audit.seal import seal_keys
from compliance.payloads.connect import connect
from compliance.payloads.dispatch import Dispatcher
from compliance.vault.keyring import Vault
from deploy.assemble_batches import BatchParts, batch_adapters
from deploy.assemble_transfers import TransferParts, transfer_adapters
from deploy.bank import banks, files_of, is_bank_day
from deploy.clock import wall_clock
from deploy.erasures import erasure_duties
from deploy.messages import message_gateways
from deploy.observe import Telemetry
from deploy.rollout import build_of
from deploy.safety import unsafe
from deploy.stores import Stores
from deploy.temporal_server import RETENTION_DAYS
from deploy.transfer_backups import retention_duties
from deploy.transfer_downstream import downstream_duties
from deploy.transfer_notices import notice_duties
from deploy.transfer_sources import transfer_sources
from deploy.values import Bureau, Core, IdentitySettings, IssuerMode, Settings, TlsFiles
from models.database.engine import Database
from models.domain.clock import Clock
from models.errors import GatewayRefused
from models.operations.outbox import oldest_open
from models.queries.tasks import count_open_by_type
from workflows.support.ids import BULK_QUEUE, CASES_QUEUE, GATEWAYS_QUEUE
from workflows.support.options import DECISION_BUDGET, RPC_TIMEOUT, WORKFLOW_TASK_TIMEOUT

ALL_QUEUES: Final = (CASES_QUEUE, GATEWAYS_QUEUE, BULK_QUEUE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """One process's parts, joined."""

    settings: Settings
    stores: Stores
    vault: Vault
    client: Client
    dispatcher: Dispatcher
    telemetry: Telemetry
    clock: Clock


async def reach_temporal(
    settings: Settings, vault: Vault, telemetry: Telemetry, *, lazy: bool = False
) -> Client | None:
    """A client, or None while Temporal or our namespace does not answer.

    A lazy one is always there and connects at its first call; no worker can use it, and starts are not eager.

    Raises:
        UnsafeSetting: Temporal lies off this machine and there is no TLS.
    """
    temporal = settings.temporal
    try:
        client = await connect(
            address=temporal.address,
            namespace=temporal.namespace,
            vault=vault,
            lazy=lazy,
            tls=_tls(temporal.tls),
            interceptors=[telemetry.interceptor],  # workers take it over from the client
        )
        if not lazy:
            request = DescribeNamespaceRequest(namespace=temporal.namespace)
            await client.workflow_service.describe_namespace(request, timeout=RPC_TIMEOUT)
    except (RPCError, RuntimeError, OSError):
        return None
    return client


def join(settings: Settings, stores: Stores, vault: Vault, telemetry: Telemetry, client: Client) -> Parts:
    """The parts of one process."""
    dispatcher = Dispatcher(
        client=client, cases_queue=CASES_QUEUE, task_timeout=WORKFLOW_TASK_TIMEOUT, rpc_timeout=DECISION_BUDGET
    )
    return Parts(
        settings=settings,
        stores=stores,
        vault=vault,
        client=client,
        dispatcher=dispatcher,
        telemetry=telemetry,
        clock=wall_clock,
    )


def _tls(files: TlsFiles) -> TLSConfig | None:
    if not files.enabled:
        return None
    return TLSConfig(
        server_root_ca_cert=None if files.ca is None else files.ca.read_bytes(),
        domain=files.server_name,
        client_cert=None if files.cert is None else files.cert.read_bytes(),
        client_private_key=None if files.key is None else files.key.read_bytes(),
    )


async def keep_histories(parts: Parts) -> None:
    """The embedded server keeps closed histories for a day unless told otherwise; disputes take longer than a day."""
    request = UpdateNamespaceRequest(namespace=parts.settings.temporal.namespace)
    request.config.workflow_execution_retention_ttl.FromTimedelta(timedelta(days=RETENTION_DAYS))
    await parts.client.workflow_service.update_namespace(request, retry=True, timeout=RPC_TIMEOUT)


def build_api(parts: Parts) -> Litestar:
    """The HTTP edge.

    Raises:
        UnsafeSetting: the token keys are weak, or production would be reached without TLS.
    """
    settings, stores = parts.settings, parts.stores
    if settings.identity.mode is IssuerMode.LOCAL:
        issuer, verifier = local_issuer(database=stores.data, vault=parts.vault, clock=parts.clock)
    else:
        issuer, verifier = None, _outside_verifier(settings.identity)
    deps = ApiDeps(
        database=stores.data,
        vault=parts.vault,
        temporal=parts.client,
        dispatcher=parts.dispatcher,
        clock=parts.clock,
        verifier=verifier,
        issuer=issuer,
        files_root=settings.data.files,
        metrics=parts.telemetry.metrics,
        is_bank_day=is_bank_day,
        filed_lines=files_of(banks(settings, stores.data, parts.clock), parts.vault),
        transfer_sources=transfer_sources(settings, stores.data, parts.vault),
        receipts_secret=settings.receipts.secret,
    )
    return create_app(
        deps,
        settings=ApiSettings(
            production=settings.is_production,
            allowed_hosts=settings.api.allowed_hosts,
            tls=settings.api.tls.cert is not None or settings.api.behind_tls_proxy,
        ),
    )


def _outside_verifier(identity: IdentitySettings) -> TokenVerifier:
    if identity.jwks_file is None or identity.issuer is None or identity.audience is None:
        raise unsafe("CASEWORK_ISSUER", problem="is oidc, and the issuer is not named", fix="set CASEWORK_OIDC_…")
    return TokenVerifier(
        keys=JwksFile(identity.jwks_file), issuer=identity.issuer, audience=identity.audience, from_outside=True
    )


def build_workers(parts: Parts, queues: Sequence[str]) -> list[Worker]:
    """One worker per queue. The client must not be lazy."""
    deps = WorkerDeps(
        client=parts.client,
        database=parts.stores.data,
        vault=parts.vault,
        bureau=SimulatedBureau() if parts.settings.bureau is Bureau.SIMULATED else NoBureau(),
        core=CoreOrders(parts.stores.data, parts.vault, card_core(parts.settings), parts.clock),
        signing=SigningDesk(
            parts.stores.data,
            parts.vault,
            parts.clock,
            files_root=parts.settings.data.files,
            links_url=parts.settings.links_url,
        ),
        notices=SqlNotices(parts.stores.data, parts.vault, message_gateways(parts.settings), parts.clock),
        bank_of=banks(parts.settings, parts.stores.data, parts.clock),
        is_working_day=is_bank_day,
        files_root=parts.settings.data.files,
        transfers=transfer_adapters(TransferParts(parts.settings, parts.stores.data, parts.vault, parts.clock)),
        batches=batch_adapters(BatchParts(parts.settings, parts.stores.data, parts.vault, parts.clock)),
        clock=parts.clock,
        build_id=build_of(parts.settings),
    )
    return create_workers(deps, queues=queues)


def card_core(settings: Settings) -> CoreGateway:
    """The bank's card core; all processes of an installation find the same one in the exchange directory."""
    root = settings.exchange / "core"
    return SimulatedCore(root / "simulated.jsonl") if settings.core is Core.SIMULATED else FileCore(root)


def build_duties(parts: Parts) -> DutyRunner:
    """Every duty of this process, each under its lease: from the relay to the erasures."""
    database, metrics = parts.stores.data, parts.telemetry.metrics
    sender = SqlNotices(database, parts.vault, message_gateways(parts.settings), parts.clock, actor="duty:notifier")
    metrics.read_open_tasks(lambda: _open_tasks(database))
    metrics.read_outbox_age(lambda: _outbox_age(database, parts.clock))
    return DutyRunner(
        duties=(
            Relay(database, parts.dispatcher, parts.clock, metrics=metrics),
            Sealer(database, seal_keys(parts.vault), parts.settings.anchor, metrics=metrics),
            Reconciler(database, parts.client, parts.clock, metrics=metrics),
            CareReconciler(database, parts.client, parts.clock, metrics=metrics),
            TransferReconciler(
                database,
                parts.client,
                parts.clock,
                metrics=metrics,
                queue=CASES_QUEUE,
                task_timeout=WORKFLOW_TASK_TIMEOUT,
            ),
            BatchReconciler(database, parts.client, parts.clock, metrics=metrics),
            BatchScheduler(database, parts.client, CASES_QUEUE, WORKFLOW_TASK_TIMEOUT, RPC_TIMEOUT),
            Sweeper(database),
            IncidentWatch(database),
            Notifier(database, sender),
            *erasure_duties(parts.settings, database, parts.vault),
            *retention_duties(parts.settings, database=database, vault=parts.vault),
            *downstream_duties(parts.settings, database, parts.vault, parts.clock),
            *notice_duties(parts.settings, database, parts.vault, parts.client, parts.clock),
            Reevaluator(database, parts.clock),
            KeyRecorder(database, parts.stores.keys),
            Scheduler(
                database,
                parts.client,
                queue=CASES_QUEUE,
                hour=parts.settings.daily_hour,
                task_timeout=WORKFLOW_TASK_TIMEOUT,
                rpc_timeout=RPC_TIMEOUT,
            ),
        ),
        database=database,
        clock=parts.clock,
        holder=process_name(),
    )


def _open_tasks(database: Database) -> dict[str, float]:
    with database.read() as session:
        return {kind: float(count) for kind, count in count_open_by_type(session).items()}


def _outbox_age(database: Database, clock: Clock) -> float:
    """Seconds since the oldest row that has not arrived was made."""
    with database.read() as session:
        oldest = oldest_open(session)
    return 0.0 if oldest is None else max(0.0, (clock() - oldest).total_seconds())


class NoBureau(BureauGateway):
    """No credit bureau is connected: each query becomes an incident task at once, and two persons enter the figures."""

    def query(self, identity: Identity, *, query_key: str) -> BureauRecord:  # noqa: ARG002
        """Refuses for good: to wait for a bureau that nobody has connected helps nobody.

        Raises:
            GatewayRefused: always.
        """
        raise GatewayRefused(params={"reason": "not-connected"})


def process_name() -> str:
    """Names this process in leases."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}"
