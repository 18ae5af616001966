"""Made-up credentials in the forms that their providers document, and what only looks like one.

A form is written with runs: `<36A>` is 36 letters and digits. They are drawn anew from a seed, so that no file of ours
holds anything that another scanner would take for a secret.
"""

import base64
import json
import random
import re
import string
from collections.abc import Callable, Iterator

_ALPHABETS = {
    "A": string.ascii_letters + string.digits,
    "b": string.ascii_letters + string.digits + "+/",
    "d": string.digits,
    "h": "0123456789abcdef",
    "L": string.ascii_uppercase + string.digits,
    "u": string.ascii_letters + string.digits + "_-",
    "x": string.ascii_uppercase + "234567",
    "z": string.ascii_lowercase + string.digits,
}
_RUN = re.compile(r"<(\d+)([A-Za-z])>")
_UUID = "<8h>-<4h>-4<3h>-a<3h>-<12h>"

FORMS: dict[str, tuple[str, ...]] = {
    "anthropic_key": ("sk-ant-api03-<93u>AA", "sk-ant-oat01-<93u>AA"),
    "openrouter_key": ("sk-or-v1-<64h>",),
    "langfuse_key": (f"sk-lf-{_UUID}",),
    "openai_key": ("sk-<20A>T3BlbkFJ<20A>", "sk-proj-<74u>T3BlbkFJ<74u>", "sk-svcacct-<74A>T3BlbkFJ<74A>"),
    "google_key": ("AIza<35u>",),
    "groq_key": ("gsk_<52A>",),
    "xai_key": ("xai-<80A>",),
    "perplexity_key": ("pplx-<48A>",),
    "huggingface_token": ("hf_<34A>", "api_org_<34A>"),
    "replicate_token": ("r8_<37A>",),
    "nvidia_key": ("nvapi-<64u>",),
    "cerebras_key": ("csk-<48z>",),
    "fireworks_key": ("fw_3Z<22A>",),
    "tavily_key": ("tvly-dev-<32A>", "tvly-<32A>"),
    "langsmith_key": ("lsv2_pt_<32h>_<10h>",),
    "logfire_token": ("pylf_v1_eu_<44A>",),
    "github_token": ("ghp_<36A>", "gho_<36A>", "ghu_<36A>", "ghs_<36A>", "ghr_<76A>", "github_pat_<22A>_<59A>"),
    "gitlab_token": ("glpat-<20u>", "gldt-<20u>", "glrt-t1_<20u>", "glptt-<40h>", "glcbt-1a_<20u>", "glpat-<27u>.01.<9z>"),
    "bitbucket_token": ("ATBB<32A>", "ATCTT3xFfG<171u>=<8L>"),
    "atlassian_token": ("ATATT3xFfGF0<175u>=<8L>",),
    "npm_token": ("npm_<36A>",),
    "pypi_token": ("pypi-AgEIcHlwaS5vcmc<150u>",),
    "rubygems_key": ("rubygems_<48h>",),
    "docker_token": ("dckr_pat_<27u>", "dckr_oat_<32u>"),
    "circleci_token": ("CCIPAT_<22A>_<40h>",),
    "buildkite_token": ("bkua_<40h>",),
    "postman_key": ("PMAK-<24h>-<34h>",),
    "sonar_token": ("sqp_<40h>", "squ_<40h>", "sqa_<40h>"),
    "aws_key_id": ("AKIA<16x>", "ASIA<16x>"),
    "google_oauth_token": ("ya29.a0<160u>", "GOCSPX-<28u>", "1//0g<60u>"),
    "azure_client_secret": ("<3A>8Q~<34A>",),
    "digitalocean_token": ("dop_v1_<64h>", "doo_v1_<64h>", "dor_v1_<64h>"),
    "fly_token": ("fo1_<43u>", "fm2_<120A>"),
    "heroku_key": ("HRKU-AA<58u>",),
    "netlify_token": ("nfp_<36A>",),
    "supabase_token": ("sbp_<40h>", "sb_secret_<31u>"),
    "planetscale_token": ("pscale_tkn_<43u>", "pscale_pw_<43u>"),
    "databricks_token": ("dapi<32h>", "dapi<32h>-2"),
    "vault_token": ("hvs.<95u>", "hvb.<150u>"),
    "terraform_token": ("<14A>.atlasv1.<67u>",),
    "doppler_token": ("dp.pt.<43A>", "dp.st.prod.<43A>"),
    "1password_token": ("ops_eyJ<250A>",),
    "pulumi_token": ("pul-<40h>",),
    "tailscale_key": ("tskey-auth-<16A>-<32A>",),
    "openshift_token": ("sha256~<43u>",),
    "age_key": ("AGE-SECRET-KEY-1<58L>",),
    "confluent_key": ("cflt<60b>",),
    "prefect_key": ("pnu_<36A>",),
    "grafana_token": ("glsa_<32A>_<8h>", "glc_<120b>="),
    "sentry_token": ("sntrys_eyJ<180A>", "sntryu_<64h>"),
    "newrelic_key": ("NRAK-<27L>", "NRII-<32u>"),
    "dynatrace_token": ("dt0c01.<24L>.<64L>",),
    "honeycomb_key": ("hcaik_<58z>",),
    "posthog_key": ("phx_<43A>",),
    "slack_token": ("xoxb-<12d>-<13d>-<24A>", "xoxp-<12d>-<12d>-<13d>-<32h>", "xoxe-1-<146A>"),
    "slack_app_token": ("xapp-1-A<10L>-<13d>-<64h>",),
    "slack_webhook": ("https://hooks.slack.com/services/T<10L>/B<10L>/<24A>",),
    "discord_webhook": ("https://discord.com/api/webhooks/<18d>/<68u>",),
    "teams_webhook": (f"https://acme.webhook.office.com/webhookb2/{_UUID}@{_UUID}/IncomingWebhook/<32h>/{_UUID}",),
    "telegram_bot_token": ("<10d>:AA<33u>",),
    "linear_key": ("lin_api_<40A>",),
    "notion_token": ("ntn_<46A>", "secret_<43A>"),
    "airtable_token": ("pat<14A>.<64h>",),
    "figma_token": ("figd_<40u>",),
    "hubspot_token": (f"pat-na1-{_UUID}",),
    "intercom_token": ("dG9rO<54b>=",),
    "pagerduty_key": ("u+<18A>",),
    "sendgrid_key": ("SG.<22u>.<43u>",),
    "mailgun_key": ("key-<32h>",),
    "mailchimp_key": ("<32h>-us14",),
    "brevo_key": ("xkeysib-<64h>-<16A>",),
    "resend_key": ("re_<8A>_<24A>",),
    "stripe_key": ("sk_live_<24A>", "sk_test_<99A>", "rk_live_<24A>"),
    "stripe_webhook_secret": ("whsec_<32A>",),
    "square_token": ("sq0atp-<22u>", "sq0csp-<43u>", "EAAA<60u>"),
    "shopify_token": ("shpat_<32h>", "shpss_<32h>"),
    "plaid_token": (f"access-sandbox-{_UUID}",),
    "twilio_key": ("SK<32h>",),
    "facebook_token": ("EAAG<150A>",),
    "jwt": ("eyJ<33A>.eyJ<120u>.<43u>",),
}  # fmt: skip


def drawn(form: str, seed: int) -> str:
    """A credential of a form. The last character of a run is a letter or digit, and each run has a digit: ends and
    rare draws are other tests' matter."""
    source = random.Random(f"{form}{seed}")

    def run(found: re.Match[str]) -> str:
        chars = [source.choice(_ALPHABETS[found[2]]) for _ in range(int(found[1]))]
        chars[0] = source.choice([char for char in _ALPHABETS[found[2]] if char.isalnum()])
        chars[-1] = source.choice([char for char in _ALPHABETS[found[2]] if char.isalnum()])
        chars[len(chars) // 2] = "7"
        return "".join(chars)

    return _RUN.sub(run, form)


def credentials(seed: int = 0) -> Iterator[tuple[str, str]]:
    """Each form's detector and a credential."""
    for detector, forms in FORMS.items():
        for form in forms:
            yield detector, drawn(form, seed)


def _nested_json(secret: str) -> str:
    return json.dumps({"tool": json.dumps({"result": json.dumps({"text": f"using {secret} now"})})})


# Where a credential turns up. Each takes it and gives a text that holds it.
AROUND: dict[str, Callable[[str], str]] = {
    "alone": lambda secret: secret,
    "in a sentence": lambda secret: f"The call with {secret} was refused.",
    "at the end": lambda secret: f"refused: {secret}",
    "a JSON value": lambda secret: json.dumps({"value": secret, "page": 2}),
    "JSON in JSON in JSON": _nested_json,
    "a list": lambda secret: json.dumps(["curl", "-d", secret]),
    "a Python repr": lambda secret: f"call(name='lookup', credentials_in={secret!r}, page=2)",
    "a query": lambda secret: f"GET https://example.org/v1?page=2&k={secret}&z=1",
    "a header": lambda secret: f"X-Custom: {secret}\r\nAccept: */*",
    "an environment": lambda secret: f"export SERVICE_URL={secret}\nexport B=1",
    "YAML": lambda secret: f"service:\n  value: {secret}\n  page: 2\n",
    "XML": lambda secret: f"<value>{secret}</value>",
    "Markdown": lambda secret: f"Use `{secret}` (**{secret}**).",
    "a traceback": lambda secret: (
        f"Traceback (most recent call last):\n  File \"a.py\", line 3\nValueError: bad value '{secret}'"
    ),
    "base64 of JSON": lambda secret: "body " + base64.b64encode(json.dumps({"value": secret}).encode()).decode(),
    "other scripts": lambda secret: f"鍵は「{secret}」です。",
}

# What names and places tell, with a password that has no form of its own.
PASSWORD = "correct-horse-7-battery"
TOLD_BY_PLACE = (
    f"password={PASSWORD}", f"PASSWORD: {PASSWORD}", f"db_password='{PASSWORD} with blanks'", f'{{"password": "{PASSWORD}"}}',
    f"connect(host='db', password='{PASSWORD}', port=5432)", f"passphrase => \"{PASSWORD}\"", f"--password={PASSWORD}",
    f"https://example.org/login?user=dana&password={PASSWORD}", f"PGPASSWORD={PASSWORD} psql", f"apiKey: {PASSWORD}",
    json.dumps(json.dumps({"password": PASSWORD})), json.dumps(json.dumps(json.dumps({"client_secret": PASSWORD}))),
    json.dumps({"headers": [["Authorization", f"Bearer {PASSWORD}"]]}), json.dumps({"headers": [["X-Api-Key", PASSWORD]]}),
    json.dumps({"headers": [{"name": "X-Api-Key", "value": PASSWORD}]}), json.dumps({"env": {"SECRET_KEY": PASSWORD}}),
    json.dumps({"argv": ["tool", "--password", PASSWORD, "run"]}), json.dumps({"body": json.dumps({"pwd": PASSWORD})}),
    f"postgres://console:{PASSWORD}@db.example.org:5432/console", f"redis://:{PASSWORD}@cache:6379/0",
    f"amqps://user:{PASSWORD}@queue.example.org/vhost", f"fetch https://dana:{PASSWORD}@git.example.org/x.git failed",
    f"Endpoint=x;AccountKey={PASSWORD}==;Suffix=y", f"https://a.blob.example.org/c?se=2026&sig={'k' * 30}{PASSWORD.replace('-', 'A')}%3D",
    f"Authorization: Bearer {PASSWORD}", f"authorization: token {PASSWORD}", f"{{'Authorization': 'ApiKey {PASSWORD}'}}",
    f"Proxy-Authorization: Basic {base64.b64encode(f'dana:{PASSWORD}'.encode()).decode()}",
    f"sent Basic {base64.b64encode(f'dana:{PASSWORD}'.encode()).decode()} instead",
    f"Cookie: theme=dark; sessionid={PASSWORD}; csrftoken=abc", f"Set-Cookie: sid={PASSWORD}; HttpOnly; Path=/",
    "body=" + base64.b64encode(json.dumps({"password": PASSWORD}).encode()).decode(),
    "cfg: " + base64.b64encode(json.dumps({"auths": {"x": {"password": PASSWORD}}}, indent=1).encode()).decode(),
)  # fmt: skip


def encoded(text: str) -> str:
    """Its base64, under which a secret may hide in what is left."""
    return base64.b64encode(text.encode()).decode()


_LOOK_ALIKE_FORMS = (
    _UUID, "request_id=<8h>-<4h>-7<3h>-8<3h>-<12h>", "req_01<24z>", "01<24L>", "trace_id: <32h>", "span_id=<16h>",
    "traceparent: 00-<32h>-<16h>-01", "sha256:<64h>", "commit <40h>", "etag: W/\"<32h>\"", "digest=<64h>",
    "image@sha256:<64h>", "checkout-7d9f8b6c5-x7k2p", "arn:aws:iam::123456789012:role/deployer",
    "chatcmpl-<29A>", "call_<24A>", "toolu_01<22A>", "msg_01<22A>", "resp_<48h>", "run_<24A>", "asst_<24A>", "thread_<24A>",
    "pi_<24A>", "ch_<24A>", "cus_<14A>", "evt_<24A>", "pk_live_<24A>", "pk_test_<24A>", "req-7f3a91", "sess-42",
    "U<10L>", "C<10L>", "T<10L>", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA<44b> dana@laptop",
    "-----BEGIN CERTIFICATE-----\nMII<300b>\n-----END CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----\nMII<120b>\n-----END PUBLIC KEY-----", "data:image/png;base64,iVBORw0KGgo<400b>",
    "data:image/jpeg;base64,/9j/4AAQSkZJRg<400b>", "R0lGODlh<200b>", "JVBERi0xLjQK<200b>", "UEsDBBQA<200b>",
    "idempotency_key=<32h>", "primary_key: 4711", "cache_key=orders:<16h>", "partition_key=<8h>", "sort_key: 2026-11-25",
    "nextPageToken: <40A>", "continuation_token=<60A>", "eos_token: </s>", "max_tokens=4096", "input_tokens: 1200",
    "public_key=ssh-rsa", "key: ROUTER_DECISION", "token=ROUTER_DECISION", "the token bucket is empty",
    "the password is wrong", "password: null", "password=${DB_PASSWORD}", "password: {{ vault.db }}", "secret=<redacted>",
    "password=********", "api_key: os.environ['API_KEY']", "bearer authentication failed", "basic authentication is off",
    "Basic training starts at nine", "Authorization failed for dana", "authorization required", "risk-assessment-for-checkout-2026-11",
    "task-runner-with-a-very-long-name-0001", "sk-learn-pipeline-version-1-2-3-final", "https://example.org/a/b?page=2",
    "https://example.org:8443/path@2x.png", "mail dana@example.org", "git@github.com:acme/console.git",
    "s3://bucket/2026/11/25/<32h>.parquet", "/var/lib/kubelet/pods/" + _UUID + "/volumes", "10.0.0.1:5432", "2026-11-25T02:14:07.123456Z",
    "SG.EU", "hf_transfer", "npm_config_registry", "re_compile_pattern", "fw_version", "key-value", "u+200B", "pat", "EAAA",
    "E=mc2", "xoxo-hugs-and-kisses", "AKIA", "JIRA-4711", "AGE-GROUP", "eyJ", "dp.pt", "w3schools", "v1.0-rc1", "SKU<8d>",
    "order A-1009 of 2 × €17.50", "select * from keys where id = 3", "otp: sent by text", "cookie banner: accepted",
    "<64h>", "<40h>", "<32h>", "<128h>", "<400b>==", "<120u>",
)  # fmt: skip


def look_alikes(seed: int = 0) -> Iterator[str]:
    """Texts in which nothing may be redacted: ids, digests, images, names and prose."""
    for form in _LOOK_ALIKE_FORMS:
        yield drawn(form, seed)
