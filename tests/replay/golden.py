"""Golden histories: how one is written, and how it is read again.

One file per scenario, recorded by that scenario itself: `pytest tests/replay --record-histories`. A file is never
edited, and removed only when no run of its version can exist. They are decoded (people are named by tokens only), so
that a reader sees what happened; the replayer uses the sandbox and the workflows of every worker.
"""

import json
import re
from pathlib import Path
from typing import Any, Final

from temporalio.client import WorkflowHandle, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from activities.worker import ALL_WORKFLOWS
from workflows.support.sandbox import STRICT_RUNNER

HISTORIES: Final = Path(__file__).parent / "histories"


async def record(scenario: str, handle: WorkflowHandle[Any, Any]) -> None:
    """Write what a workflow has done so far, without where the code lay: replay does not look at that."""
    history = await handle.fetch_history()
    text = re.sub(r'"stackTrace": "(?:[^"\\]|\\.)*"', '"stackTrace": ""', history.to_json())
    (HISTORIES / f"{scenario}.json").write_text(text + "\n")


def read(scenario: str) -> dict[str, Any]:
    """A history, to be changed by a test that wants it refused."""
    history: dict[str, Any] = json.loads((HISTORIES / f"{scenario}.json").read_text())
    return history


async def replay(scenario: str, changed: dict[str, Any] | None = None) -> None:
    """Run a history against the code as it is now.

    Raises:
        NondeterminismError: the code would do something else.
    """
    record = changed if changed is not None else read(scenario)
    # Under its own id: some workflows learn from it whose they are.
    started = record["events"][0]["workflowExecutionStartedEventAttributes"]
    history = WorkflowHistory.from_json(started["workflowId"], json.dumps(record))
    replayer = Replayer(workflows=ALL_WORKFLOWS, data_converter=pydantic_data_converter, workflow_runner=STRICT_RUNNER)
    await replayer.replay_workflow(history)


def scheduled(record: dict[str, Any]) -> list[dict[str, Any]]:
    """The events that schedule a step; a step under another name must not replay."""
    return [
        event["activityTaskScheduledEventAttributes"]["activityType"]
        for event in record["events"]
        if "activityTaskScheduledEventAttributes" in event
    ]
