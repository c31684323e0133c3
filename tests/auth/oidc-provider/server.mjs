// An OpenID provider whose accounts are in a file, which is read anew for each question.
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";

const { port, issuer, accounts, ahead, client, tls } = JSON.parse(process.env.SETTINGS);

if (ahead) {
  const True = Date;
  globalThis.Date = class extends True {
    constructor(...when) {
      super(...(when.length ? when : [True.now() + 1000 * ahead]));
    }
    static now() {
      return True.now() + 1000 * ahead;
    }
  };
}

const { Provider } = await import("oidc-provider");
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const key = { ...privateKey.export({ format: "jwk" }), alg: "RS256", use: "sig" };

const provider = new Provider(issuer, {
  clients: [{ grant_types: ["authorization_code", "refresh_token"], ...client }],
  jwks: { keys: [key] },
  cookies: { keys: ["of no importance"] },
  claims: {
    openid: ["sub"],
    profile: ["preferred_username", "groups"],
    email: ["email", "email_verified"],
  },
  features: {
    devInteractions: { enabled: true },
    revocation: { enabled: true },
    rpInitiatedLogout: { enabled: true },
  },
  pkce: { required: () => true },
  issueRefreshToken: () => true,
  rotateRefreshToken: true,
  ttl: { AccessToken: 4 },
  findAccount(_, sub) {
    const said = JSON.parse(readFileSync(accounts))[sub];
    return said && { accountId: sub, claims: () => ({ sub, ...said }) };
  },
});

if (tls) {
  const [key, cert] = [tls.key, tls.certificate].map((path) => readFileSync(path));
  createServer({ key, cert }, provider.callback()).listen(port);
} else {
  provider.listen(port, "127.0.0.1");
}
