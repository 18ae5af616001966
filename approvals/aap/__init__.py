"""The Agent Approval Protocol, provider's side, at `/api/aap` (docs/aap.md)."""
