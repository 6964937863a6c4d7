"""The closed sets of states and outcomes, and which step may follow which. Pure; workflow code may import it."""

from enum import StrEnum
from typing import Final


class CaseStage(StrEnum):
    """Where an installment case stands between two human decisions."""

    INTAKE = "intake"
    DOCUMENTS = "documents"  # 资料收集
    NEEDS = "needs"  # 需求与还款能力
    ASSESSMENT = "assessment"  # 评估
    NEGOTIATION = "negotiation"  # 方案协商
    APPROVAL = "approval"  # 审批
    COUNTER_OFFER = "counter-offer"  # 还价
    SIGNING = "signing"  # 签约
    PAPER_CHECK = "paper-check"  # 纸质协议复核
    ACTIVATION = "activation"  # 生效
    SERVICING = "servicing"  # 还款期
    BREAKING = "breaking"  # 违约处理
    CLOSING = "closing"  # 结清
    ENDED = "ended"


class CaseOutcome(StrEnum):
    """How a case ends."""

    COMPLETED = "completed"  # paid to the last row, or settled before
    BROKEN = "broken"  # the agreement was not kept (违约)
    CANCELLED = "cancelled"  # approved, but never in force
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class TaskState(StrEnum):
    """READY and CLAIMED are open to people; DECIDING waits for the workflow's word."""

    READY = "READY"
    CLAIMED = "CLAIMED"
    DECIDING = "DECIDING"
    DONE = "DONE"
    CANCELLED = "CANCELLED"


OPEN_TASK_STATES: Final = (TaskState.READY, TaskState.CLAIMED, TaskState.DECIDING)


class DecisionState(StrEnum):
    """PENDING until the workflow applied or refused it."""

    PENDING = "PENDING"
    APPLIED = "APPLIED"
    REFUSED = "REFUSED"


class TaskType(StrEnum):
    """What a person is asked. The value is the name in the API and in the texts."""

    DOCUMENTS = "installments.documents"
    ASSESSMENT = "installments.assessment"
    NEGOTIATION = "installments.negotiation"
    APPROVAL = "installments.approval"
    COUNTER_OFFER = "installments.counter-offer"
    SIGNING = "installments.signing"
    PAPER_CHECK = "installments.paper-check"
    ACTIVATION = "installments.activation"
    MISSED = "installments.missed-payment"
    DEFAULT = "installments.default"
    INCIDENT = "platform.incident"
    INCIDENT_CONFIRM = "platform.incident-confirm"
    FOLLOW_UP = "aftercare.follow-up"  # 回访
    TICKET = "aftercare.ticket"  # 工单
    TICKET_CHECK = "aftercare.ticket-check"  # 驳回复核
    TICKET_OVERDUE = "aftercare.ticket-overdue"  # 超时升级
    INCIDENT_REPORT = "registers.incident-report"  # 安全事件报告
    ERASURE_PROPOSAL = "registers.erasure-proposal"  # 删除建议
    ERASURE_APPROVAL = "registers.erasure-approval"  # 删除复核
    RULE_REVIEW = "rules.review"  # 规则变更复核
    TRANSFER_QUARANTINE = "transfers.quarantine"  # 迁移数据隔离
    TRANSFER_CONFLICT = "transfers.conflict"  # 迁移冲突
    TRANSFER_FOLLOW_UP = "transfers.follow-up"  # 客户信息变更回访
    MATCH_REVIEW = "transfers.match-review"  # 疑似重复复核
    TRANSFER_CLASSIFICATION = "transfers.classification"  # 法律事件定性
    TRANSFER_GATE = "transfers.gate"  # 合规关口未通过
    TRANSFER_PLAN_APPROVAL = "transfers.plan-approval"  # 方案审批: one task for each company
    TRANSFER_GO_NO_GO = "transfers.go-no-go"  # 割接决策
    TRANSFER_WAVE_STOPPED = "transfers.wave-stopped"  # 批次停止
    TRANSFER_ROLLBACK = "transfers.rollback"  # 回退复核
    TRANSFER_CLOSE = "transfers.close"  # 结项
    TRANSFER_TRAINING = "transfers.training"  # 培训准入: the job's steps open nothing until its sponsor is trained
    BATCH_GATE = "batches.gate"  # 合规关口未通过
    BATCH_APPROVAL = "batches.approval"  # 批量复核
    BATCH_BREAKER = "batches.breaker"  # 熔断
    BATCH_CLOSE = "batches.close"  # 批量结项
    BATCH_QUARANTINE = "batches.quarantine"  # 批量数据隔离
    BATCH_SUSPENSE = "batches.suspense"  # 暂收款
    BATCH_DISPUTE = "batches.dispute"  # 扣款争议
    BATCH_SUGGESTION = "batches.suggestion"  # 改进建议


class Outcome(StrEnum):
    """What a person may answer. Which outcomes a task knows stands in `OUTCOMES`."""

    ACCEPT = "accept"
    REJECT = "reject"
    RETURN = "return"
    RECOMMEND = "recommend"
    APPROVE = "approve"
    COUNTER = "counter"
    DECLINE = "decline"
    RETRY = "retry"
    MEND = "mend"
    GIVE_UP = "give-up"
    CONFIRM = "confirm"
    CHOOSE = "choose"  # a plan
    REOFFER = "reoffer"  # other plans, under other terms
    SIGN = "sign"  # by the customer, through the link
    PAPER = "paper"  # a signed paper has come in
    RESEND = "resend"
    CONTACTED = "contacted"
    DECLARE = "declare"  # the agreement is broken
    EXTEND = "extend"  # not yet
    REACHED = "reached"  # by a follow-up call
    NOT_REACHED = "not-reached"
    ANSWER = "answer"  # a ticket, in words for the customer
    REPORT = "report"  # an incident was reported to an authority, or to the persons
    NOTED = "noted"  # a record task was looked at
    DISCARD = "discard"  # a quarantined row is rejected for good
    KEEP = "keep"  # of a conflict: the target's record stays as it is
    TAKE = "take"  # of a conflict: the row's values win, or the record becomes what it was
    HOLD = "hold"  # of a conflict: the row is set aside
    RESOLVE = "resolve"  # a customer's request after a transfer was met
    DISMISS = "dismiss"  # it was not, for a reason that they are told
    SAME = "same"  # two records are one person
    DIFFERENT = "different"  # two records are two persons
    RUN_ON = "run-on"  # a stopped wave goes on, under a new error budget
    UNDO_WAVE = "undo-wave"
    UNDO_JOB = "undo-job"
    STOP = "stop"  # of a batch: what has not left the house is withdrawn
    ASSIGN = "assign"  # money in suspense belongs to an order
    SEND_BACK = "send-back"  # money in suspense goes back to where it came from
    EXPLAIN = "explain"  # a disputed debit was right, and why
    REFUND = "refund"  # a disputed debit is paid back
    CANCEL = "cancel"  # a disputed order is cancelled before it was booked
    ADOPT = "adopt"  # a suggestion
    WITHDRAW = "withdraw"  # on the case, never on a task


OUTCOMES: Final[dict[TaskType, tuple[Outcome, ...]]] = {
    TaskType.DOCUMENTS: (Outcome.ACCEPT, Outcome.REJECT),
    TaskType.ASSESSMENT: (Outcome.RECOMMEND, Outcome.RETURN, Outcome.REJECT),
    TaskType.NEGOTIATION: (Outcome.CHOOSE, Outcome.REOFFER, Outcome.RETURN, Outcome.REJECT),
    TaskType.APPROVAL: (Outcome.APPROVE, Outcome.COUNTER, Outcome.RETURN, Outcome.REJECT),
    TaskType.COUNTER_OFFER: (Outcome.ACCEPT, Outcome.DECLINE),
    TaskType.SIGNING: (Outcome.SIGN, Outcome.PAPER, Outcome.RESEND, Outcome.DECLINE),
    TaskType.PAPER_CHECK: (Outcome.CONFIRM, Outcome.RETURN),
    TaskType.ACTIVATION: (Outcome.RETRY, Outcome.RETURN, Outcome.REJECT),
    TaskType.MISSED: (Outcome.CONTACTED,),
    TaskType.DEFAULT: (Outcome.DECLARE, Outcome.EXTEND),
    TaskType.INCIDENT: (Outcome.RETRY, Outcome.MEND, Outcome.GIVE_UP),
    TaskType.INCIDENT_CONFIRM: (Outcome.CONFIRM, Outcome.REJECT),
    TaskType.FOLLOW_UP: (Outcome.REACHED, Outcome.NOT_REACHED),
    TaskType.TICKET: (Outcome.ANSWER, Outcome.REJECT, Outcome.EXTEND),
    TaskType.TICKET_CHECK: (Outcome.CONFIRM, Outcome.RETURN),
    TaskType.TICKET_OVERDUE: (Outcome.ANSWER, Outcome.REJECT, Outcome.EXTEND),
    TaskType.INCIDENT_REPORT: (Outcome.REPORT,),
    TaskType.ERASURE_PROPOSAL: (Outcome.ACCEPT, Outcome.REJECT),
    TaskType.ERASURE_APPROVAL: (Outcome.APPROVE, Outcome.REJECT),
    TaskType.RULE_REVIEW: (Outcome.NOTED,),
    TaskType.TRANSFER_QUARANTINE: (Outcome.DISCARD,),
    TaskType.TRANSFER_CLASSIFICATION: (Outcome.ACCEPT, Outcome.REJECT),
    TaskType.TRANSFER_GATE: (Outcome.RETRY, Outcome.GIVE_UP),
    TaskType.TRANSFER_PLAN_APPROVAL: (Outcome.APPROVE, Outcome.RETURN, Outcome.REJECT),
    TaskType.TRANSFER_GO_NO_GO: (Outcome.APPROVE, Outcome.RETURN, Outcome.REJECT),
    TaskType.TRANSFER_WAVE_STOPPED: (Outcome.RUN_ON, Outcome.UNDO_WAVE, Outcome.UNDO_JOB),
    TaskType.TRANSFER_ROLLBACK: (Outcome.CONFIRM, Outcome.REJECT),
    TaskType.TRANSFER_CLOSE: (Outcome.CONFIRM, Outcome.RETRY),
    TaskType.TRANSFER_TRAINING: (Outcome.RETRY,),
    TaskType.TRANSFER_CONFLICT: (Outcome.KEEP, Outcome.TAKE, Outcome.HOLD),
    TaskType.TRANSFER_FOLLOW_UP: (Outcome.RESOLVE, Outcome.DISMISS),
    TaskType.MATCH_REVIEW: (Outcome.SAME, Outcome.DIFFERENT),
    TaskType.BATCH_GATE: (Outcome.RETRY, Outcome.GIVE_UP),
    TaskType.BATCH_APPROVAL: (Outcome.APPROVE, Outcome.RETURN, Outcome.REJECT),
    TaskType.BATCH_BREAKER: (Outcome.RUN_ON, Outcome.STOP),
    TaskType.BATCH_CLOSE: (Outcome.CONFIRM, Outcome.RETRY),
    TaskType.BATCH_QUARANTINE: (Outcome.DISCARD,),
    TaskType.BATCH_SUSPENSE: (Outcome.ASSIGN, Outcome.SEND_BACK),
    TaskType.BATCH_DISPUTE: (Outcome.EXPLAIN, Outcome.REFUND, Outcome.CANCEL),
    TaskType.BATCH_SUGGESTION: (Outcome.ADOPT, Outcome.DISMISS),
}

# Record tasks (DESIGN §6): decided in SQL; no workflow stands behind them, what they are about is a record.
RECORD_TASKS: Final = frozenset(
    {
        TaskType.INCIDENT_REPORT,
        TaskType.ERASURE_PROPOSAL,
        TaskType.ERASURE_APPROVAL,
        TaskType.RULE_REVIEW,
        TaskType.TRANSFER_QUARANTINE,
        TaskType.TRANSFER_CONFLICT,
        TaskType.TRANSFER_FOLLOW_UP,
        TaskType.MATCH_REVIEW,
        TaskType.BATCH_QUARANTINE,
        TaskType.BATCH_SUSPENSE,
        TaskType.BATCH_DISPUTE,
        TaskType.BATCH_SUGGESTION,
    }
)
# Any other outcome says by itself that a workflow is asked; of these the task's type says it.
RECORD_OUTCOMES: Final = tuple(outcome for task_type in RECORD_TASKS for outcome in OUTCOMES[task_type])

# A checker's task: bound to the hash of what was shown, needs a fresh log-in, and bars every maker.
CHECKER_TASKS: Final = frozenset(
    {
        TaskType.APPROVAL,
        TaskType.PAPER_CHECK,
        TaskType.DEFAULT,
        TaskType.INCIDENT_CONFIRM,
        TaskType.TICKET_CHECK,
        TaskType.ERASURE_APPROVAL,
        TaskType.TRANSFER_PLAN_APPROVAL,
        TaskType.TRANSFER_GO_NO_GO,
        TaskType.TRANSFER_WAVE_STOPPED,
        TaskType.TRANSFER_ROLLBACK,
        TaskType.TRANSFER_CLOSE,
        TaskType.BATCH_APPROVAL,
        TaskType.BATCH_BREAKER,
        TaskType.BATCH_CLOSE,
    }
)
# What only the customer can do, through a link; nobody of the bank signs for them.
CUSTOMER_OUTCOMES: Final = frozenset({Outcome.SIGN})
# Once an agreement is in force it is kept, settled or broken; an application can be withdrawn no more.
BEYOND_WITHDRAWAL: Final = frozenset({CaseStage.SERVICING, CaseStage.BREAKING, CaseStage.CLOSING, CaseStage.ENDED})


class TicketState(StrEnum):
    """Whether a customer still waits for an answer."""

    OPEN = "OPEN"
    DONE = "DONE"


class TicketStage(StrEnum):
    """Who has a ticket (工单) in hand."""

    HANDLING = "handling"
    CHECKING = "checking"  # a second person looks at a rejection
    ENDED = "ended"


class TicketOutcome(StrEnum):
    """How a ticket ends."""

    ANSWERED = "answered"
    REJECTED = "rejected"
    DROPPED = "dropped"  # its workflow was cancelled by an operator


class FollowUpState(StrEnum):
    """PLANNED until its business date; then asked of a person, unless its occasion has gone."""

    PLANNED = "PLANNED"
    OPEN = "OPEN"
    DONE = "DONE"
    SKIPPED = "SKIPPED"
    DROPPED = "DROPPED"


# After-care (贷后关怀): these tasks belong to workflows of their own beside the case's.
CARE_TASKS: Final = frozenset({TaskType.FOLLOW_UP, TaskType.TICKET, TaskType.TICKET_CHECK, TaskType.TICKET_OVERDUE})


class Gate(StrEnum):
    """Where rules are asked (`compliance.rules.gates` says which)."""

    INTAKE = "installments.intake"  # 受理: before anything is done with the data of an application
    BUREAU = "installments.bureau"
    DUE_DILIGENCE = "installments.due-diligence"  # 客户尽职调查: once the card core has said who the holder is
    NEEDS = "installments.needs"
    DECISION = "installments.decision"
    NEGOTIATION = "installments.negotiation"  # 协商: before a plan may be chosen
    SIGNING = "installments.signing"  # 签约
    ACTIVATION = "installments.activation"  # 生效
    DEBIT = "installments.debit"  # 扣款: before an order goes out
    CHANGE = "installments.change"  # early settlement, prepayment, another due date
    CONTACT = "installments.contact"  # 催收联系: before the customer is called about what is overdue
    CLOSE = "installments.close"  # 结清
    BATCH_COHORT = "batches.cohort"  # 客群
    BATCH_RULE_SET = "batches.rule-set"  # 规则集
    BATCH_MANDATE = "batches.mandate"  # 代收授权: when a mandate is taken on
    BATCH_RUN_ROW = "batches.run-row"  # 扣款行: one row of a debit run
    BATCH_PAYROLL_ROW = "batches.payroll-row"  # 代发行: one row of a payroll run
    BATCH_AFTER_RUN = "batches.after-run"
    BATCH_DISPUTE = "batches.dispute"  # 争议
    BATCH_EXPORT = "batches.export"  # 导出: before a file leaves
    TRANSFER_CLASSIFY = "transfers.classify"  # 公司转让分类: before anything of a migration
    TRANSFER_PLAN = "transfers.plan"
    TRANSFER_BACKUP = "transfers.backup"
    TRANSFER_NOTIFY = "transfers.notify"  # 告知与同意
    TRANSFER_CLAIMS = "transfers.claims"  # 债权债务: before claims, debts or contracts are booked to the recipient
    TRANSFER_UPDATE = "transfers.update"
    TRANSFER_CROSS_BORDER = "transfers.cross-border"  # 出境
    TRANSFER_AFTER_CUT_OVER = "transfers.after-cut-over"  # 割接后
    TRANSFER_AUDIT = "transfers.audit"
    INCIDENT = "incidents.report"  # 事件报告
    CONTRACT_TERMS = "contracts.terms"  # 条款: before terms are put to customers
    CONTRACT_PERFORMANCE = "contracts.performance"  # 履行: before interest, a set-off or an extension is booked
    COLLECTION_REVIEW = "collection.review"  # 催收复核, 诉讼时效
    DOCUMENT_EVIDENCE = "documents.evidence"  # before a document is relied on
    DATA_PROCESSING = "data.processing"  # 个人信息处理: before data are used for something new
    DATA_RIGHTS = "data.rights"  # 个人权利请求
    SECURITY_CONTROLS = "security.controls"
    CREDIT_REPORTING = "customers.credit-reporting"  # 征信
    CUSTOMER_RECORDS = "customers.records"  # 客户身份资料


class NewsKind(StrEnum):
    """What the daily run tells a case: only what changes its next step (`models.domain.servicing.missed`)."""

    MISSED = "missed"  # a row stayed unpaid
    DEFAULT_DUE = "default-due"  # so long overdue that the agreement may be declared broken
    CURED = "cured"  # nothing is overdue any more
    SETTLED = "settled"  # nothing is owed any more
    REOPENED = "reopened"  # money came back after the end: something is owed again


class OutboxKind(StrEnum):
    """What the relay has to get across to Temporal."""

    START = "start"
    DECISION = "decision"
    NEWS = "news"
