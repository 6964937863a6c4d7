"""The HMAC that copies hash states is the library's, whatever the key and the message."""

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.vault import hmacs

BOTH = pytest.mark.parametrize("digest", ["sha256", "sm3"])


@BOTH
@given(key=st.binary(max_size=200), messages=st.lists(st.binary(max_size=300), max_size=4))
def test_it_is_the_hmac_of_the_library(digest: str, key: bytes, messages: list[bytes]) -> None:
    expected = [hmac.digest(key, message, digest) for message in messages]
    assert hmacs.macs(digest, key, messages) == expected
    assert [hmacs.mac(digest, key, message) for message in messages] == expected


def test_another_block_is_refused() -> None:
    with pytest.raises(ValueError, match="blocks of 128 bytes"):
        hmacs.mac("sha512", b"k", b"m")
