"""Credentials that are known by their form alone: the documented prefix and alphabet of each provider's tokens.

A row is a detector's name, the texts of which one must occur (a plain search is many times as fast as a pattern), and the
pattern, which has no repeat inside a repeat. Forms are as the providers document them or as their secret scanning partners
(GitHub, GitLab) list them; lengths are lower bounds where a provider leaves them open. Public keys (`pk_…`) are not secrets.
"""

import re
from dataclasses import dataclass

_WORD = r"[A-Za-z0-9]"
_BASE64URL = r"[A-Za-z0-9_-]"


_BEFORE = (
    r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt])|(?<=%[0-9A-F]{2}))"  # also after a line break that was escaped, and in a URL
)


@dataclass(frozen=True, slots=True)
class Provider:
    """One form of credential."""

    detector: str
    anchors: tuple[str, ...]
    pattern: re.Pattern[str]


def _provider(detector: str, anchors: str, pattern: str) -> Provider:
    """Tokens stand alone: no letter or digit before the first character."""
    return Provider(detector, tuple(anchors.split()), re.compile(_BEFORE + pattern))


PROVIDERS = (
    # Models
    _provider("anthropic_key", "sk-ant-", rf"sk-ant-{_BASE64URL}{{24,400}}"),
    _provider("openrouter_key", "sk-or-", r"sk-or-(?:v1-)?[0-9a-f]{32,128}"),
    _provider("langfuse_key", "sk-lf-", r"sk-lf-[0-9a-f]{8}-[0-9a-f-]{27}"),
    _provider("openai_key", "sk-", rf"sk-(?:proj-|svcacct-|admin-)?(?={_BASE64URL}{{0,200}}{_WORD}{{16}})(?=[A-Za-z_-]{{0,200}}[0-9]){_BASE64URL}{{20,400}}"),
    _provider("google_key", "AIza", rf"AIza{_BASE64URL}{{35}}"),
    _provider("groq_key", "gsk_", rf"gsk_{_WORD}{{40,80}}"),
    _provider("xai_key", "xai-", rf"xai-{_WORD}{{40,120}}"),
    _provider("perplexity_key", "pplx-", rf"pplx-{_WORD}{{32,80}}"),
    _provider("huggingface_token", "hf_ api_org_", rf"(?:hf_|api_org_){_WORD}{{30,60}}"),
    _provider("replicate_token", "r8_", rf"r8_{_WORD}{{37,40}}"),
    _provider("nvidia_key", "nvapi-", rf"nvapi-{_BASE64URL}{{40,100}}"),
    _provider("cerebras_key", "csk-", r"csk-[a-z0-9]{40,60}"),
    _provider("fireworks_key", "fw_", rf"fw_(?=[A-Za-z]{{0,23}}[0-9]){_WORD}{{20,40}}"),
    _provider("tavily_key", "tvly-", rf"tvly-(?:dev-|prod-)?{_BASE64URL}{{20,60}}"),
    _provider("langsmith_key", "lsv2_", r"lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}"),
    _provider("logfire_token", "pylf_", rf"pylf_v[0-9]_[a-z]{{2}}_{_WORD}{{40,60}}"),
    # Code and packages
    _provider("github_token", "ghp_ gho_ ghu_ ghs_ ghr_", rf"gh[pousr]_{_WORD}{{36,255}}"),
    _provider("github_token", "github_pat_", r"github_pat_[A-Za-z0-9_]{22,255}"),
    _provider(
        "gitlab_token",
        "glpat- glptt- gldt- glrt- glrtr- glcbt- glft- glsoat- glimt- glagent- gloas- glwt- glffct-",
        rf"gl(?:pat|ptt|dt|rtr?|cbt|ft|soat|imt|agent|oas|wt|ffct)-{_BASE64URL}[A-Za-z0-9_.-]{{19,300}}",
    ),
    _provider("bitbucket_token", "ATBB ATCTT", rf"(?:ATBB{_WORD}{{28,40}}|ATCTT3xFfG[A-Za-z0-9_=-]{{40,300}})"),
    _provider("atlassian_token", "ATATT3", r"ATATT3[A-Za-z0-9_=-]{60,300}"),
    _provider("npm_token", "npm_", rf"npm_{_WORD}{{36}}"),
    _provider("pypi_token", "pypi-AgE", rf"pypi-AgE{_BASE64URL}{{50,1000}}"),
    _provider("rubygems_key", "rubygems_", r"rubygems_[0-9a-f]{48}"),
    _provider("docker_token", "dckr_", rf"dckr_(?:pat|oat)_{_BASE64URL}{{27,60}}"),
    _provider("circleci_token", "CCIPAT_", rf"CCIPAT_{_WORD}{{22}}_[0-9a-f]{{40}}"),
    _provider("buildkite_token", "bkua_", r"bkua_[0-9a-f]{40}"),
    _provider("postman_key", "PMAK-", r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}"),
    _provider("sonar_token", "sqp_ squ_ sqa_", r"sq[pua]_[0-9a-f]{40}"),
    # Clouds and infrastructure
    _provider("aws_key_id", "AKIA ASIA", r"(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Za-z0-9])"),
    _provider("google_oauth_token", "ya29. GOCSPX- 1//0", rf"(?:ya29\.[A-Za-z0-9_.-]{{30,2000}}|GOCSPX-{_BASE64URL}{{28}}|1//0{_BASE64URL}{{40,200}})"),
    _provider("azure_client_secret", "8Q~ 7Q~", r"[A-Za-z0-9_~.-]{3}[78]Q~[A-Za-z0-9_~.-]{31,34}"),
    _provider("digitalocean_token", "dop_v1_ doo_v1_ dor_v1_", r"do[opr]_v1_[0-9a-f]{64}"),
    _provider("fly_token", "fm1_ fm2_ fo1_", r"(?:fm[12]_[A-Za-z0-9+/=_-]{60,2000}|fo1_[A-Za-z0-9_-]{43})"),
    _provider("heroku_key", "HRKU-", r"HRKU-[A-Za-z0-9_-]{30,80}"),
    _provider("netlify_token", "nfp_", rf"nfp_{_WORD}{{36}}"),
    _provider("supabase_token", "sbp_ sb_secret_", rf"(?:sbp_[0-9a-f]{{40}}|sb_secret_{_BASE64URL}{{20,60}})"),
    _provider("planetscale_token", "pscale_", r"pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.-]{32,64}"),
    _provider("databricks_token", "dapi", r"dapi[0-9a-f]{32}(?:-[0-9])?(?![A-Za-z0-9])"),
    _provider("vault_token", "hvs. hvb. hvr.", rf"hv[sbr]\.{_BASE64URL}{{24,300}}"),
    _provider("terraform_token", ".atlasv1.", rf"{_WORD}{{14}}\.atlasv1\.{_BASE64URL}{{60,80}}"),
    _provider("doppler_token", "dp.", rf"dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_-]{{2,35}}\.)?{_WORD}{{40,44}}"),
    _provider("1password_token", "ops_eyJ", r"ops_eyJ[A-Za-z0-9+/=_-]{50,2000}"),
    _provider("pulumi_token", "pul-", r"pul-[0-9a-f]{40}"),
    _provider("tailscale_key", "tskey-", r"tskey-[a-z]{3,12}-[A-Za-z0-9-]{16,100}"),
    _provider("openshift_token", "sha256~", rf"sha256~{_BASE64URL}{{43}}"),
    _provider("age_key", "AGE-SECRET-KEY-1", r"AGE-SECRET-KEY-1[A-Z0-9]{58}"),
    _provider("confluent_key", "cflt", r"cflt[A-Za-z0-9+/]{60}"),
    _provider("prefect_key", "pnu_ pnb_", rf"pn[ub]_{_WORD}{{36}}"),
    # Watching
    _provider("grafana_token", "glsa_ glc_", r"(?:glsa_[A-Za-z0-9]{32}_[0-9a-fA-F]{8}|glc_[A-Za-z0-9+/=]{32,400})"),
    _provider("sentry_token", "sntrys_ sntryu_", r"(?:sntrys_eyJ[A-Za-z0-9+/=_-]{60,800}|sntryu_[0-9a-f]{64})"),
    _provider("newrelic_key", "NRAK- NRJS- NRII-", rf"NR(?:AK-[A-Z0-9]{{27}}|JS-[0-9a-f]{{19}}|II-{_BASE64URL}{{32}})"),
    _provider("dynatrace_token", "dt0c01. dt0s", r"dt0[cs]0[0-9]\.[A-Z0-9]{8,24}\.[A-Z0-9]{64}"),
    _provider("honeycomb_key", "hcaik_ hcamk_", r"hca[im]k_[a-z0-9]{50,64}"),
    _provider("posthog_key", "phx_", rf"phx_{_WORD}{{40,60}}"),
    # Talking and tickets
    _provider("slack_token", "xox", r"xox(?:[abeoprs]|e\.xox[bp])-[0-9][A-Za-z0-9-]{12,300}"),
    _provider("slack_app_token", "xapp-", r"xapp-[0-9]-[A-Z0-9]{5,20}-[0-9]{5,20}-[0-9a-f]{32,100}"),
    _provider("slack_webhook", "hooks.slack.com", r"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/_-]{20,120}"),
    _provider("discord_webhook", "/api/webhooks/", rf"discord(?:app)?\.com/api/webhooks/[0-9]{{17,20}}/{_BASE64URL}{{60,72}}"),
    _provider("teams_webhook", ".webhook.office.com", r"[a-z0-9-]{1,60}\.webhook\.office\.com/webhookb2/[A-Za-z0-9@/-]{60,250}"),
    _provider("telegram_bot_token", "AA", r"[0-9]{8,10}:AA[A-Za-z0-9_-]{32,33}(?![A-Za-z0-9_-])"),
    _provider("linear_key", "lin_api_ lin_oauth_", rf"lin_(?:api|oauth)_{_WORD}{{40,64}}"),
    _provider("notion_token", "ntn_ secret_", rf"(?:ntn_{_WORD}{{40,50}}|secret_{_WORD}{{43}})(?![A-Za-z0-9])"),
    _provider("airtable_token", "pat", rf"pat{_WORD}{{14}}\.[0-9a-f]{{64}}"),
    _provider("figma_token", "figd_", rf"figd_{_BASE64URL}{{40}}"),
    _provider("hubspot_token", "pat-na1- pat-na2- pat-eu1-", r"pat-(?:na|eu)[0-9]-[0-9a-f]{8}-[0-9a-f-]{27}"),
    _provider("intercom_token", "dG9rO", r"dG9rO[A-Za-z0-9+/]{50,60}={0,2}"),
    _provider("pagerduty_key", "u+", r"u\+[A-Za-z0-9_+-]{18}(?![A-Za-z0-9])"),
    # Mail
    _provider("sendgrid_key", "SG.", rf"SG\.{_BASE64URL}{{20,24}}\.{_BASE64URL}{{39,50}}"),
    _provider("mailgun_key", "key-", r"key-[0-9a-f]{32}(?![A-Za-z0-9])"),
    _provider("mailchimp_key", "-us", r"[0-9a-f]{32}-us[0-9]{1,2}(?![A-Za-z0-9])"),
    _provider("brevo_key", "xkeysib- xsmtpsib-", r"x(?:key|smtp)sib-[0-9a-f]{64}-[A-Za-z0-9]{16}"),
    _provider("resend_key", "re_", r"re_[A-Za-z0-9]{8}_[A-Za-z0-9]{20,30}(?![A-Za-z0-9])"),
    # Money and shops
    _provider("stripe_key", "sk_live_ sk_test_ rk_live_ rk_test_", rf"[sr]k_(?:live|test)_{_WORD}{{16,250}}"),
    _provider("stripe_webhook_secret", "whsec_", r"whsec_[A-Za-z0-9+/=]{24,100}"),
    _provider("square_token", "sq0atp- sq0csp- EAAA", rf"(?:sq0(?:atp|csp)-{_BASE64URL}{{22,60}}|EAAA{_BASE64URL}{{60}}(?![A-Za-z0-9_-]))"),
    _provider("shopify_token", "shpat_ shpca_ shppa_ shpss_", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    _provider("plaid_token", "access-", r"access-(?:sandbox|development|production)-[0-9a-f]{8}-[0-9a-f-]{27}"),
    _provider("twilio_key", "SK", r"SK[0-9a-f]{32}(?![A-Za-z0-9])"),
    _provider("facebook_token", "EAA", r"EAA[A-Za-z0-9]{90,300}"),
    # Any issuer's
    _provider("jwt", "eyJ", rf"eyJ{_BASE64URL}{{8,512}}\.eyJ{_BASE64URL}{{8,32768}}\.{_BASE64URL}{{0,2048}}"),
)  # fmt: skip


_LONG = 16  # characters; no known form has less without a break
_LONG_WORD = b"a" * _LONG
_HEX = b"0123456789abcdef-"
_LETTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
_UNBROKEN = _LETTERS | frozenset(b"_-.~+/")
_ALL_ALIKE = bytes(ord("a") if byte in _UNBROKEN else ord(" ") for byte in range(256))
_WORDS = bytes(byte if byte in _UNBROKEN else ord(" ") for byte in range(256))
_PIECES = bytes(byte if byte in _LETTERS else ord(" ") for byte in range(256))
_ANCHOR_PIECE = re.compile(r"[_.-]?([A-Za-z0-9]+)[_.-]")
# What may stick to the beginning of a token: the letter of an escaped line break, the digits of an escape in a URL.
_STUCK = ("", "n", "r", "t", *("20", "0A", "09", "22", "27", "2C", "2F", "3A", "3D", "5B", "60", "7B"))
_BASE64_ANCHORS = (b"eyJ", b"ewo", b"ewp", b"W3s", b"LS0tLS1CRUdJTi")  # {" {\n [{ -----BEGIN


def _by_piece() -> dict[bytes, list[Provider]]:
    found: dict[bytes, list[Provider]] = {}
    for provider in PROVIDERS:
        for piece in filter(None, map(_ANCHOR_PIECE.match, provider.anchors)):
            for stuck in _STUCK:
                found.setdefault(f"{stuck}{piece[1]}".encode(), []).append(provider)
    return found


_BY_PIECE = _by_piece()
_KNOWN_PIECES = frozenset(_BY_PIECE)
_BY_ANCHOR = [
    (anchor.encode(), provider)
    for provider in PROVIDERS
    for anchor in provider.anchors
    if not _ANCHOR_PIECE.match(anchor)
]


def has_long_word(text: str) -> bool:
    """Whether a text has a word that is long enough for a credential."""
    return _LONG_WORD in text.encode("utf-8", "replace").translate(_ALL_ALIKE)


def is_long_word(text: str) -> bool:
    """Whether a text is one word, and long enough for a credential."""
    encoded = text.encode("utf-8", "replace")
    return len(encoded) >= _LONG and _UNBROKEN.issuperset(encoded)


def long_words(text: str) -> bytes:
    """The words of a text that are long enough for a credential of a known form, or for base64. Ids and digests are left out.

    Nothing else is looked at by form: a hundred searches of a whole text would take longer than storing it.
    """
    encoded = text.encode("utf-8", "replace")
    if _LONG_WORD not in encoded.translate(_ALL_ALIKE):
        return b""
    return b" ".join([word for word in encoded.translate(_WORDS).split() if len(word) >= _LONG and word.strip(_HEX)])


def known_forms(text: str, words: bytes) -> list[Provider]:
    """The providers of whose tokens a text holds one, told the text's `long_words`.

    Most anchors end in a separator, and the pieces between separators are met with all of these at once.
    """
    found = [provider for anchor, provider in _BY_ANCHOR if anchor in words]
    pieces = words.translate(_PIECES).split()
    if not _KNOWN_PIECES.isdisjoint(pieces):
        found += [provider for piece in _KNOWN_PIECES.intersection(pieces) for provider in _BY_PIECE[piece]]
    if not found:
        return found
    return [provider for provider in sorted(set(found), key=PROVIDERS.index) if provider.pattern.search(text)]


def may_be_base64(words: bytes) -> bool:
    """Whether a text with these `long_words` could hold JSON or a key block in base64."""
    return any([anchor in words for anchor in _BASE64_ANCHORS])  # noqa: C419  faster than a generator here
