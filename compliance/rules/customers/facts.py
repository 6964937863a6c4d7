"""Facts about credit reporting (征信) and about customer records under the anti-money-laundering law."""

from typing import Final

from compliance.rules.fact import Fact
from compliance.rules.rule import FactKind

_CODE: Final = FactKind.CODE
_DATE: Final = FactKind.DATE
_CODES: Final = FactKind.CODES
_COUNT: Final = FactKind.COUNT
_YES_NO: Final = FactKind.YES_NO

FACTS: Final = {
    "bad_act_ended_on": Fact(_DATE, "day on which what was bad ended"),
    "bad_record_shown_on": Fact(_DATE, "day on which the record is still shown"),
    "report_used_for": Fact(_CODE, "purpose for which the report is used"),
    "report_given_away": Fact(_YES_NO, "the report was given to somebody else"),
    "objection_received_on": Fact(_DATE, "day on which the objection to the credit record came in"),
    "objection_answered_on": Fact(_DATE, "day of the written answer"),
    "objection_marked": Fact(_YES_NO, "the record is marked as contested"),
    "record_found_wrong": Fact(_YES_NO, "the record was found wrong"),
    "record_corrected": Fact(_YES_NO, "it was corrected"),
    "pboc_complaint_on": Fact(_DATE, "day on which the complaint reached the central bank's branch"),
    "pboc_complaint_answered_on": Fact(_DATE, "day of the written answer to it"),
    "reported_to_database": Fact(_YES_NO, "credit data are reported to the state database or to others"),
    "report_consent_written": Fact(_YES_NO, "there is prior written consent to that"),
    "aml_data_tagged": Fact(_YES_NO, "data under the law are tagged as confidential and closed to others"),
    "measures_taken": Fact(_COUNT, "limits or refusals towards the customer"),
    "measures_with_reason": Fact(_COUNT, "of these, on record with a reason and in proportion"),
    "basic_services_kept": Fact(_YES_NO, "basic services are kept"),
    "agent_acts": Fact(_YES_NO, "an agent (经办人) acts for the customer"),
    "agent_power_proven": Fact(_YES_NO, "the agency is proven"),
    "agent_identified": Fact(_YES_NO, "the agent's identity is verified"),
    "record_system": Fact(_YES_NO, "there is a system for keeping identity and transaction records"),
    "identity_update_working_days": Fact(_COUNT, "working days from knowing of the change to the update"),
    "records_handed_over": Fact(
        _YES_NO, "records were handed to the body that the State Council's department designates"
    ),
    "records_held": Fact(_CODES, "records on file, `CUSTOMER_RECORDS`"),
}
