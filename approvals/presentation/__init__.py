"""What the reviewer sees is what runs: text made visible, arguments as a table, a picture of the fingerprint. Pure."""

from approvals.presentation.direction import directed
from approvals.presentation.picture import Picture, picture
from approvals.presentation.presentation import (
    Presentation,
    Progress,
    ShownChange,
    digest,
    folds,
    present,
    shown_change,
)
from approvals.presentation.twins import load_likenesses
from approvals.presentation.values import Row, rows
from approvals.presentation.visible import Segment, Visible, visible

__all__ = [
    "Picture",
    "Presentation",
    "Progress",
    "Row",
    "Segment",
    "ShownChange",
    "Visible",
    "digest",
    "directed",
    "folds",
    "load_likenesses",
    "picture",
    "present",
    "rows",
    "shown_change",
    "visible",
]
