"""The content of a container: read as it was written, whatever the pieces; other bytes are refused by number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.transfers.backup_faults import BackupFault, FaultCode
from compliance.transfers.backup_stream import BackedUp, frame, read_frames
from compliance.vault.customer_layout import Customer
from models.domain.customers.record import FIELDS

_TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=12)
_RECORDS = st.lists(
    st.builds(
        BackedUp,
        st.builds(Customer, _TEXT, _TEXT, st.dictionaries(st.sampled_from(FIELDS), _TEXT, max_size=5)),
        st.integers(0, 1 << 40),
        st.sampled_from(["active", "locked"]),
        _TEXT,
    ),
    max_size=8,
)


def _cut(content: bytes, size: int) -> list[bytes]:
    return [content[begin : begin + size] for begin in range(0, len(content), size)]


@given(records=_RECORDS, size=st.integers(1, 200))
def test_what_was_written_is_read(records: list[BackedUp], size: int) -> None:
    content = b"".join(map(frame, records))
    assert list(read_frames(_cut(content, size))) == records


@given(records=_RECORDS.filter(bool), data=st.data())
def test_a_content_that_is_cut_short_is_named_by_its_record(records: list[BackedUp], data: st.DataObject) -> None:
    content = b"".join(map(frame, records))
    last = len(frame(records[-1]))
    cut = data.draw(st.integers(1, last - 1))
    with pytest.raises(BackupFault) as found:
        list(read_frames([content[:-cut]]))
    assert (found.value.code, found.value.record) == (FaultCode.RECORD_UNREADABLE, len(records))


@given(records=_RECORDS, junk=st.binary(min_size=4, max_size=60))
def test_other_bytes_are_a_record_of_no_known_form(records: list[BackedUp], junk: bytes) -> None:
    content = b"".join(map(frame, records)) + len(junk).to_bytes(4) + junk
    with pytest.raises(BackupFault) as found:
        list(read_frames([content]))
    assert (found.value.code, found.value.record) == (FaultCode.RECORD_UNREADABLE, len(records) + 1)
