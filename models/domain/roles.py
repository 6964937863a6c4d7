"""Roles of staff, the permissions each role holds, and the role a task is meant for."""

from enum import StrEnum
from typing import Final

from models.domain.states import TaskType


class Role(StrEnum):
    """A person may hold several; who may act together is a rule of its own (four-eyes)."""

    CASE_OFFICER = "case-officer"  # 客户经理 / 经办
    APPROVER = "approver"  # 审批人 / 复核
    OPERATOR = "operator"  # 运维
    AUDITOR = "auditor"  # 内审
    PRIVACY_OFFICER = "privacy-officer"  # 个人信息保护负责人
    STAFF_ADMIN = "staff-admin"  # 人员管理
    COMPLIANCE_OFFICER = "compliance-officer"  # 合规管理人员
    MIGRATION_LEAD = "migration-lead"  # 迁移负责人
    MIGRATION_APPROVER = "migration-approver"  # 迁移审批人, of either company
    BATCH_OPERATOR = "batch-operator"  # 批量经办
    BATCH_APPROVER = "batch-approver"  # 批量复核


class Permission(StrEnum):
    """What a route asks for. `noun:verb`."""

    CASES_READ = "cases:read"
    CASES_CREATE = "cases:create"
    CASES_WITHDRAW = "cases:withdraw"
    DOCUMENTS_ADD = "documents:add"
    TASKS_READ = "tasks:read"
    TASKS_WORK = "tasks:work"
    SUBJECTS_READ = "subjects:read"
    SUBJECTS_REVEAL = "subjects:reveal"
    CONSENTS_ADD = "consents:add"
    LINKS_CREATE = "links:create"
    SETTLEMENTS_QUOTE = "settlements:quote"
    PAYMENTS_RECORD = "payments:record"
    REVERSALS_PROPOSE = "reversals:propose"
    REVERSALS_CONFIRM = "reversals:confirm"
    SUSPENSE_ASSIGN = "suspense:assign"
    SUSPENSE_CONFIRM = "suspense:confirm"
    STAFF_READ = "staff:read"
    STAFF_CREATE = "staff:create"
    ROLES_PROPOSE = "roles:propose"
    ROLES_CONFIRM = "roles:confirm"
    AUDIT_READ = "audit:read"
    BUSINESS_DATES_RUN = "business-dates:run"
    TICKETS_READ = "tickets:read"
    TICKETS_OPEN = "tickets:open"
    RULES_READ = "rules:read"
    REGISTERS_READ = "registers:read"
    REGISTERS_EXPORT = "registers:export"
    TEXTS_DRAFT = "texts:draft"
    TEXTS_PUBLISH = "texts:publish"
    ASSESSMENTS_DRAFT = "assessments:draft"
    ASSESSMENTS_APPROVE = "assessments:approve"
    INCIDENTS_REPORT = "incidents:report"
    INCIDENTS_CLOSE = "incidents:close"
    PRIVACY_READ = "privacy:read"
    ERASURES_REQUEST = "erasures:request"
    ERASURES_DECIDE = "erasures:decide"
    HOLDS_PLACE = "legal-holds:place"
    HOLDS_CONFIRM = "legal-holds:confirm"
    RULES_PROPOSE = "rules:propose"
    RULES_CONFIRM = "rules:confirm"
    SUITES_READ = "suites:read"
    SUITES_PROPOSE = "suites:propose"
    SUITES_CONFIRM = "suites:confirm"
    TRANSFERS_READ = "transfers:read"
    TRANSFERS_COLLECT = "transfers:collect"
    TRANSFERS_CONFIRM = "transfers:confirm"
    TRANSFERS_UNDO = "transfers:undo"
    TRANSFERS_RUN = "transfers:run"
    TRANSFERS_TRAIN = "transfers:train"
    BATCHES_READ = "batches:read"
    BATCHES_RUN = "batches:run"
    BATCHES_RULES = "batches:rules"
    BATCHES_CONFIRM = "batches:confirm"
    BATCHES_DISPUTE = "batches:dispute"
    CHANGES_REQUEST = "change-requests:create"
    CHANGES_REVIEW = "change-requests:review"


_ALL_STAFF: Final = frozenset(
    {
        Permission.CASES_READ,
        Permission.TASKS_READ,
        Permission.RULES_READ,
        Permission.SUBJECTS_READ,
        Permission.TRANSFERS_READ,
        Permission.BATCHES_READ,
    }
)

GRANTS: Final[dict[Role, frozenset[Permission]]] = {
    Role.CASE_OFFICER: _ALL_STAFF
    | {
        Permission.CASES_CREATE,
        Permission.CASES_WITHDRAW,
        Permission.DOCUMENTS_ADD,
        Permission.TASKS_WORK,
        Permission.SUBJECTS_REVEAL,
        Permission.CONSENTS_ADD,
        Permission.LINKS_CREATE,
        Permission.SETTLEMENTS_QUOTE,
        Permission.PAYMENTS_RECORD,
        Permission.REVERSALS_PROPOSE,
        Permission.TICKETS_READ,
        Permission.TICKETS_OPEN,
        Permission.ERASURES_REQUEST,
        Permission.HOLDS_PLACE,
        Permission.TRANSFERS_COLLECT,
        Permission.CHANGES_REQUEST,
        Permission.CHANGES_REVIEW,
        Permission.BATCHES_DISPUTE,
    },
    Role.APPROVER: _ALL_STAFF
    | {
        Permission.CHANGES_REQUEST,
        Permission.CHANGES_REVIEW,
        Permission.REGISTERS_READ,
        Permission.TEXTS_DRAFT,
        Permission.ASSESSMENTS_DRAFT,
        Permission.TASKS_WORK,
        Permission.SUBJECTS_REVEAL,
        Permission.REVERSALS_CONFIRM,
        Permission.SUSPENSE_CONFIRM,
        Permission.TICKETS_READ,
        Permission.TICKETS_OPEN,
        Permission.HOLDS_CONFIRM,
        Permission.TRANSFERS_CONFIRM,
    },
    Role.OPERATOR: _ALL_STAFF
    | {
        Permission.TASKS_WORK,
        Permission.BUSINESS_DATES_RUN,
        Permission.SUSPENSE_ASSIGN,
        Permission.REGISTERS_READ,
        Permission.ASSESSMENTS_DRAFT,
        Permission.INCIDENTS_REPORT,
        Permission.INCIDENTS_CLOSE,
        Permission.SUITES_READ,
        Permission.SUITES_PROPOSE,
        Permission.TRANSFERS_UNDO,
    },
    Role.AUDITOR: _ALL_STAFF
    | {
        Permission.AUDIT_READ,
        Permission.STAFF_READ,
        Permission.REGISTERS_READ,
        Permission.REGISTERS_EXPORT,
        Permission.PRIVACY_READ,
        Permission.HOLDS_PLACE,
        Permission.SUITES_READ,
        Permission.TRANSFERS_READ,
    },
    Role.PRIVACY_OFFICER: _ALL_STAFF
    | {
        Permission.SUBJECTS_REVEAL,
        Permission.AUDIT_READ,
        Permission.TASKS_WORK,
        Permission.CONSENTS_ADD,
        Permission.REGISTERS_READ,
        Permission.REGISTERS_EXPORT,
        Permission.TEXTS_DRAFT,
        Permission.TEXTS_PUBLISH,
        Permission.ASSESSMENTS_DRAFT,
        Permission.ASSESSMENTS_APPROVE,
        Permission.INCIDENTS_REPORT,
        Permission.INCIDENTS_CLOSE,
        Permission.PRIVACY_READ,
        Permission.ERASURES_REQUEST,
        Permission.ERASURES_DECIDE,
        Permission.HOLDS_PLACE,
        Permission.HOLDS_CONFIRM,
        Permission.SUITES_READ,
        Permission.SUITES_PROPOSE,
        Permission.SUITES_CONFIRM,
        Permission.TRANSFERS_READ,
        Permission.TRANSFERS_TRAIN,
    },
    Role.STAFF_ADMIN: frozenset(
        {Permission.STAFF_READ, Permission.STAFF_CREATE, Permission.ROLES_PROPOSE, Permission.ROLES_CONFIRM}
    ),
    Role.COMPLIANCE_OFFICER: _ALL_STAFF | {Permission.RULES_PROPOSE, Permission.RULES_CONFIRM},
    Role.MIGRATION_LEAD: _ALL_STAFF
    | {
        Permission.TASKS_WORK,
        Permission.SUBJECTS_REVEAL,
        Permission.REGISTERS_READ,
        Permission.ASSESSMENTS_DRAFT,
        Permission.TRANSFERS_READ,
        Permission.TRANSFERS_RUN,
    },
    Role.MIGRATION_APPROVER: _ALL_STAFF | {Permission.TASKS_WORK, Permission.TRANSFERS_READ},
    Role.BATCH_OPERATOR: _ALL_STAFF
    | {
        Permission.TASKS_WORK,
        Permission.SUBJECTS_REVEAL,
        Permission.BATCHES_RUN,
        Permission.BATCHES_RULES,
        Permission.BATCHES_DISPUTE,
        Permission.SUSPENSE_ASSIGN,
    },
    Role.BATCH_APPROVER: _ALL_STAFF | {Permission.TASKS_WORK, Permission.BATCHES_CONFIRM, Permission.SUSPENSE_CONFIRM},
}

CANDIDATE_ROLE: Final[dict[TaskType, Role]] = {
    TaskType.DOCUMENTS: Role.CASE_OFFICER,
    TaskType.ASSESSMENT: Role.CASE_OFFICER,
    TaskType.NEGOTIATION: Role.CASE_OFFICER,
    TaskType.APPROVAL: Role.APPROVER,
    TaskType.COUNTER_OFFER: Role.CASE_OFFICER,
    TaskType.SIGNING: Role.CASE_OFFICER,
    TaskType.PAPER_CHECK: Role.APPROVER,
    TaskType.ACTIVATION: Role.CASE_OFFICER,
    TaskType.MISSED: Role.CASE_OFFICER,
    TaskType.DEFAULT: Role.APPROVER,
    TaskType.INCIDENT: Role.OPERATOR,
    TaskType.INCIDENT_CONFIRM: Role.OPERATOR,
    TaskType.FOLLOW_UP: Role.CASE_OFFICER,
    TaskType.TICKET: Role.CASE_OFFICER,
    TaskType.TICKET_CHECK: Role.APPROVER,
    TaskType.TICKET_OVERDUE: Role.APPROVER,
    TaskType.INCIDENT_REPORT: Role.PRIVACY_OFFICER,
    TaskType.ERASURE_PROPOSAL: Role.PRIVACY_OFFICER,
    TaskType.ERASURE_APPROVAL: Role.PRIVACY_OFFICER,
    TaskType.RULE_REVIEW: Role.CASE_OFFICER,
    TaskType.TRANSFER_QUARANTINE: Role.CASE_OFFICER,
    TaskType.TRANSFER_CONFLICT: Role.OPERATOR,
    TaskType.TRANSFER_FOLLOW_UP: Role.CASE_OFFICER,  # by kind: models.domain.transfers.follow_ups
    TaskType.MATCH_REVIEW: Role.OPERATOR,
    TaskType.TRANSFER_CLASSIFICATION: Role.PRIVACY_OFFICER,
    TaskType.TRANSFER_GATE: Role.MIGRATION_LEAD,
    TaskType.TRANSFER_PLAN_APPROVAL: Role.MIGRATION_APPROVER,
    TaskType.TRANSFER_GO_NO_GO: Role.MIGRATION_APPROVER,
    TaskType.TRANSFER_WAVE_STOPPED: Role.MIGRATION_APPROVER,
    TaskType.TRANSFER_ROLLBACK: Role.MIGRATION_APPROVER,
    TaskType.TRANSFER_CLOSE: Role.MIGRATION_APPROVER,
    TaskType.TRANSFER_TRAINING: Role.PRIVACY_OFFICER,  # who records grants
    TaskType.BATCH_GATE: Role.BATCH_OPERATOR,
    TaskType.BATCH_APPROVAL: Role.BATCH_APPROVER,
    TaskType.BATCH_BREAKER: Role.BATCH_APPROVER,
    TaskType.BATCH_CLOSE: Role.BATCH_APPROVER,
    TaskType.BATCH_QUARANTINE: Role.BATCH_OPERATOR,
    TaskType.BATCH_SUSPENSE: Role.BATCH_OPERATOR,
    TaskType.BATCH_DISPUTE: Role.CASE_OFFICER,
    TaskType.BATCH_SUGGESTION: Role.BATCH_APPROVER,
}


def permissions_of(roles: frozenset[Role]) -> frozenset[Permission]:
    """The union of what each role grants; roles are looked up on the server at every request."""
    return frozenset[Permission]().union(*(GRANTS[role] for role in roles))
