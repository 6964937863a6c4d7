"""The primitives under the suites: published answers, a second implementation, and every way to be wrong refused."""

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES, SM4
from cryptography.hazmat.primitives.ciphers.modes import ECB
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.vault.suites import AES_256_GCM, NONCE_BYTES, SM4_GCM, TAG_BYTES, AeadAnswer, SealingKey, Suite
from models.errors import CannotOpen

BOTH = pytest.mark.parametrize("suite", [AES_256_GCM, SM4_GCM], ids=lambda suite: suite.code)
BLOCK_CIPHER = {AES_256_GCM.id: AES, SM4_GCM.id: SM4}
# McGrew and Viega, test cases 13 to 15; 16 is the suite's own.
AES_ANSWERS = [
    AeadAnswer(
        key="00" * 32,
        nonce="00" * 12,
        plaintext="",
        associated_data="",
        ciphertext_and_tag="530f8afbc74536b9a963b4f1c4cb738b",
    ),
    AeadAnswer(
        key="00" * 32,
        nonce="00" * 12,
        plaintext="00" * 16,
        associated_data="",
        ciphertext_and_tag="cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919",
    ),
    AeadAnswer(
        key="feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
        nonce="cafebabefacedbaddecaf888",
        plaintext=(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
            "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255"
        ),
        associated_data="",
        ciphertext_and_tag=(
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
            "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad"
            "b094dac5d93471bdec1a502270e3cc6c"
        ),
    ),
    AES_256_GCM.aead_answer,
]


def _check(suite: Suite, answer: AeadAnswer) -> None:
    aead = suite.aead(bytes.fromhex(answer.key))
    nonce, plaintext, bound, sealed = (
        bytes.fromhex(part)
        for part in (answer.nonce, answer.plaintext, answer.associated_data, answer.ciphertext_and_tag)
    )
    assert aead.encrypt(nonce, plaintext, bound) == sealed
    assert aead.decrypt(nonce, sealed, bound) == plaintext


@pytest.mark.parametrize("answer", AES_ANSWERS, ids=["case 13", "case 14", "case 15", "case 16"])
def test_aes_gives_the_published_answers(answer: AeadAnswer) -> None:
    _check(AES_256_GCM, answer)


def test_sm4_gives_the_answers_of_the_standard_and_of_rfc_8998() -> None:
    _check(SM4_GCM, SM4_GCM.aead_answer)
    key = bytes.fromhex("0123456789abcdeffedcba9876543210")  # GB/T 32907-2016, A.1
    encryptor = Cipher(SM4(key), ECB()).encryptor()
    assert encryptor.update(key).hex() == "681edf34d206965e86b3e94f536e4246"


# A second implementation: GCM as SP 800-38D writes it, over the bare block cipher -------------------------------------


def _multiplied(x: int, y: int) -> int:
    product = 0
    for bit in range(127, -1, -1):
        if x >> bit & 1:
            product ^= y
        y = (y >> 1) ^ (0xE1 << 120 if y & 1 else 0)
    return product


def _gcm(suite: Suite, key: bytes, nonce: bytes, plaintext: bytes, bound: bytes) -> bytes:
    def block(value: bytes) -> bytes:
        return Cipher(BLOCK_CIPHER[suite.id](key), ECB()).encryptor().update(value)

    def padded(value: bytes) -> bytes:
        return value + bytes(-len(value) % 16)

    stream = b"".join(block(nonce + number.to_bytes(4)) for number in range(2, 3 + len(plaintext) // 16))
    ciphertext = bytes(one ^ other for one, other in zip(plaintext, stream, strict=False))
    lengths = (len(bound) * 8).to_bytes(8) + (len(ciphertext) * 8).to_bytes(8)
    hashed, digest = padded(bound) + padded(ciphertext) + lengths, 0
    h = int.from_bytes(block(bytes(16)))
    for at in range(0, len(hashed), 16):
        digest = _multiplied(digest ^ int.from_bytes(hashed[at : at + 16]), h)
    tag = digest ^ int.from_bytes(block(nonce + (1).to_bytes(4)))
    return ciphertext + tag.to_bytes(16)


@BOTH
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_a_second_implementation_gives_the_same_bytes(suite: Suite, data: st.DataObject) -> None:
    key = data.draw(st.binary(min_size=suite.key_bytes, max_size=suite.key_bytes))
    nonce = data.draw(st.binary(min_size=NONCE_BYTES, max_size=NONCE_BYTES))
    plaintext, bound = data.draw(st.binary(max_size=70)), data.draw(st.binary(max_size=40))
    assert suite.aead(key).encrypt(nonce, plaintext, bound) == _gcm(suite, key, nonce, plaintext, bound)


# What must be refused, in the manner of the Wycheproof tests ----------------------------------------------------------

PLAINTEXT, BOUND, NONCE = b"thirty-two bytes of a plaintext!", b"bound to this", bytes(range(12))


def _altered_tags(tag: bytes) -> dict[str, bytes]:
    """Tags as a careless comparison would let them through."""
    flips = {f"bit {bit} flipped": _flip(tag, bit) for bit in range(TAG_BYTES * 8)}
    return flips | {
        "first half flipped": _flip(_flip(tag, 0), 64),
        "all flipped": bytes(byte ^ 0xFF for byte in tag),
        "zeroes": bytes(TAG_BYTES),
        "ones": b"\xff" * TAG_BYTES,
        "top bits flipped": bytes(byte ^ 0x80 for byte in tag),
        "low bits flipped": bytes(byte ^ 0x01 for byte in tag),
        "reversed": tag[::-1],
    }


def _flip(value: bytes, bit: int) -> bytes:
    altered = bytearray(value)
    altered[bit // 8] ^= 1 << bit % 8
    return bytes(altered)


@BOTH
def test_every_altered_tag_is_refused(suite: Suite) -> None:
    aead = suite.aead(bytes(range(suite.key_bytes)))
    sealed = aead.encrypt(NONCE, PLAINTEXT, BOUND)
    for name, tag in _altered_tags(sealed[-TAG_BYTES:]).items():
        with pytest.raises(InvalidTag):
            pytest.fail(f"{name}: {aead.decrypt(NONCE, sealed[:-TAG_BYTES] + tag, BOUND)!r}")


@BOTH
def test_a_shortened_tag_is_refused_at_every_length(suite: Suite) -> None:
    """SP 800-38D knows tags of 4 to 15 bytes; nothing here takes them, whatever the ciphertext in front."""
    key = SealingKey(suite, bytes(range(suite.key_bytes)), version=1)
    for plaintext in (b"", PLAINTEXT):
        sealed = key.seal(plaintext, BOUND)
        for length in range(len(sealed)):
            with pytest.raises(CannotOpen):
                key.open(sealed[:length], BOUND)


@BOTH
def test_every_altered_nonce_ciphertext_and_binding_is_refused(suite: Suite) -> None:
    key = SealingKey(suite, bytes(range(suite.key_bytes)), version=1)
    sealed = key.seal(PLAINTEXT, BOUND)
    altered = [(_flip(sealed, bit), BOUND) for bit in range(len(sealed) * 8)]
    altered += [(sealed, _flip(BOUND, bit)) for bit in range(len(BOUND) * 8)]
    altered += [(sealed, b""), (sealed, BOUND[:-1]), (sealed, BOUND + b"\x00"), (sealed, b"\x00" + BOUND)]
    altered += [(sealed + b"\x00", BOUND), (b"\x00" + sealed, BOUND), (sealed * 2, BOUND)]
    for value, bound in altered:
        with pytest.raises(CannotOpen):
            key.open(value, bound)


@BOTH
def test_ciphertext_and_binding_cannot_be_exchanged(suite: Suite) -> None:
    """GHASH runs over both; only the block of lengths keeps a byte of one from standing for a byte of the other."""
    aead = suite.aead(bytes(range(suite.key_bytes)))
    sealed = aead.encrypt(NONCE, PLAINTEXT, bytes(16))
    with pytest.raises(InvalidTag):
        aead.decrypt(NONCE, sealed[16:], bytes(16) + sealed[:16])


@BOTH
def test_no_binding_is_an_empty_binding(suite: Suite) -> None:
    aead = suite.aead(bytes(range(suite.key_bytes)))
    assert aead.encrypt(NONCE, PLAINTEXT, None) == aead.encrypt(NONCE, PLAINTEXT, b"")


@BOTH
def test_a_key_of_the_other_suites_length_is_refused(suite: Suite) -> None:
    for length in {0, 8, 15, 16, 17, 24, 31, 32, 33} - {suite.key_bytes}:
        with pytest.raises(CannotOpen):
            SealingKey(suite, bytes(length), version=1)
