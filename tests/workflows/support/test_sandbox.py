"""A worker refuses a workflow that reaches past the allow-list, before it has run one."""

import importlib
import inspect
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import _in_sandbox
from temporalio.worker.workflow_sandbox import _runner as sdk_runner

from workflows.support.sandbox import SHARED_MODULES, STRICT_RUNNER, LeanSandboxRunner, _LeanInstance

SOURCE: Final = '''"""A seeded workflow."""

from temporalio import workflow

{imports}


@workflow.defn(name="seeded.{name}")
class Seeded:
    @workflow.run
    async def run(self) -> str:
        return "done"
'''

REFUSED: Final = {
    "orm": "import sqlmodel",
    "database": "import models.database.engine",
    "tables": "import models.tables.tasks",
    "operations": "import models.operations",
    "texts": "import models.texts",
    "tokens": "import models.domain.tokens",
    "clock": "import models.domain.clock",
    "roles": "import models.domain.roles",
    "rules": "import compliance.rules",
    "audit": "from compliance.audit.unit import unit_of_work",
    "activities": "import activities.support",
    "api": "import api.identity",
    "http": "import httpx",
    "through_parent": "from compliance import rules",
    "inside_run": "import json\nfrom importlib import import_module\nimport_module('sqlmodel')",
}
ALLOWED: Final = {
    "contracts": "import models.contracts.installments",
    "errors": "import models.errors",
    "ids": "import models.domain.ids",
    "states": "from models.domain.states import CaseStage",
    "ports": "from workflows.ports.platform import PlatformPort",
    "options": "from workflows.support import options",
    "standard_library": "import dataclasses\nimport json\nfrom datetime import date",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package that can be imported by its name, for this test."""
    folder = tmp_path / "seeded_workflows"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == folder.name]:
        del sys.modules[name]


def seeded(package: Path, name: str, imports: str) -> type[Any]:
    """A workflow class out of a file that imports something."""
    (package / f"{name}.py").write_text(SOURCE.format(name=name, imports=imports))
    importlib.invalidate_caches()
    kind: type[Any] = importlib.import_module(f"{package.name}.{name}").Seeded
    return kind


def worker(client: Client, kind: type[Any], **keywords: Any) -> Worker:
    return Worker(client, task_queue="never-polled", workflows=[kind], **keywords)


@pytest.mark.temporal
@pytest.mark.parametrize("name", REFUSED)
async def test_a_worker_refuses(temporal_client: Client, package: Path, name: str) -> None:
    kind = seeded(package, name, REFUSED[name])
    with pytest.raises(RuntimeError, match=f"Failed validating workflow seeded.{name}"):
        worker(temporal_client, kind, workflow_runner=STRICT_RUNNER)


@pytest.mark.temporal
@pytest.mark.parametrize("name", ALLOWED)
async def test_a_worker_accepts(temporal_client: Client, package: Path, name: str) -> None:
    worker(temporal_client, seeded(package, name, ALLOWED[name]), workflow_runner=STRICT_RUNNER)


@pytest.mark.temporal
async def test_the_stock_sandbox_would_accept(temporal_client: Client, package: Path) -> None:
    """Why the runner exists. If this fails the SDK has become strict by itself, and the runner may go."""
    worker(temporal_client, seeded(package, "orm", REFUSED["orm"]))


@pytest.mark.temporal
@pytest.mark.parametrize(
    "code", ["open('/etc/hostname')", "__import__('datetime').datetime.now()", "__import__('random').random()"]
)
async def test_a_running_workflow_is_stopped(
    temporal_client: Client, task_queue: str, package: Path, code: str
) -> None:
    """The lean instance leaves the guards of the sandbox on."""
    source = SOURCE.format(name="reaching", imports="").replace('return "done"', f"return str({code})")
    (package / "reaching.py").write_text(source)
    importlib.invalidate_caches()
    kind = importlib.import_module(f"{package.name}.reaching").Seeded
    running = Worker(
        temporal_client,
        task_queue=task_queue,
        workflows=[kind],
        workflow_runner=STRICT_RUNNER,
        workflow_failure_exception_types=[workflow.NondeterminismError, RuntimeError],
    )
    async with running:
        handle = await temporal_client.start_workflow(kind.run, id=task_queue, task_queue=task_queue)
        with pytest.raises(WorkflowFailureError) as failed:
            await handle.result()
    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == "RestrictedWorkflowAccessError"


# The private names of the SDK that the lean runner touches ------------------------------------------------------------


def test_the_sdk_is_the_one_that_was_read() -> None:
    """On a new version read `worker/workflow_sandbox/_runner.py` again, measure again, then change this line."""
    assert version("temporalio") == "1.35.0"


def test_the_private_names_are_there() -> None:
    for name in ("get_serialization_context", "get_external_store_context"):
        for owner in (sdk_runner._Instance, _in_sandbox.InSandbox):
            assert list(inspect.signature(getattr(owner, name)).parameters) == ["self", "command_info"]
        assert getattr(_LeanInstance, name) is not getattr(sdk_runner._Instance, name)
    assert list(inspect.signature(sdk_runner._Instance.__init__).parameters) == [
        "self", "instance_details", "runner_class", "restrictions",
    ]  # fmt: skip
    source = inspect.getsource(sdk_runner._Instance)
    assert "self.globals_and_locals" in source
    assert "__temporal_in_sandbox" in source


def test_the_stock_runner_makes_its_instance_of_the_same_parts() -> None:
    stock = inspect.getsource(sdk_runner.SandboxedWorkflowRunner.create_instance)
    assert "_Instance(det, self.runner_class, self.restrictions)" in stock


def test_the_allow_list_names_no_whole_layer() -> None:
    """Passing `workflows` or `models` through as a whole would switch the guard off."""
    assert isinstance(STRICT_RUNNER, LeanSandboxRunner)
    assert {"workflows", "models", "compliance", "api", "activities"}.isdisjoint(SHARED_MODULES)
    assert STRICT_RUNNER.restrictions.import_notification_policy is (
        workflow.SandboxImportNotificationPolicy.RAISE_ON_UNINTENTIONAL_PASSTHROUGH
    )
