"""Addresses as they may be shown: without what lets somebody in.

What is a secret as a whole is a `SecretStr` in the settings. Addresses are not, and yet may carry one: a name and a
password before the host, a key among the parameters, or everything behind the host of a webhook.
"""

from __future__ import annotations

import re

_ACCOUNT = re.compile(r"(://)[^/\s?#]*@")
# Somebody forgot what an address begins with, or to escape what ends it: a password may have a slash.
# Tokens that stand for passwords have a thousand characters and more; without an end, text of megabytes would take minutes.
_BARE_ACCOUNT = re.compile(r"[^\s/:@'\"]{1,100}+:(?!//)[^\s@'\"]{1,2000}+@")
# By how their names end: `token_id` is none.
_PARAMETER = re.compile(
    r"([?&;][\w.-]{0,100}(?:password|passwd|passphrase|pass|pwd|secret|key|token|signature|sig|credential)=)[^&;\s#'\"]+", re.IGNORECASE
)  # fmt: skip
_WEBHOOK = re.compile(r"(hooks\.slack[\w.-]*/)[^\s'\"]+", re.IGNORECASE)
HIDDEN = "***"


def masked(text: str) -> str:
    """Text with its addresses as they may be shown: accounts left out, secret parameters and paths of webhooks as `***`."""
    without_accounts = _BARE_ACCOUNT.sub("", _ACCOUNT.sub(r"\1", text))
    return _WEBHOOK.sub(rf"\1{HIDDEN}", _PARAMETER.sub(rf"\1{HIDDEN}", without_accounts))
