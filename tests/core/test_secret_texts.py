"""Secrets inside of texts, in whatever format; and texts that only look as if they held one."""

from __future__ import annotations

import time
from base64 import b64encode

import pytest

from greyhub.masking import MASK, masked
from greyhub.secret_texts import hidden, holds_secret

DOCKER = b64encode(b"ada:canary").decode()
PEM = "-----BEGIN PRIVATE KEY-----"
CHANNEL = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

HELD = {
    "a URL's token in its query": "https://api.example.org/x?access_token=canary4711",
    "a URL's key in its query": "https://api.example.org/x?limit=3&apikey=canary4711",
    "a signature of Google's": "https://storage.example.org/b/x?X-Goog-Signature=canary",
    "a signature of CloudFront's": "https://d1.example.net/x?Expires=1&Signature=canary&Key-Pair-Id=K1",
    "a signature of Azure's by itself": "?sv=2022-11-02&ss=b&sig=canary%3D",
    "a token as the login of a URL": "https://canary-token4711abcdefgh@github.com/x/y.git",
    "a token beside a word": "https://canary-token4711abcdefgh:x-oauth-basic@github.com/x/y.git",
    "a token in a fragment": "https://hub.example.org/cb#access_token=canary4711&state=1",
    "a flag and its value": "start --token canary",
    "a flag after a program": "docker login -u ada --password canary registry.example.org",
    "a login of curl's": "curl -u ada:canary4711 https://example.org",
    "a login of curl's, quoted": "curl --user 'ada:canary 4711' https://example.org",
    "a password that is joined to its flag": "mysql -u root -pcanary4711",
    "a password after its flag": "sshpass -p canary ssh example.org",
    "a password of LDAP's": "ldapsearch -x -D cn=admin -w canary -b dc=example",
    "a shell in a shell": """bash -c "mysql -u root -pcanary < /x.sql" """,
    "a password from the input": "echo canary | docker login --username ada --password-stdin",
    "a setting by a command": "aws configure set aws_secret_access_key canary",
    "a variable with spaces": "export FOO_TOKEN='canary 4711'; exec start",
    "options of a mount": "mount -t cifs //x/y /z -o username=ada,password=canary,uid=5",
    "a password with a comma": "PASSWORD=canary,canary start",
    "YAML": "user: ada\npassword: canary\n",
    "YAML of one line": "password: canary",
    "YAML with levels": "users:\n- name: x\n  user:\n    token: canary4711\n",
    "YAML in flow": "{user: ada, password: canary}",
    "YAML with escapes": 'user: ada\npassword: "can\\u0061ry canary"\n',
    "YAML with a block": "user: ada\nsecret: |\n  canary\n  canary\nnext: 1\n",
    "YAML of Kubernetes": "env:\n- name: DB_PASSWORD\n  value: canary\n",
    "INI": "[default]\naws_access_key_id = AKIA\naws_secret_access_key = canary\n",
    "INI with spaces": "[db]\nuser = ada\npassword = canary and canary ; for the hub\n",
    "a file of variables": "DB_HOST=db\nexport DB_PASSWORD=canary\n",
    "TOML": '[server]\nport = 1\napi_key = "canary"\n',
    "XML": "<server><username>ada</username><password>canary</password></server>",
    "JSON": '{"auths": {"example.org": {"username": "ada", "password": "canary"}}}',
    "JSON of Kubernetes": '{"env": [{"name": "DB_PASSWORD", "value": "canary"}]}',
    "JSON with a command": '{"cmd": "curl -u ada:canary https://example.org"}',
    "JSON with escapes": '{"cmd": "curl -H \\"X-Auth-Token: canary4711\\""}',
    "JSON in JSON": '{"inner": "{\\"password\\": \\"canary\\"}"}',
    "JSON of a login": '{"auths": {"registry.example.org": {"auth": "' + DOCKER + '"}}}',
    "JSON with a key": '{"private_key_id": "x", "private_key": "' + PEM + '\\ncanary"}',
    "a header with a scheme": "Authorization: token canary47114711",
    "a header with another": "Authorization: ApiKey canary47114711",
    "a header of a command": "curl -H 'Authorization: Bot canary4711' https://example.org",
    "cookies": "Cookie: theme=dark-canary; session=canary47114711",
    "netrc": "machine example.org login ada password canary",
    "pgpass": "db:5432:*:ada:canary",
    "a key with its identifier": f"AKIAIOSFODNN7EXAMPLE:{KEY}",
    "a key after its identifier": f"AKIAIOSFODNN7EXAMPLE {KEY}",
    "a private key": f"{PEM}\ncanary\n-----END PRIVATE KEY-----",
    "a private key in base64": b64encode(f"{PEM}\nMIIcanary".encode()).decode(),
    "JSON in base64": b64encode(b'{"user": "ada", "password": "canary"}').decode(),
    "a connection": "Server=tcp:x.example.net;User ID=ada;Password=canary;Encrypt=true",
    "a connection of PostgreSQL's": "host=db user=hub password='canary 4711' dbname=hub",
    "attributes": '<add key="ClearTextPassword" value="canary4711" />',
    "SQL": "CREATE USER 'hub'@'%' IDENTIFIED BY 'canary';",
    "SQL of PostgreSQL": "ALTER USER hub WITH PASSWORD 'canary';",
    "a pair in a flag": "kubectl create secret generic db --from-literal=password=canary",
    "a pair among others": "helm install x chart --set auth.username=ada,auth.password=canary",
    "the last word": "htpasswd -bc /etc/nginx/htpasswd ada canary",
    "the last word of another": "rabbitmqctl add_user ada canary",
    "a flag with a slash": "xfreerdp /u:ada /p:canary /v:host",
    "PowerShell": '$env:API_TOKEN = "canary"; Start-Process x',
    "a Dockerfile": "FROM x\nENV API_TOKEN canary4711\n",
    "lines of words": "uri ldap://example.org\nbindpw canary\n",
    "braces": 'network={\n  ssid="x"\n  psk="canary"\n}',
    "a connection in a URL": "mssql+pyodbc:///?odbc_connect=UID%3Dada%3BPWD%3Dcanary",
    "a connection of Airflow's": "aws://AKIA:canary%2FK7MDENG@/?region_name=eu-west-1",
    "headers in a variable": "api-key=canary4711,Accept=text/plain",
    "a place of credentials": 'credentials "app.example.org" {\n  token = "canary"\n}',
    "a login for a program": "echo 'ada:canary' | chpasswd",
    "a channel of conda's": f"https://conda.example.org/t/ca-{CHANNEL}/main",
    "secrets by their clients": '{"oauth": {"client_secrets": ["canary4711"]}}',
    "several URLs": "https://elastic:canary@es:9200,https://elastic:canary@es2:9200",
    "a URL in a URL": "https://example.org/pull?repo=https%3A%2F%2Fada%3Acanary4711%40example.org%2Fx",
    "a line for a program": "kinit ada <<< canary",
    "a word of a program": "nmcli dev wifi connect eduroam password canary",
    "a password of openssl's": "openssl pkcs12 -export -passout pass:canary -in x",
    "a hash of Jupyter's": "jupyter server --ServerApp.password=sha1:canary:canarycanary",
    "a property of Java's": "java -Djavax.net.ssl.keyStorePassword=canary -jar x.jar",
    "a sentence": "Using API key: canary4711canary4711",
    "another sentence": "The password is canary4711!",
    "JDBC": "jdbc:postgresql://db/x?user=ada&password=canary",
}

ISSUED = """
AGE-SECRET-KEY-1:U58 AIza:m35 AKCp:m69 ATATT3:m80 EAAA:m60 GOCSPX-:m28 GR1348941:m20 HRKU-AA:m58
NRAK-:U27 PMAK-0123456789abcdef01234567-:h34 SG.abcdefghij0123456789ab.:m43 SK:h32 bkua_:h40
cio:m32 dapi:h32 dckr_pat_:m27 dop_v1_:h64 dp.pt.:m43 figd_:m43 fo1_:m43 ghp_:m36 github_pat_:m82
glc_:m40 glpat-:m20 glsa_0123456789abcdef0123456789abcdef_:h8 gsk_:m52 hf_:m34 hvb.:m40 hvs.:m40
key-:h32 lin_api_:m40 llx-:m48 lsv2_pt_:h32 napi_:m64 nfp_:m36 npm_:m36 ntn_:m46 nvapi-:m64
oy2:l43 p8e-:m32 pcsk_:m60 pnu_:m36 pplx-:m48 pscale_tkn_:m43 pul-:h40 pypi-AgEIcHlwaS5vcmc:m60
r8_:m37 rdme_:l70 rk_live_:m24 rubygems_:h48 sbp_:h40 sgp_:h40 sha256~:m43 shpat_:h32 sk-:m48
sk-ant-api03-:m93 sk_live_:m24 sk_test_:m24 sntryu_:h64 sq0atp-:m22 squ_:h40 tfp_:m59
tskey-auth-:m30 whsec_:m32 xai-:m80 xapp-1-:m40 xkeysib-:x81 xoxb-:m40 ya29.:m60
123456789:AA:m33
"""

OPEN = {
    "a reference to Vault": ("DB_PASSWORD", "vault:secret/data/db#password"),
    "a reference to 1Password": ("DB_PASSWORD", "op://vault/item/password"),
    "a reference to AWS": ("DB_PASSWORD", "arn:aws:secretsmanager:eu-west-1:1:secret:db-AbCdEf"),
    "a reference to Google": ("DB_PASSWORD", "projects/x/secrets/db/versions/latest"),
    "a reference to Azure": ("DB_SECRET", "https://x.vault.azure.net/secrets/db/0123456789abcdef"),
    "a reference in App Service": ("DB_PASSWORD", "@Microsoft.KeyVault(VaultName=x;SecretName=y)"),
    "a reference by a word": ("DB_PASSWORD", "secret:db"),
    "what SOPS has encrypted": ("DB_PASSWORD", "ENC[AES256_GCM,data:p673w==,iv:x,tag:y,type:str]"),
    "a key's identifier": ("KMS_KEY", "5f0e1c2d-3b4a-4c5d-8e6f-7a8b9c0d1e2f"),
    "a key's name at AWS": ("ENCRYPTION_KEY", "arn:aws:kms:eu-west-1:1:key/5f0e1c2d-3b4a"),
    "a key's name at Google": ("encryption_key", "projects/p/locations/l/keyRings/r/cryptoKeys/k"),
    "the end of a sequence": ("EOS_TOKEN", "</s>"),
    "the end of a text": ("eos_token", "<|endoftext|>"),
    "a mark of a model": ("sep_token", "[SEP]"),
    "a mark of a model by its name": ("pad_token", "PADDING1"),
    "a kind of credential": ("AZURE_CREDENTIAL", "managed-identity"),
    "another kind of credential": ("GOOGLE_CREDENTIALS", "application_default"),
    "an OpenPGP fingerprint": ("GPG_KEY", "A035C8C19219BA821ECEA86B64E628F8D684696D"),
    "a public key": ("DEPLOY_KEY", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0123456789abcdefghij"),
    "what a shell runs": ("cmd", "export TOKEN=$(cat /run/secrets/x)"),
    "what a shell runs otherwise": ("cmd", "PASSWORD=`cat /x` start"),
    "a variable": ("cmd", 'TOKEN="$JUPYTERHUB_API_TOKEN" exec x'),
    "a login with a variable": ("cmd", 'curl -u "ada:$PASSWORD" https://example.org'),
    "a port": ("cmd", "docker run -p 8000:8000 image"),
    "a port of a client": ("cmd", "psql -h db -p 5432 -U ada"),
    "a folder": ("cmd", "mkdir -p /srv/data4711"),
    "a place for a password": ("help", "Use --password=PASSWORD"),
    "a place for a token": ("help", "use --token YOUR_TOKEN"),
    "a place by dots": ("help", "set API_KEY=... in your shell"),
    "a place in a URL": ("help", "https://example.org/login?token=<your token>"),
    "a sentence with a sign": ("motd", "password=your university password"),
    "a sentence with a colon": ("motd", "Token: ask the help desk"),
    "a word with a colon": ("motd", "Password: required"),
    "the word basic": ("text", "Basic training12"),
    "the word bearer": ("text", "bearer tokens2023"),
    "the word signature": ("mail_signature", "Kind regards"),
    "a number of rounds": ("n_pass", "2"),
    "a pass of a renderer": ("RENDER_PASS", "depth"),
    "a secret's name": ("secret", "db-credentials"),
    "a kind of answer": ("url", "https://example.org/authorize?response_type=token&scope=x"),
    "an address in an address": ("url", "https://example.org/login?next=/token"),
    "a container at Azure": ("url", "abfss://container0123456789@account.dfs.core.windows.net/x"),
    "a client's address for reports": ("DSN", f"https://{'0a' * 16}@o1.ingest.sentry.io/2"),
    "YAML without a secret": (
        "yaml",
        "token_url: https://example.org/token\npassword_file: /run/x\n",
    ),
    "JSON with references": ("json", '{"password": "${PASSWORD}", "token": {"name": "db"}}'),
    "lines of passwd": (
        "accounts",
        "root:x:0:0:root:/root:/bin/bash\nada:x:1000:1000::/home/ada:/bin/sh",
    ),
    "the name of a field": (
        "eso",
        "data:\n- secretKey: password\n  remoteRef:\n    property: password",
    ),
    "what is sealed": (
        "yaml",
        "kind: SealedSecret\nencryptedData:\n  password: AgBy3i4OJSWK9rO43c\n",
    ),
    "a tag of YAML's": ("yaml", "MasterUserPassword: !Ref DBPassword\nport: 1\n"),
    "a class": ("conf", "fs.s3a.aws.credentials.provider=org.apache.hadoop.fs.s3a.SimpleProvider"),
    "the name of an option": ("cmd", "pulumi config set --secret dbPassword"),
    "code": ("code", "password = os.environ['DB_PASSWORD']\ntoken = get_token(session.token)"),
    "a regular expression": ("PASSWORD_REGEX", r"^(?=.*\d)[A-Za-z]{8,}$"),
    "a file by its option": ("cmd", "mysql --defaults-extra-file=/run/my.cnf -p -u root"),
    "an empty token": ("cmd", "jupyter lab --ServerApp.token='' --ServerApp.password=''"),
    "a schema": ("json", '{"properties": {"password": {"type": "string", "minLength": 8}}}'),
    "HTML": ("html", '<input type="password" name="password" placeholder="Password"> Token: here'),
    "names of headers": ("CORS", "Access-Control-Allow-Headers: Authorization, X-Auth-Token"),
    "a folder of a table": ("data", "s3a://bucket/table/key=a1b2c3d4/token=2024/part"),
    "a chart's template": ("text", "password={{ .Values.password | quote }}\ntoken={{ .token }}\n"),
    "a secret of a build": ("cmd", "docker build --secret id=npm,src=.npmrc ."),
    "a secret of a service": ("cmd", "docker service create --secret db_password image"),
    "a secret that exists": ("cmd", "helm upgrade x --set existingSecret=hub-secrets"),
    "a key of a Secret": ("values", "auth:\n  secretKeys:\n    userPasswordKey: password\n"),
    "a key of a Secret by a flag": ("cmd", "--set auth.secretKeys.password=db-password"),
    "an annotation": ("yaml", "a: b\nnginx.ingress.kubernetes.io/auth-secret: basic-auth\n"),
    "the next page": ("url", "https://example.org/collections?limit=100&token=next"),
    "numbers of words": ("json", '{"<s>": 0, "secret": 2, "password": 3}'),
    "what is looked for": ("regex", r"token=(\w+) password=(\S+)"),
    "a file of Grafana's": ("ini", "[a]\nb = c\nadmin_password = $__file{/etc/secrets/admin}\n"),
    "a question": ("cmd", "read -s -p 'Password: ' PASSWORD && export PASSWORD"),
    "a flag without a value": ("cmd", "start --token --debug"),
    "a secret by its file": ("cmd", "kubectl create secret generic x --from-file=token=/run/x"),
}

SHOWN = {
    "a URL": (
        "https://api.example.org/x?limit=3&apikey=hunter2&page=4#top",
        f"https://api.example.org/x?limit=3&apikey={MASK}&page=4#top",
    ),
    "a login": (
        "git clone https://0a1b2c3d4e5f6a7b8c9d@example.org/x.git here",
        f"git clone https://{MASK}@example.org/x.git here",
    ),
    "a command": (
        "curl -s -u 'ada:hunter two' -H 'X-Auth-Token: hunter2' https://example.org | tee log",
        f"curl -s -u 'ada:{MASK}' -H 'X-Auth-Token: {MASK}' https://example.org | tee log",
    ),
    "INI": (
        "[db]\nuser = ada\npassword = hunter two ; for the hub\nport = 1\n",
        f"[db]\nuser = ada\npassword = {MASK} ; for the hub\nport = 1\n",
    ),
    "YAML": (
        "db:\n  user: ada  # the hub\n  password: 'hunter two'\n  port: 1\n",
        f"db:\n  user: ada  # the hub\n  password: '{MASK}'\n  port: 1\n",
    ),
    "JSON": (
        '{"user": "ada",  "password": "hunter \\"two\\"", "port": 1, "cmd": "x \\"--token=h2\\""}',
        f'{{"user": "ada",  "password": "{MASK}", "port": 1, "cmd": "x \\"--token={MASK}\\""}}',
    ),
    "a key": (
        f"before\n{PEM}\nMIIE\n-----END PRIVATE KEY-----\nafter",
        f"before\n{MASK}\nafter",
    ),
    "a header": ("Authorization: token hunter2", f"Authorization: token {MASK}"),
    "cookies": ("Cookie: a=hunter2; Path=/x", f"Cookie: a={MASK}; Path=/x"),
}


ENDLESS = """
a - = : ' " ` ( [ { < @ # $ / a- a= a: a/ =a $( ${ {{ [] <a> <% :// a:// eyJ- eyJaaaaaaaaaa. SG.
password= password:@ a=, ,a= machine~ login~a~ default~ -a~ set~ a:1:b:c: vault:a@ Bearer~ Cookie:
Authorization: -----BEGIN~ -----BEGIN~PRIVATE~KEY LS0tLS1CRUdJTi 12345678:AA {"a": ![ !a &a *a
?a=b& http://a? http://a:a@ token:~x~ curl~-u~a:b| -. \" a'a
"""
WORST = ("-", "<", "http://a?", "eyJ-", "<%", "'", "a: ")


def drawn(kind: str) -> str:
    """A text that looks drawn by lot: none that a scanner would take for a real one stands here."""
    chosen = {"h": "0123456789abcdef", "l": "0a1b2c3d4e5f", "U": "A0B1C2", "m": "0aB1cD2eF", "": ""}
    if kind == "x81":
        return f"{drawn('h64')}-{drawn('m16')}"
    letters, length = chosen[kind[:1]], int(kind[1:] or 0)
    return (letters * (1 + length))[:length]


@pytest.mark.parametrize("text", HELD.values(), ids=HELD)
def test_a_secret_in_a_text_is_found_and_masked(text: str) -> None:
    assert holds_secret("text", text)
    shown = masked(text, "text")
    assert "canary" not in shown
    assert KEY not in shown
    assert CHANNEL not in shown
    assert DOCKER not in shown


@pytest.mark.parametrize("issued", [each for each in ISSUED.split() if not each.endswith(":")])
def test_a_secret_says_itself_what_it_is(issued: str) -> None:
    prefix, _, kind = issued.rpartition(":")
    token = prefix + drawn(kind)
    assert masked(f"a {token} b", "text") == f"a {MASK} b"
    assert not holds_secret("text", prefix)


@pytest.mark.parametrize(("name", "text"), OPEN.values(), ids=OPEN)
def test_a_text_that_only_looks_like_a_secret_is_shown(name: str, text: str) -> None:
    assert masked(text, name) == text
    assert not holds_secret(name, text)


@pytest.mark.parametrize(("text", "shown"), SHOWN.values(), ids=SHOWN)
def test_only_the_secret_is_masked(text: str, shown: str) -> None:
    assert masked(text, "text") == shown


def test_what_was_masked_is_masked() -> None:
    for text in HELD.values():
        assert hidden(hidden(text)) == hidden(text)


USUAL = (
    "c.Spawner.environment = 'the hub', https://hub.example.org/hub?next=x: --ip=0.0.0.0 -p 80\n"
)


def effort(text: str) -> float:
    """What the processor does for a text, however slow it is."""
    start = time.process_time()
    hidden(text)
    return time.process_time() - start


def read_a_long_text_of(piece: str) -> None:
    """A text that was made to be slow takes some times what a usual one of its length does: 5."""
    usual = effort(USUAL * (100_000 // len(USUAL)))
    for end in ("", "\n"):
        long = (piece + end) * (100_000 // len(piece + end))
        for text in (long, f"https://{long}", f"a:\n  token: {long}\n"):
            assert effort(text) < 50 * usual


@pytest.mark.parametrize("piece", WORST)
def test_a_long_text_is_read_as_fast_as_any(piece: str) -> None:
    read_a_long_text_of(piece)


@pytest.mark.slow
@pytest.mark.parametrize("piece", [each.replace("~", " ") for each in ENDLESS.split()])
def test_no_long_text_is_slow(piece: str) -> None:
    read_a_long_text_of(piece)
