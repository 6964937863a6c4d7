"""Facts about terms, performance, limitation and documents. Amounts are minor units, rates millionths a year."""

from typing import Final

from compliance.rules.fact import Fact
from compliance.rules.rule import FactKind

_CODE: Final = FactKind.CODE
_DATE: Final = FactKind.DATE
_INSTANT: Final = FactKind.INSTANT
_CODES: Final = FactKind.CODES
_COUNT: Final = FactKind.COUNT
_RATE: Final = FactKind.RATE
_YES_NO: Final = FactKind.YES_NO

FACTS: Final = {
    "highest_rate_shown": Fact(_YES_NO, "the highest yearly rate stands in the card contract"),
    "highest_rate_conspicuous": Fact(_YES_NO, "it is set off so that it strikes the eye"),
    "price_clauses_pointed_out": Fact(_YES_NO, "interest, compound interest, fees and penalties were pointed out"),
    "first_page_items": Fact(
        _CODES, "what the first page of the contract and the page of handling show, `FIRST_PAGE_ITEMS`"
    ),
    "terms_prompt_on_record": Fact(_YES_NO, "proof that those clauses were pointed out is on record"),
    "clause_kinds_found": Fact(_CODES, "banned kinds that a reading of the terms found, `BANNED_CLAUSES`"),
    "conflicting_terms": Fact(_COUNT, "clauses of which the standard and the negotiated text differ"),
    "conflicts_by_negotiated": Fact(_COUNT, "of these, settled for the negotiated text"),
    "doubts_read_for_drafter": Fact(_COUNT, "doubtful clauses that were read in favour of the bank"),
    "key_terms_conspicuous": Fact(_CODES, "key terms set off in the text, `KEY_TERMS`"),
    "deal_forced_by_technique": Fact(_YES_NO, "the page forces the deal by technical means"),
    "service_items_given": Fact(_CODES, "what the customer was given about the service, `SERVICE_ITEMS`"),
    "text_has_marketing": Fact(_YES_NO, "the text, a notice included, holds commercial messages"),
    "marketing_agreed": Fact(_YES_NO, "the customer agreed to commercial messages, or asked for them"),
    "marketing_refused": Fact(_YES_NO, "the customer refused commercial messages"),
    "credit_clause_prompted": Fact(_YES_NO, "the clause that consents to credit reporting is clearly pointed out"),
    "credit_clause_explained": Fact(_YES_NO, "it was explained whenever somebody asked"),
    "loan_contract_written": Fact(_YES_NO, "the loan contract is in writing"),
    "loan_contract_items": Fact(_CODES, "what it settles, `LOAN_CONTRACT_ITEMS`"),
    "interest_clause_present": Fact(_YES_NO, "the contract agrees on interest"),
    "contract_rate_ppm": Fact(_RATE, "yearly rate that is charged"),
    "legal_rate_cap_ppm": Fact(
        _RATE, "highest rate that the law or the regulator allows on that day; the bank keeps the figure"
    ),
    "overdue_rate_ppm": Fact(_RATE, "yearly rate charged on what is overdue"),
    "overdue_rate_agreed_ppm": Fact(_RATE, "the overdue rate agreed, or set by rule where none is agreed"),
    "extension_requested": Fact(_YES_NO, "an extension of the loan is to be booked"),
    "extension_agreed": Fact(_YES_NO, "the lender agreed to it, asked before the loan was due"),
    "allocation_order": Fact(
        _CODE, "order in which a payment was applied: `agreed`, `card-rule`, `statutory`, or another word"
    ),
    "allocation_agreed": Fact(_YES_NO, "the contract agrees on an order of its own, or the debt is a card's"),
    "set_off_booked": Fact(_YES_NO, "a claim of the customer is set off"),
    "set_off_notice_delivered": Fact(_YES_NO, "notice of the set-off reached the customer before it was booked"),
    "set_off_conditional": Fact(_YES_NO, "the notice bears a condition or a term"),
    "penalty_reviewed": Fact(
        _YES_NO, "a person looked at a penalty above that line and lowered or confirmed it with a reason"
    ),
    "limitation_last_event_on": Fact(_DATE, "day of the last demand, acknowledgement or suit"),
    "limitation_asked_on": Fact(_DATE, "day on which the claim is looked at"),
    "limitation_interrupted_by": Fact(_CODE, "what interrupted limitation last, `INTERRUPTIONS`"),
    "interruptions_made": Fact(_COUNT, "debits that stayed and contacts that reached a debtor in the period"),
    "interruptions_recorded": Fact(_COUNT, "of these, on record as an interruption of limitation with their day"),
    "licence": Fact(_CODE, "licence of the institution: `bank`, `cfc`, `payment`, `insurer`"),
    "collection_record_kept_until": Fact(_DATE, "day until which the records of the collection are kept"),
    "collection_record_made_on": Fact(_DATE, "day of the contact that the record is about"),
    "collection_record_true": Fact(_YES_NO, "the record of the collection is true and can be traced"),
    "privacy_spread": Fact(_YES_NO, "data of the debtor's private life were spied out, published or passed on"),
    "notice_channel_designated": Fact(_YES_NO, "the notice went to a system that the recipient designated"),
    "notice_entered_at": Fact(_INSTANT, "when it entered that system"),
    "notice_known_at": Fact(_INSTANT, "when the recipient knew or should have known of it"),
    "notice_relied_on_at": Fact(_INSTANT, "from when the notice is relied on"),
    "message_retrievable": Fact(_YES_NO, "the document can be shown and retrieved at any time"),
    "message_hash_stored": Fact(_YES_NO, "its hash stands in the log"),
    "contract_concluded_by": Fact(_CODE, "how the contract came about, `CONTRACT_CONCLUSIONS`"),
    "esign_agreed": Fact(_YES_NO, "both parties agreed to electronic signatures"),
    "document_matter": Fact(
        _CODE, "what the document is about; `marriage`, `adoption`, `succession` and `utility-cut-off` are excluded"
    ),
    "hash_chain_whole": Fact(_YES_NO, "the chain of hashes since the final form is whole"),
    "message_format_faithful": Fact(_YES_NO, "the format kept is the one sent, or shows its content faithfully"),
    "message_marks": Fact(_CODES, "what can be told of it, `MESSAGE_MARKS`"),
    "message_way_reliable": Fact(_YES_NO, "the way it was made, stored and transferred is on record and reliable"),
    "message_integrity_method": Fact(_YES_NO, "the method that keeps its content whole is on record"),
    "message_sender_identified": Fact(_YES_NO, "the method that identifies the sender is on record"),
}
