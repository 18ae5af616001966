"""The code in docs/frameworks.md, run as it stands there."""

import re
from typing import Any

from tests.processes.running import ROOT

PAGE = ROOT / "docs" / "frameworks.md"
DOCUMENTED_URL = "https://console.example.org"


def blocks_of(heading: str) -> tuple[str, str]:
    """A framework's two blocks: the one that waits, and the one that pauses."""
    _before, section = PAGE.read_text(encoding="utf-8").split(f"\n## {heading}\n", 1)
    waits, pauses = re.findall(r"```python\n(.*?)```", section.split("\n## ", 1)[0], re.DOTALL)
    return waits, pauses


def as_documented(heading: str, url: str, *, pauses: bool = False, **given: Any) -> dict[str, Any]:
    """What the block defines, with the names that it takes for given. The one that pauses relies on the other's imports."""
    waits, pausing = blocks_of(heading)
    imports = waits.partition("\n\n")[0]
    code = f"{imports}\n\n{pausing}" if pauses else waits
    defined = dict(given)
    exec(code.replace(DOCUMENTED_URL, url), defined)
    return defined
