"""AES-256-GCM, for copies that are erased by deleting their key."""

import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_MARK = b"OVR1"
_NONCE = 12


def seal(key: bytes, plaintext: bytes, about: bytes) -> bytes:
    """The ciphertext; `about` is authenticated with it.

    The nonce is derived from key, plaintext and `about`, so that the same again is the same ciphertext and
    no nonce serves two plaintexts.
    """
    bound = hashlib.sha256(plaintext).digest() + about
    nonce = hmac.digest(key, bound, "sha256")[:_NONCE]
    return _MARK + nonce + AESGCM(key).encrypt(nonce, plaintext, about)


def unseal(key: bytes, sealed: bytes, about: bytes) -> bytes:
    """The plaintext.

    Raises:
        ValueError: it was sealed with another key, about something else, or was changed.
    """
    nonce, ciphertext = sealed[len(_MARK) : len(_MARK) + _NONCE], sealed[len(_MARK) + _NONCE :]
    if not sealed.startswith(_MARK):
        raise ValueError("not sealed by Overread")
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, about)
    except (InvalidTag, ValueError) as error:
        raise ValueError("sealed with another key, about something else, or changed") from error
