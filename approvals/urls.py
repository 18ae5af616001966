"""Pages of the approval queue, and the keys that grants are verified with."""

from django.urls import path

from approvals.views import decide, delegations, evidence, policy, provisioners, queue

urlpatterns = [
    path("approvals/", queue.queue, name="approvals"),
    path("approvals/decided/", queue.decided, name="approvals-decided"),
    path("approvals/looking", queue.lookers, name="lookers"),
    path("agents/provisioners/", provisioners.provisioners, name="provisioners"),
    path("agents/provisioners/<int:provisioner_id>/revoke", provisioners.revoke, name="revoke-provisioner"),
    path("approvals/delegations", delegations.delegate, name="delegate"),
    path("approvals/policy/", policy.policy, name="policy"),
    path("approvals/<uuid:action_id>/", queue.action, name="approval"),
    path("approvals/<uuid:action_id>/decide", decide.decide, name="decide"),
    path("approvals/<uuid:action_id>/break-glass", decide.break_glass, name="break-glass"),
    path("approvals/<uuid:action_id>/review", decide.review, name="review-glass"),
    path("approvals/<uuid:action_id>/reconcile", decide.reconcile, name="reconcile"),
    path("approvals/<uuid:action_id>/looking", queue.looking, name="looking"),
    path("approvals/<uuid:action_id>/evidence/", evidence.evidence, name="evidence"),
    path("approvals/<uuid:action_id>/evidence.json", evidence.evidence_json, name="evidence-json"),
    path("runs/<uuid:run_id>/agentack.jsonl", evidence.run_trace, name="agentack"),
    path(".well-known/jwks.json", evidence.public_keys, name="jwks"),
]
