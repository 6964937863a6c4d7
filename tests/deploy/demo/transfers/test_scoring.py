"""Merges held against the truth: true and false ones, by policy and by people, duplicates inside the file."""

from deploy.demo.transfers.scoring import BY_PERSON, BY_POLICY, Merged, score
from deploy.demo.transfers.truth import TrueRow

RECORD_OF = {"T1": "cus_1", "T2": "cus_2", "T3": "cus_3"}


def row(number: int, person: int, target: str = "", same: int | None = None) -> TrueRow:
    return TrueRow(
        row=number,
        line=number + 1,
        person=person,
        source_customer_no=f"S{person}",
        target_customer_no=target,
        same_as_row=same,
    )


TRUTH = [row(1, 10, "T1"), row(2, 20, "T2"), row(3, 30), row(4, 30, same=3), row(5, 50)]


def test_what_was_found_is_counted_by_who_found_it() -> None:
    merged = [Merged(row=1, record="cus_1"), Merged(row=2, record="cus_2", by=BY_PERSON), Merged(row=4, same_row=3)]
    told = score(TRUTH, merged, record_of=RECORD_OF, rejected=frozenset())
    assert told.true == 3
    assert (told.found, told.false) == ({BY_POLICY: 2, BY_PERSON: 1}, {})
    assert (told.precision, told.recall, told.policy_recall) == (1000, 1000, 666)


def test_a_merge_with_somebody_else_is_false_whoever_it_is() -> None:
    merged = [Merged(row=1, record="cus_2"), Merged(row=5, record="cus_3"), Merged(row=4, same_row=1)]
    told = score(TRUTH, merged, record_of=RECORD_OF, rejected=frozenset())
    assert told.false == {BY_POLICY: 3}
    assert (told.precision, told.recall) == (0, 0)


def test_rows_that_were_turned_down_count_for_nothing_nor_do_their_copies() -> None:
    told = score(TRUTH, [Merged(row=2, record="cus_2")], record_of=RECORD_OF, rejected=frozenset({1, 3}))
    assert told.true == 1
    assert told.recall == 1000


def test_nothing_merged_has_no_precision() -> None:
    told = score([row(1, 1)], [], record_of=RECORD_OF, rejected=frozenset())
    assert (told.precision, told.recall) == (None, None)
