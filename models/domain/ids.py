"""Names of workflows, and which tenant a name belongs to. Pure; workflow code may import it."""

import re
from typing import Final

TENANT_CODE: Final = re.compile(r"\A[a-z][a-z0-9-]{1,15}\Z")
CASE_TOKEN: Final = re.compile(r"\A[a-z][a-z0-9-]{1,15}\.[0-9a-hjkmnp-tv-z]{26}\Z")
JOB_RECORD_PREFIX: Final = "tjb_"  # a transfer job as the owner of what is said about it
_SCHEDULED: Final = re.compile(r"\A(.+/scheduled)-[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z\Z", re.DOTALL)
_WORKFLOW_ID: Final = re.compile(r"\A[a-z]+/([a-z][a-z0-9-]{1,15})(?:[./].*)?\Z", re.DOTALL)


def installment_workflow_id(case_token: str) -> str:
    """One workflow for the whole life of an installment case (个性化分期)."""
    return f"installments/{case_token}"


def daily_workflow_id(tenant: str, business_date: str) -> str:
    """One workflow for each business date of a tenant (日终)."""
    return f"daily/{tenant}/{business_date}"


def catch_up_workflow_id(tenant: str, until: str) -> str:
    """One workflow for bringing a tenant's books up to a date (补跑)."""
    return f"daily/{tenant}/until/{until}"


def daily_schedule_id(tenant: str) -> str:
    """The schedule that starts a tenant's daily runs (日终定时)."""
    return f"daily/{tenant}"


def follow_up_workflow_id(case_token: str, follow_up: str) -> str:
    """One workflow for each follow-up call (回访) of a case."""
    return f"aftercare/{case_token}/{follow_up}"


def ticket_workflow_id(case_token: str, ticket: str) -> str:
    """One workflow for each ticket (工单) of a case."""
    return f"tickets/{case_token}/{ticket}"


def incident_workflow_id(tenant: str, incident: str) -> str:
    """What the tasks of a security incident (安全事件) belong to; no workflow runs under it."""
    return f"incidents/{tenant}/{incident}"


def erasure_record_id(tenant: str, request: str, subject_id: str) -> str:
    """What the tasks of a request to erase (删除权) belong to; no workflow runs. It ends with the person."""
    return f"erasures/{tenant}/{request}/{subject_id}"


def transfer_row_workflow_id(job: str, subject: str) -> str:
    """What the task of a quarantined row of a transfer job belongs to; no workflow runs under it."""
    return f"transfers/{job}/rows/{subject}"


def reseal_workflow_id(tenant: str, change: str) -> str:
    """One workflow for each change of suite (密码算法切换) of a tenant."""
    return f"parties/{tenant}/reseal/{change}"


def transfer_workflow_id(job: str) -> str:
    """One workflow for each transfer job (公司转让后的客户信息变更)."""
    return f"transfers/{job}"


def wave_workflow_id(job: str, wave: int) -> str:
    """One workflow at a time for each wave of a transfer job (批次)."""
    return f"transfers/{job}/wave/{wave}"


def job_record(job: str) -> str:
    """Under whose key what is said about a transfer job is sealed: the job's own, in each of both companies."""
    return f"{JOB_RECORD_PREFIX}{job.rpartition('.')[2]}"


def batch_workflow_id(run: str) -> str:
    """One workflow for each run of a batch (批量业务)."""
    return f"batches/{run}"


def batch_row_workflow_id(run: str, subject: str) -> str:
    """What a record task of a run (a quarantined row, suspense, a dispute) belongs to; no workflow runs under it."""
    return f"batch-records/{run}/{subject}"


def is_batch_record(workflow_id: str) -> bool:
    """Whether this names what one person decides about a run of a batch, behind or beside its workflow."""
    return workflow_id.startswith("batch-records/")


def batch_schedule_id(tenant: str, plan: str) -> str:
    """The schedule of a standing plan (批量排期)."""
    return f"plans/{tenant}/{plan}"


def plan_of_scheduled(workflow_id: str) -> str:
    """The plan whose date a scheduled workflow begins: `plans/<tenant>/<plan>/scheduled-<time>`."""
    return workflow_id.split("/")[2]


def is_batch(workflow_id: str) -> bool:
    """Whether the run of a batch runs under this id."""
    return workflow_id.startswith("batches/")


def is_transfer(workflow_id: str) -> bool:
    """Whether a transfer job or one of its waves runs under this id."""
    return workflow_id.startswith("transfers/")


def change_of_reseal(workflow_id: str) -> str:
    """The change of suite that a workflow carries out."""
    return workflow_id.rpartition("/")[2]


def start_key(workflow_id: str) -> str:
    """The business key of a workflow's start in the outbox: its id without the area."""
    return workflow_id.partition("/")[2]


def case_of_start(business_key: str) -> str:
    """The case that a start is about: of a case its own token, of after-care the one before the item."""
    return business_key.partition("/")[0]


def care_item(workflow_id: str) -> str:
    """The follow-up or ticket that an after-care workflow stands for."""
    return workflow_id.rpartition("/")[2]


def follow_up_of_transfer(follow_up: str, subject_id: str) -> str:
    """Stands where a workflow's id would, on the task of a transfer's follow-up: none runs. It ends with the person."""
    return f"transfer-follow-ups/{follow_up}/{subject_id}"


def follow_up_of_request(request: str, subject_id: str) -> str:
    """As `follow_up_of_transfer`, on the follow-up call of a single change request."""
    return f"change-requests/{request}/{subject_id}"


def case_of_workflow(workflow_id: str) -> str:
    """The case token that an installment workflow stands for."""
    return workflow_id.removeprefix("installments/")


def sealing_id(workflow_id: str) -> str:
    """What a workflow's payloads are sealed for: its id; of what a Schedule starts, the id without the time behind it.

    Temporal hands the result, and the failure, of one run of a Schedule to the next, which must open it.
    """
    match = _SCHEDULED.match(workflow_id)
    return workflow_id if match is None else match.group(1)


def tenant_of_workflow(workflow_id: str) -> str:
    """The tenant (机构) whose keys seal the payloads of this workflow.

    Raises:
        ValueError: the id does not follow `area/<tenant>[./]…`.
    """
    match = _WORKFLOW_ID.match(workflow_id)
    if match is None:
        raise ValueError("a workflow id starts with its area and its tenant")
    return match.group(1)


def tenant_of_case(case_token: str) -> str:
    """The tenant whose case this is."""
    return case_token.partition(".")[0]


def accuracy_schedule_id(tenant: str) -> str:
    """The schedule of a tenant's periodic check of moved records (信息准确性定期核对)."""
    return f"accuracy/{tenant}"
