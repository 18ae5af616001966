"""What the models of these tests ask the tool to do."""

CHECKOUT = {"service": "checkout", "grace_s": 1.5}
GONE = {"service": "gone", "grace_s": 1.5}
