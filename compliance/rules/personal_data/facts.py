"""Facts about processing personal data (个人信息处理) and about requests of the persons whose data they are."""

from typing import Final

from compliance.rules.fact import Fact
from compliance.rules.rule import FactKind

_CODE: Final = FactKind.CODE
_DATE: Final = FactKind.DATE
_CODES: Final = FactKind.CODES
_COUNT: Final = FactKind.COUNT
_YES_NO: Final = FactKind.YES_NO

FACTS: Final = {
    "use_purpose": Fact(
        _CODE, "purpose for which customer data are used; `CARD_PURPOSES` are inside the card business"
    ),
    "use_authorised": Fact(_YES_NO, "the customer authorised that purpose"),
    "handler_named": Fact(_YES_NO, "a handler (个人信息处理者) is on record for the record set"),
    "handler_safeguards": Fact(_YES_NO, "the handler's safeguards are on record"),
    "rests_on_consent": Fact(_YES_NO, "the processing rests on consent"),
    "consent_informed": Fact(_YES_NO, "the consent was informed, voluntary and explicit"),
    "consent_version": Fact(_CODE, "version of purpose, method and types to which consent was given"),
    "current_version": Fact(_CODE, "version of purpose, method and types now"),
    "withdrawal_as_easy": Fact(_YES_NO, "consent can be withdrawn as easily as given"),
    "steps_after_withdrawal": Fact(_COUNT, "steps taken after consent was withdrawn that rest on it"),
    "service_refused_for_consent": Fact(_YES_NO, "a service was refused because consent was refused or withdrawn"),
    "service_depends_on_data": Fact(_YES_NO, "the service cannot be given without those data"),
    "notice_left_out": Fact(_YES_NO, "no notice was given, or it was given afterwards"),
    "notice_exempt": Fact(_CODE, "why: `by-law`, `emergency`, or another word"),
    "notice_after_emergency": Fact(_YES_NO, "after an emergency notice was given as soon as it was over"),
    "joint_handlers": Fact(_YES_NO, "others decide purpose and method together with the institution"),
    "joint_terms": Fact(_CODES, "what they settled, `JOINT_TERMS`"),
    "sensitive_involved": Fact(_YES_NO, "sensitive data, financial accounts among them, are processed"),
    "consented_apart": Fact(_YES_NO, "the person consented separately to that"),
    "children_involved": Fact(_YES_NO, "data of children under fourteen are processed"),
    "guardian_consented": Fact(_YES_NO, "a parent or guardian consented"),
    "children_rules": Fact(_YES_NO, "there are special rules for those data"),
    "asks_after_refusal": Fact(_COUNT, "times the person was asked again in the ninety days after a refusal"),
    "inside_consent": Fact(_YES_NO, "what is done stays inside the consent"),
    "sensitive_tagged": Fact(_YES_NO, "sensitive fields are tagged by the standard's annex"),
    "evaluation_contested": Fact(_COUNT, "credit evaluations that somebody contested"),
    "evaluation_answered": Fact(_COUNT, "of these, checked and corrected or answered"),
    "personal_kinds_tagged": Fact(_YES_NO, "every kind of personal data of the record set is tagged as such"),
    "processing_lawful": Fact(_YES_NO, "the processing has a basis, open rules and a stated purpose"),
    "processing_excessive": Fact(_YES_NO, "more is processed than the purpose needs"),
    "data_given_without_consent": Fact(_YES_NO, "data were given to others without consent or law"),
    "data_tampered": Fact(_YES_NO, "data leaked, were tampered with or lost"),
    "breach_reported": Fact(_YES_NO, "persons and authority were told"),
    "requests_received": Fact(_COUNT, "requests of persons about their data"),
    "requests_answered": Fact(_COUNT, "of these, answered"),
    "request_received_on": Fact(_DATE, "day on which the request came in"),
    "request_answered_on": Fact(_DATE, "day of the answer"),
    "restriction_asked": Fact(_YES_NO, "the person asked to restrict or stop the processing"),
    "restriction_honoured": Fact(_YES_NO, "that was done, or a law stands against it"),
    "correction_asked": Fact(_YES_NO, "the person says that data are wrong or incomplete"),
    "correction_checked": Fact(_YES_NO, "that was checked"),
    "correction_made": Fact(_YES_NO, "what was found wrong is corrected"),
    "rules_explained": Fact(_YES_NO, "the rules of processing were explained when asked"),
    "requester_relative": Fact(_YES_NO, "a close relative of a dead person asks"),
    "relative_proof": Fact(
        _YES_NO, "the relation is proven, the interest lawful, and the dead left nothing to the contrary"
    ),
    "request_channel_easy": Fact(_YES_NO, "there is an easy channel for requests"),
    "request_refused": Fact(_YES_NO, "the request was refused"),
    "refusal_reason": Fact(_CODE, "reason that was given; empty if none was"),
    "deletion_due": Fact(
        _YES_NO, "a reason to delete is there: purpose reached, service ended, time over, consent withdrawn, unlawful"
    ),
    "deletion_barred": Fact(_YES_NO, "the legal period is not over, or deletion is technically impossible"),
    "data_state": Fact(_CODE, "`deleted`, `anonymised`, `locked` or `open`"),
    "move_asked": Fact(_YES_NO, "the person asks that the data be moved to another handler"),
    "move_conditions_met": Fact(
        _YES_NO, "identity verified, data on consent or contract, feasible, nobody else harmed"
    ),
    "move_made": Fact(_YES_NO, "the way to move them was given"),
    "controls_in_place": Fact(_CODES, "controls in place, `CONTROLS`"),
    "protection_officer": Fact(_YES_NO, "a protection officer is named, published and reported"),
    "audit_made_on": Fact(_DATE, "day of the last compliance audit"),
    "audit_asked_on": Fact(_DATE, "day on which that is looked at"),
    "assessment_sections": Fact(_CODES, "sections of the impact assessment, `ASSESSMENT_SECTIONS`"),
    "assessment_made_on": Fact(_DATE, "day of the report"),
    "assessment_kept_until": Fact(_DATE, "day until which report and records are kept"),
    "breach_notice_items": Fact(_CODES, "what the notice of the breach says, `BREACH_NOTICE`"),
    "breach_acted_at_once": Fact(_YES_NO, "measures were taken at once"),
    "breach_authority_told": Fact(_YES_NO, "the authority was told"),
    "breach_persons_told": Fact(_YES_NO, "the persons were told"),
    "breach_harm_averted": Fact(_YES_NO, "the measures really avert harm, and no authority orders the notice"),
    "processing_proof_kept": Fact(_YES_NO, "proof is kept that the processing was as the law says"),
    "incident_plan": Fact(_YES_NO, "there is an incident plan, and it was used"),
    "crime_clues": Fact(_YES_NO, "there are signs of a crime"),
    "police_told": Fact(_YES_NO, "the police were told"),
    "published_rules": Fact(_CODES, "what the published rules hold, `PUBLISHED_RULES`"),
}
