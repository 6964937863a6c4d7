"""Checkpoints in the C2SP formats."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from compliance.audit.checkpoint import Checkpoint, NoteInvalid, origin_of, read, sign, verifier_key, verify

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = KEY.public_key()
CHECKPOINT = Checkpoint(origin=origin_of(PUBLIC), size=12, root=b"r" * 32)
NOTE = sign(CHECKPOINT, key=KEY)


def test_a_note_has_the_lines_that_the_format_prescribes() -> None:
    origin, size, root, empty, signature, end = NOTE.split("\n")
    assert (origin, size, root) == (CHECKPOINT.origin, "12", base64.b64encode(b"r" * 32).decode())
    assert (empty, end) == ("", "")
    dash, name, value = signature.split(" ")
    assert (dash, name) == ("—", CHECKPOINT.origin)
    assert len(base64.b64decode(value)) == 4 + 64


def test_a_signed_note_opens_with_the_verifier_key_alone() -> None:
    """As a foreign tool would do it: from the text of the verifier key, by the letter of `signed-note`."""
    name, key_id, key = verifier_key(CHECKPOINT.origin, PUBLIC).split("+", 2)
    raw = base64.b64decode(key)
    assert raw[:1] == b"\x01"
    body, _, signatures = NOTE.partition("\n\n")
    blob = base64.b64decode(signatures.split(" ")[2])
    assert signatures.split(" ")[1] == name
    assert blob[:4].hex() == key_id
    Ed25519PublicKey.from_public_bytes(raw[1:]).verify(blob[4:], (body + "\n").encode())


def test_a_signed_note_says_what_was_signed() -> None:
    assert verify(NOTE, public_key=PUBLIC) == read(NOTE) == CHECKPOINT


def test_a_witness_may_add_its_signature() -> None:
    note = NOTE + "— witness.example/1 " + base64.b64encode(b"w" * 68).decode() + "\n"
    assert verify(note, public_key=PUBLIC) == CHECKPOINT


@given(st.integers(0, len(NOTE) - 1), st.characters(codec="utf-8"))
def test_no_changed_character_goes_unseen(place: int, character: str) -> None:
    changed = NOTE[:place] + character + NOTE[place + 1 :]
    if changed == NOTE:
        return
    try:
        said = verify(changed, public_key=PUBLIC)
    except NoteInvalid:
        return
    assert said == CHECKPOINT  # only the end of the note's last line does not matter
    assert place == len(NOTE) - 1


def test_another_key_and_another_log_are_refused() -> None:
    other = Ed25519PrivateKey.generate()
    for note in (
        sign(CHECKPOINT, key=other),
        sign(Checkpoint(origin=origin_of(other.public_key()), size=12, root=b"r" * 32), key=other),
        sign(Checkpoint(origin="casework/elsewhere", size=12, root=b"r" * 32), key=KEY),
    ):
        with pytest.raises(NoteInvalid):
            verify(note, public_key=PUBLIC)


@pytest.mark.parametrize("note", ["", "\n\n", "a\n1\n", "a\n01\nAAAA\n\n", "a\n1\nAAAA\n\n", f"a\n-1\n{'A' * 43}=\n\n"])
def test_what_is_no_checkpoint_is_refused(note: str) -> None:
    with pytest.raises(NoteInvalid):
        read(note)
