"""Secrets that say themselves what they are, by how those who issue them write them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from greyhub.secret_values import decoded

FORMATS: Final = {
    "1Password": r"ops_eyJ[\w+/=-]{40,} | A3-[A-Z0-9]{6}(?:-[A-Z0-9]{5,11}){4,5}",
    "Adobe, Airtable, age": r"p8e-\w{32} | pat\w{14}\.[0-9a-f]{64} "
    r"| AGE-SECRET-KEY-1[0-9A-Z]{50,}",
    "Alibaba": r"LTAI[A-Za-z0-9]{12,30}[\s:,]+([A-Za-z0-9]{30})",
    "Anaconda": r"t/([a-z]{2}-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})",
    "Anthropic, DeepSeek, OpenAI, OpenRouter": r"sk-[\w-]{20,} | sess-[A-Za-z0-9]{40}",
    "Artifactory": r"AKCp[A-Za-z0-9]{10,} | cmVmd[A-Za-z0-9]{59}",
    "Atlassian": r"AT[AC]TT3[\w=-]{60,} | ATBB[A-Za-z0-9]{28,}",
    "AWS Bedrock": r"ABSK[A-Za-z0-9+/]{60,} | bedrock-api-key-[\w+/=]{20,}",
    "Azure": r"[\w.~]{3}\dQ~[\w.~-]{31,34} | [A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}",
    "Buildkite, Fly": r"bkua_[0-9a-f]{40} | fo1_[\w-]{40,} | fm[12]\w?_[\w+/=]{60,}",
    "Cloudflare, Contentful": r"v1\.0-[0-9a-f]{24}-[0-9a-f]{100,} | CFPAT-[\w-]{43}",
    "Databricks": r"(?:dapi|dkea|dose)[0-9a-f]{32}(?:-\d)?",
    "DigitalOcean": r"do[opr]_v1_[0-9a-f]{64}",
    "Discord": r"discord(?:app)?\.com/api/webhooks/\d+/([\w-]{40,}) "
    r"| [MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,}",
    "Docker, Doppler": r"dckr_[po]at_[\w-]{20,} | dp\.(?:pt|st|ct|sa|scim|audit)\.[\w.-]{40,}",
    "Duffel, Dynatrace, EasyPost": r"duffel_(?:test|live)_[\w=-]{43} "
    r"| dt0[a-z]\d\d\.[A-Z0-9]{24}\.[A-Z0-9]{64} | EZ[AT]K[A-Za-z0-9]{54}",
    "Facebook, Figma, Frame.io": r"EAA[A-Za-z0-9]{80,} | fig[dou]_[\w-]{40,} | fio-u-[\w=-]{64}",
    "GitHub": r"gh[oprsu]_\w{30,} | github_pat_\w{30,}",
    "GitLab": r"gl(?:pat|dt|rt|ptt|ft|soat|agent|cbt|imt|ffct|oas|wt)-[\w.-]{20,} "
    r"| GR1348941[\w-]{20}",
    "Google": r"AIza[\w-]{35} | ya29\.[\w-]{20,} | GOCSPX-[\w-]{20,} | 1//0[\w-]{40,}",
    "Grafana": r"glsa_\w{32}_[0-9a-fA-F]{8} | glc_[\w+/=]{32,} | eyJrIjoi[\w+/=]{60,}",
    "Groq, Perplexity, Replicate, xAI": r"gsk_\w{40,} | pplx-\w{40,} | r8_\w{37} | xai-\w{60,}",
    "Harness": r"[ps]at\.[\w-]{22}\.[0-9A-Za-z]{24}\.[0-9A-Za-z]{20}",
    "HashiCorp": r"hv[sbr]\.[\w-]{24,} | s\.[A-Za-z0-9]{24}\b | \w{14}\.atlasv1\.[\w=-]{60,}",
    "Heroku, HubSpot": r"HRKU-[\w-]{30,} | pat-(?:na|eu)\d-[0-9a-f-]{36}",
    "Hugging Face": r"hf_(?:[A-Za-z]{30,}|[A-Za-z0-9]{34}) | api_org_[A-Za-z0-9]{34}",
    "JSON web tokens": r"(?<!-)eyJ[\w-]{10,}\.eyJ[\w-]+\.[\w-]+",
    "LangChain, LlamaCloud, Tavily": r"ls(?:v2_(?:pt|sk)|__)_?[0-9a-f]{32}(?:_[0-9a-f]{10})? "
    r"| llx-\w{40,} | tvly-[\w-]{20,}",
    "Linear, MaxMind": r"lin_(?:api|oauth)_\w{40,} | \w{6}_\w{29}_mmk\b",
    "Mailchimp, Mailgun, Brevo": r"[0-9a-f]{32}-us\d{1,2}\b | key-[0-9a-f]{32}\b "
    r"| xkeysib-[0-9a-f]{64}-\w{16}",
    "Microsoft Teams": r"webhook\.office\.com/webhookb2/([\w@-]+/IncomingWebhook/[\w/-]{32,})",
    "Neon, PlanetScale, Supabase": r"napi_\w{40,} | pscale_(?:tkn|pw|oauth)_[\w=.-]{32,} "
    r"| sbp_[0-9a-f]{40} | sb_secret_[\w-]{20,}",
    "Netlify, New Relic, ngrok": r"nfp_\w{36} | NRAK-[A-Z0-9]{27} | NRII-[\w-]{32} "
    r"| ngrok_api_\w{20,}",
    "Notion, NVIDIA": r"ntn_[A-Za-z0-9]{40,} | secret_[A-Za-z0-9]{43} | nvapi-[\w-]{40,}",
    "npm, PyPI, RubyGems, crates.io, NuGet": r"npm_\w{36} | pypi-[\w-]{50,} "
    r"| rubygems_[0-9a-f]{48} | cio\w{32}\b | oy2[a-z0-9]{43}",
    "Octopus, OpenShift": r"API-[A-Z0-9]{26}\b | sha256~[\w-]{43}",
    "Pinecone, Postman, Prefect, Pulumi": r"pcsk_\w{40,} | PMAK-[0-9a-f]{24}-[0-9a-f]{34} "
    r"| pn[ub]_[A-Za-z0-9]{36} | pul-[0-9a-f]{40}",
    "ReadMe, Scalingo": r"rdme_[a-z0-9]{70} | tk-us-[\w-]{48}",
    "SendGrid, Sentry": r"SG\.[\w-]{16,32}\.[\w-]{16,64} | sntry[su]_[\w+/=]{40,}",
    "Shippo, Shopify": r"shippo_(?:live|test)_[0-9a-f]{40} | shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}",
    "Slack": r"xox[a-z](?:\.xox[a-z])?-[\w-]{10,} | xapp-\d-[\w-]{20,} "
    r"| hooks\.slack\.com/(?:services|workflows|triggers)/([\w/]{20,})",
    "SonarQube, Sourcegraph": r"sq[pua]_[0-9a-f]{40} | sgp_(?:[0-9a-z]{5,16}_)?[0-9a-f]{40}",
    "Square, Stripe": r"EAAA[\w-]{60} | sq0[a-z]{3}-[\w-]{22,43} "
    r"| [rs]k_(?:live|test|prod)_\w{10,} | whsec_[\w+/=]{20,}",
    "Tailscale, Telegram": r"tskey-[a-z]+-[\w-]{10,} | \d{8,10}:AA[\w-]{30,}",
    "Twilio, Typeform": r"SK[0-9a-f]{32}\b | tfp_[\w.-]{50,}",
    "Vercel, Weights & Biases": r"vc[pkiar]_\w{24,} | wandb_v1_\w{30,}",
    "Yandex": r"t1\.[\w-]+=*\.[\w-]{86}=* | y[0-3]_[\w-]{55} | AQVN[\w-]{35,38}",
    "hashes of passwords": r"\$(?:argon2(?:id?|d)|2[abxy]|[1567y]|scrypt|pbkdf2-sha\d+|apr1)"
    r"\$[\w./+=,$-]{16,}",
}
"""Patterns by who issues what they match; a group is the secret part of one."""

_TOKEN = re.compile(
    r"(?x)(?<![A-Za-z0-9_]) (?: %s )" % " | ".join(FORMATS.values())  # noqa: UP031
)

_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY.*?(?:-----END [A-Z0-9 ]*-----|\Z)"
    r"|PuTTY-User-Key-File-\d.*\Z",
    re.DOTALL,
)
_ENCODED_KEY = re.compile(r"LS0tLS1CRUdJTi[A-Za-z0-9+/=]+")

_AMAZON = re.compile(
    r"(?<![A-Z0-9])A(?:KIA|SIA)[A-Z0-9]{12,16}[\s:,;|/]+([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])"
)
"""The identifier of a key, and the key."""


def tokens(text: str) -> Iterator[tuple[int, int]]:
    """Where the secrets are in a text that can be told by their format alone."""
    for pattern in (_TOKEN, _PRIVATE_KEY, _AMAZON):
        for found in pattern.finditer(text):
            yield found.span(found.lastindex or 0)
    for found in _ENCODED_KEY.finditer(text):
        start = found[0][:64]
        if "PRIVATE KEY" in decoded(start[: len(start) // 4 * 4]):
            yield found.span()
