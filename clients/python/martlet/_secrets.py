"""What must not be kept of an environment: the rules of docs/security.md, in the words of MartletModel/Secrets.swift.

It leaves out too much rather than too little. `Tests/Fixtures/secrets.json` holds examples for both languages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

MASK = "***"
MOST_VARIABLES = 2000
MOST_BYTES = 512 << 10  # of all together
LONGEST_VARIABLE = 4096  # characters

_PARTS = (
    "TOKEN", "SECRET", "PASSW", "PASSPHRASE", "KEY", "CREDENTIAL", "AUTH", "COOKIE", "PRIVATE", "SIGNATURE",
    "CONNECTION_STRING",
)  # fmt: skip
_WORDS = {"PASS", "PWD", "PW", "CREDS", "DSN", "SAS", "JWT"}
_HARMLESS = ("TOKENIZ", "KEYBOARD")
_PREFIXES = (
    "sk-", "sk_", "pk_", "rk_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "hf_",
    "xoxa-", "xoxb-", "xoxp-", "xoxr-", "xoxs-", "xapp-", "AKIA", "ASIA", "AIza", "ya29.", "npm_", "pypi-",
    "dop_v1_", "SG.", "dapi", "nvapi-", "r8_", "gsk_", "wandb_v1_",
)  # fmt: skip
_ASSIGNMENTS = (
    "password=", "passwd=", "pwd=", "token=", "secret=", "accountkey=", "accesskey=", "apikey=",
    "signature=", "sig=",
)  # fmt: skip
_IDENTIFIERS = {
    "COMMIT", "SHA", "SHA1", "SHA256", "REVISION", "REF", "DIGEST", "HASH", "CHECKSUM", "ID", "UUID",
}  # fmt: skip
_OPTION_WORDS = {
    "TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "PASS", "PWD", "APIKEY", "CREDENTIAL", "CREDENTIALS",
    "AUTH", "AUTHORIZATION", "COOKIE",
}  # fmt: skip
_KEY_WORDS = {"API", "ACCESS", "SECRET", "PRIVATE", "SIGNING", "ENCRYPTION", "ACCOUNT"}

_BREAKS = re.compile(r"[\s,;:=\"'()\[\]{}<>|&]+")
_TOKEN = re.compile(r"[0-9A-Za-z_.-]*")
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]{32,}")
_RANDOM = re.compile(r"[0-9A-Za-z_-]{24,}")
_AUTHORITY = re.compile(r"://([^/?#\s]*)")


def variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that may be kept, sorted by their names; long values are cut."""
    kept: dict[str, str] = {}
    left = MOST_BYTES
    for name, value in sorted(environ.items()):
        if not is_secret(name, value) and len(kept) < MOST_VARIABLES:
            text = _text(value[:LONGEST_VARIABLE])
            left -= len(name.encode("utf-8", "replace")) + len(text.encode())
            if left < 0:
                break
            kept[_text(name)] = text
    return kept


def is_secret(name: str, value: str) -> bool:
    """Whether a variable is to be left out."""
    if is_secret_name(name) or is_secret_value(value):
        return True
    if not _IDENTIFIERS.isdisjoint(_words_of(name)):
        return False
    return any(_is_hexadecimal_key(piece) or _is_random_text(piece) for piece in _BREAKS.split(value))


def is_secret_name(name: str) -> bool:
    """Whether a variable of this name is a secret whatever it holds."""
    upper = name.upper()
    if upper == "PWD":
        return False
    for part in _HARMLESS:
        upper = upper.replace(part, "")
    return any(part in upper for part in _PARTS) or not _WORDS.isdisjoint(_words_of(upper))


def is_secret_value(value: str) -> bool:
    """Whether a value looks like a secret, whatever it is called."""
    if "-----BEGIN " in value or any("@" in authority for authority in _AUTHORITY.findall(value)):
        return True
    lower = value.lower().replace("-", "").replace("_", "")
    if any(assignment in lower for assignment in _ASSIGNMENTS):
        return True
    return any(_is_known_key(piece) or _is_web_token(piece) for piece in _BREAKS.split(value))


def masked(arguments: Iterable[str]) -> list[str]:
    """A command line with `***` for each value that is a secret."""
    kept: list[str] = []
    option = ""  # what stands before, where that is an option without its value
    for argument in arguments:
        is_option = argument.startswith("-")
        is_next = bool(option) and (_is_secret_option(option) or (not is_option and _is_key(argument, option)))
        # a secret may begin with a dash of its own; behind two of them another option stands
        if is_next and not argument.startswith("--") and _is_maskable(argument, option):
            kept.append(MASK)
            option = ""
            continue
        name, equals, value = argument.partition("=")
        option = argument if is_option and not equals else ""
        if not equals or "://" in name:  # the query of an address has its own '='
            kept.append(MASK if is_secret_value(argument) else argument)
        else:
            is_secret = (_is_secret_option(name) and _is_maskable(value, name)) or _is_key(value, name)
            kept.append(f"{name}={MASK}" if is_secret or is_secret_value(value) else argument)
    return kept


def _words_of(name: str) -> set[str]:
    return set(_list_of_words(name))


def _list_of_words(name: str) -> list[str]:
    return [word for word in re.split(r"[\W_]+", name.upper()) if word]


def _is_known_key(piece: str) -> bool:
    return any(
        piece.startswith(prefix)
        and len(piece.encode("utf-8", "replace")) >= len(prefix) + 12
        and _TOKEN.fullmatch(piece, len(prefix)) is not None
        and any(sign.isnumeric() for sign in piece)
        for prefix in _PREFIXES
    )


def _is_web_token(piece: str) -> bool:
    return piece.startswith("eyJ") and len(piece) >= 40 and piece.count(".") == 2


def _is_hexadecimal_key(piece: str) -> bool:
    return _HEXADECIMAL.fullmatch(piece) is not None and not piece.isdigit()


def _is_random_text(piece: str) -> bool:
    return (
        _RANDOM.fullmatch(piece) is not None
        and re.search("[A-Z]", piece) is not None
        and re.search("[a-z]", piece) is not None
        and sum(sign.isdigit() for sign in piece) >= 3
    )


def _is_key(value: str, option: str) -> bool:
    """`--wandb-key` and 40 hexadecimal digits: of any key, where it looks like one."""
    if _words_of_option(option)[-1:] != ["KEY"]:
        return False
    return any(_is_hexadecimal_key(piece) or _is_random_text(piece) for piece in _BREAKS.split(value))


def _words_of_option(name: str) -> list[str]:
    """Its words in capitals; `authToken` has two."""
    spaced = ""
    was_small = False
    for sign in name:
        if was_small and sign.isupper():
            spaced += "_"
        spaced += sign
        was_small = sign.islower() or sign.isnumeric()
    return _list_of_words(spaced)


def _is_secret_option(name: str) -> bool:
    words = _words_of_option(name)
    if not words:
        return False
    return words[-1] in _OPTION_WORDS or (words[-1] == "KEY" and len(words) > 1 and words[-2] in _KEY_WORDS)


def _is_maskable(value: str, option: str) -> bool:
    if not value or value[0] in "<[":
        return False
    if _words_of_option(option)[-1:] != ["TOKEN"]:  # how many tokens, or which, is a number too; of a password it is it
        return True
    try:
        float(value)
    except ValueError:
        return True
    return False


def _text(value: str) -> str:
    """Without lone surrogates, which UTF-8 cannot hold."""
    return value.encode("utf-8", "replace").decode("utf-8")
