"""SM4-GCM (GB/T 32907-2016, RFC 8998) as an AEAD with the shape of the library's own."""

from collections.abc import Iterable
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import GCM

KEY_BYTES: Final = 16
_TAG_BYTES: Final = 16


class Sm4Gcm:
    """Authenticated encryption under one key; the tag, 16 bytes, stands behind the ciphertext."""

    __slots__ = ("_algorithm",)

    def __init__(self, key: bytes) -> None:
        """Prepare a key of 16 bytes; raises `ValueError` for any other length."""
        self._algorithm = SM4(key)

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes:
        """Ciphertext and tag."""
        encryptor = Cipher(self._algorithm, GCM(nonce)).encryptor()
        if associated_data:
            encryptor.authenticate_additional_data(associated_data)
        return encryptor.update(data) + encryptor.finalize() + encryptor.tag

    def seal_each(
        self, header: bytes, nonces: Iterable[bytes], plaintexts: Iterable[bytes], bindings: Iterable[bytes]
    ) -> list[bytes]:
        """`header nonce ciphertext tag` of each plaintext with its associated data, without a call for each."""
        algorithm, sealed = self._algorithm, []
        for nonce, data, associated_data in zip(nonces, plaintexts, bindings, strict=True):
            encryptor = Cipher(algorithm, GCM(nonce)).encryptor()
            if associated_data:
                encryptor.authenticate_additional_data(associated_data)
            ciphertext = encryptor.update(data)
            sealed.append(b"".join((header, nonce, ciphertext, encryptor.finalize(), encryptor.tag)))
        return sealed

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes:
        """Plaintext.

        Raises:
            InvalidTag: altered, or sealed under another key, nonce or binding.
        """
        if len(data) < _TAG_BYTES:
            raise InvalidTag
        decryptor = Cipher(self._algorithm, GCM(nonce, data[-_TAG_BYTES:])).decryptor()
        if associated_data:
            decryptor.authenticate_additional_data(associated_data)
        return decryptor.update(data[:-_TAG_BYTES]) + decryptor.finalize()
