"""The policy's page: what is in force, a draft, its mistakes, its dry run, its versions."""

import json
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from agentconsole.errors import BadRequestError, ConsoleError
from approvals.models import PolicyVersion
from approvals.policy import InvalidPolicyError, parse_rules, to_json, warnings_about
from approvals.queries.policy_page import in_words, replay, versions
from approvals.services.policies import active_policy, save_policy
from approvals.views.fresh_login import confirm_password, is_fresh
from runs.access import Role, requires
from runs.forms import number_in, text_in

_RULES_CHARS = 200_000
_COMMENT_CHARS = 500


@never_cache
@require_http_methods(["GET", "POST"])
@requires(Role.ADMIN)
def policy(request: HttpRequest) -> HttpResponse:
    """Read the policy, try a draft, put it in force."""
    active = active_policy()
    context: dict[str, Any] = {
        "active": active,
        "words": [in_words(rule) for rule in active.rules],
        "versions": versions(),
        "base": active.number,
        "draft": _pretty(_chosen(request, [to_json(rule) for rule in active.rules])),
        "comment": "",
        "is_fresh": is_fresh(request),
    }
    if request.method == "GET":
        return render(request, "approvals/policy.html", context)
    context |= {
        "draft": request.POST.get("rules", "")[:_RULES_CHARS],
        "comment": request.POST.get("comment", "")[:_COMMENT_CHARS],
        "base": request.POST.get("base", ""),
    }
    return _answer(request, context)


def _answer(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    try:
        rules = _rules_in(context["draft"])
        parsed = parse_rules(rules)
        if request.POST.get("do") == "save":
            base = number_in(request, "base")
            saved = save_policy(
                person=cast(User, request.user),
                rules=rules,
                comment=text_in(request, "comment", most=_COMMENT_CHARS),
                base_number=-1 if base is None else base,
                is_fresh_login=confirm_password(request, "POLICY_REFUSED", "policy"),
            )
            messages.success(request, f"Policy {saved.number} is in force.")
            return redirect("policy")
        context |= {"replayed": replay(parsed, context["active"].number + 1), "warned": warnings_about(parsed)}
        return render(request, "approvals/policy.html", context)
    except InvalidPolicyError as error:
        context |= {"problems": error.problems}
        return render(request, "approvals/policy.html", context, status=error.http_status)
    except ConsoleError as error:
        return render(request, "approvals/policy.html", {**context, "problem": error}, status=error.http_status)


def _chosen(request: HttpRequest, active: list[Any]) -> Any:
    """The rules of `?version=`, to go back to them; else those in force."""
    number = request.GET.get("version", "")
    found = PolicyVersion.objects.filter(number=int(number)).first() if number.isdecimal() and len(number) < 9 else None  # noqa: PLR2004  a column's width
    return found.rules if found else active


def _rules_in(text: str) -> list[Any]:
    try:
        rules = json.loads(text)
    except (ValueError, RecursionError) as error:
        at = f" near line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise BadRequestError(f"The draft is no JSON{at}. It is a list of rules: [{{…}}, {{…}}].") from error
    if not isinstance(rules, list):
        raise BadRequestError("The draft is a list of rules: [{…}, {…}].")
    return rules


def _pretty(rules: Any) -> str:
    return json.dumps(rules, indent=2, ensure_ascii=False)
