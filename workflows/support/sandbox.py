"""The strict sandbox: a workflow that reaches past its allow-list is refused when the worker starts.

Every worker and every replay test uses `STRICT_RUNNER`. `LeanSandboxRunner` answers the payload converter's question
"which context?" outside the sandbox instead of entering it once per payload; it touches two private names of the SDK,
which a test pins to the version in use.
"""

import dataclasses
from typing import Any, Final

from temporalio import workflow
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.worker.workflow_sandbox import _runner as sdk_runner

SHARED_MODULES: Final = (
    "models.contracts",
    "models.errors",
    "models.domain.ids",
    "models.domain.states",
    "models.domain.batches.states",
    "models.domain.transfers.states",
    # Stages, executed once and not again for every case: what the sandbox would forbid in them, the linter and the
    # import contracts forbid.
    "workflows.aftercare.desk",
    "workflows.batches.desk",
    "workflows.batches.exchanging",
    "workflows.batches.executing",
    "workflows.batches.finishing",
    "workflows.batches.preparing",
    "workflows.batches.transitions",
    "workflows.daily.run",  # a child of the catch-up
    "workflows.installments.agreeing",
    "workflows.installments.deciding",
    "workflows.installments.desk",
    "workflows.installments.needs",
    "workflows.installments.servicing",
    "workflows.installments.transitions",
    "workflows.ports",
    "workflows.support",
    "workflows.transfers.deciding",
    "workflows.transfers.desk",
    "workflows.transfers.finishing",
    "workflows.transfers.gathering",
    "workflows.transfers.moving",
    "workflows.transfers.preparing",
    "workflows.transfers.telling",
    "workflows.transfers.transitions",
    "workflows.transfers.undoing",
    "workflows.transfers.wave",  # a child of the job
)


class _LeanInstance(sdk_runner._Instance):
    """Contexts of payloads are plain data: ask the instance without entering the sandbox for each."""

    def get_serialization_context(self, command_info: Any) -> Any:
        instance: Any = self.globals_and_locals["__temporal_in_sandbox"]
        return instance.get_serialization_context(command_info)

    def get_external_store_context(self, command_info: Any) -> Any:
        instance: Any = self.globals_and_locals["__temporal_in_sandbox"]
        return instance.get_external_store_context(command_info)


class LeanSandboxRunner(SandboxedWorkflowRunner):
    """The SDK's sandbox with the cheaper instance."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """One sandboxed workflow."""
        return _LeanInstance(det, self.runner_class, self.restrictions)


STRICT_RUNNER: Final = LeanSandboxRunner(
    restrictions=dataclasses.replace(
        SandboxRestrictions.default.with_passthrough_modules(*SHARED_MODULES),
        import_notification_policy=workflow.SandboxImportNotificationPolicy.RAISE_ON_UNINTENTIONAL_PASSTHROUGH,
    )
)
