"""The one seam through which every payload passes before it is sent, stored, logged or shown.

`scrub` walks a JSON value; `scrub_text` reads one string. A hit leaves `[REDACTED:<detector>]` in the place of the secret.
Redact before cutting: a cut through a secret hides it from every pattern.
"""

from agentconsole.protocol.redaction.marks import Hit, marker
from agentconsole.protocol.redaction.names import is_telling_name
from agentconsole.protocol.redaction.registered import register
from agentconsole.protocol.redaction.scrubbing import may_hold_secret, scrub, scrub_text, shows_secret

__all__ = ["Hit", "is_telling_name", "marker", "may_hold_secret", "register", "scrub", "scrub_text", "shows_secret"]
