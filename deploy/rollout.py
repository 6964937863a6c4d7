"""Which build of the code an external cluster sends work to (Worker Deployment Versioning).

Workers announce themselves under the deployment `casework` and their build; Temporal hands work only to the build that
is *current*. The first worker of an installation makes its own build current. A later build waits until an operator
says so (`casework rollout promote`): cases under way go over to it at their next step, being safe by golden histories.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

import structlog
from temporalio.api.workflowservice.v1 import (
    DescribeWorkerDeploymentRequest,
    DescribeWorkerDeploymentResponse,
    SetWorkerDeploymentCurrentVersionRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.worker import DEPLOYMENT
from deploy.exits import CommandFailed, ExitCode
from deploy.values import Settings
from workflows.support.options import RPC_TIMEOUT

log = structlog.get_logger(__name__)

_ASK_AGAIN_SECONDS: Final = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class Rollout:
    """The builds that workers have announced, oldest first, and the one that gets the work."""

    current: str | None
    builds: tuple[str, ...]


def build_of(settings: Settings) -> str | None:
    """The build that this process's workers announce; None on the embedded stack, which is unversioned."""
    if not settings.is_production:
        return None
    return settings.build_id or version("casework")


async def look(client: Client) -> Rollout:
    """How things stand.

    Raises:
        RPCError: Temporal did not answer.
    """
    described = await _describe(client)
    return Rollout(current=None, builds=()) if described is None else _rollout(described)


async def promote(client: Client, build: str) -> Rollout:
    """Send the work to `build` from now on.

    Raises:
        CommandFailed: 65, no worker has announced this build; 69, Temporal refused: workers of this build do not serve
            every queue that the present one serves, or somebody else changed it at the same moment.
        RPCError: Temporal did not answer.
    """
    described = await _describe(client)
    if described is None or build not in _rollout(described).builds:
        raise CommandFailed(ExitCode.DATA, f"no worker has announced build {build}; start its workers first")
    try:
        await _set_current(client, build, described)
    except RPCError as error:
        if error.status is not RPCStatusCode.FAILED_PRECONDITION:
            raise
        raise CommandFailed(ExitCode.UNAVAILABLE, f"Temporal does not make {build} current: {error.message}") from None
    return await look(client)


async def become_first(client: Client, build: str, stop: asyncio.Event) -> None:
    """Make `build` current if none is, once its workers are known; returns when one is current, or when told to stop.

    Without it the first workers of an installation would wait for work for ever.
    """
    while not stop.is_set():
        try:
            described = await _describe(client)
            if described is not None:
                rollout = _rollout(described)
                if rollout.current is not None:
                    log.info("rollout.current", version=rollout.current)
                    return
                if build in rollout.builds:
                    await _set_current(client, build, described)
                    continue
        except RPCError as error:  # two workers at once, or Temporal is away
            log.info("rollout.asked-again", error_code=error.status.name)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _ASK_AGAIN_SECONDS)


async def _describe(client: Client) -> DescribeWorkerDeploymentResponse | None:
    request = DescribeWorkerDeploymentRequest(namespace=client.namespace, deployment_name=DEPLOYMENT)
    try:
        return await client.workflow_service.describe_worker_deployment(request, timeout=RPC_TIMEOUT)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise


async def _set_current(client: Client, build: str, described: DescribeWorkerDeploymentResponse) -> None:
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace,
        deployment_name=DEPLOYMENT,
        build_id=build,
        conflict_token=described.conflict_token,
        identity=client.identity,
    )
    await client.workflow_service.set_worker_deployment_current_version(request, timeout=RPC_TIMEOUT)


def _rollout(described: DescribeWorkerDeploymentResponse) -> Rollout:
    info = described.worker_deployment_info
    summaries = sorted(info.version_summaries, key=lambda summary: summary.create_time.ToNanoseconds())
    return Rollout(
        current=info.routing_config.current_deployment_version.build_id or None,
        builds=tuple(summary.deployment_version.build_id for summary in summaries),
    )
