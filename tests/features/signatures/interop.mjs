// Signs and verifies requests with packages of npm. It is given messages and keys as JSON on standard input, and answers
// with JSON: `signed` has headers that each package has made, `verified` its verdicts on those of ours.
import { createPrivateKey, createPublicKey } from "node:crypto";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(process.argv[2] + "/");
const { createSigner, createVerifier, httpbis } = require("http-message-signatures");
const { Webhook } = require("standardwebhooks");
const given = JSON.parse(readFileSync(0, "utf8"));
const fields = ["@method", "@authority", "@path", "@query", "content-type", "content-digest"];
const answer = { signed: {}, verified: {}, webhook: {} };

function material(key, part) {
  if (key.secret) return Buffer.from(key.secret);
  return part === "private" ? createPrivateKey(key.private) : createPublicKey(key.public);
}

for (const [name, key] of Object.entries(given.keys)) {
  const message = { method: "POST", url: given.url, headers: { ...given.headers } };
  const signer = createSigner(material(key, "private"), name, name);
  const params = ["created", "keyid", "alg", "nonce"];
  const signed = await httpbis.signMessage({ key: signer, name: "theirs", params, fields, paramValues: { nonce: name } }, message);
  answer.signed[name] = signed.headers;
  const keyLookup = async () => ({ id: name, algs: [name], verify: createVerifier(material(key, "public"), name) });
  answer.verified[name] = await Promise.all(given.ours[name].map((headers) =>
    httpbis.verifyMessage({ keyLookup }, { method: "POST", url: given.url, headers }).catch(() => false)));
}

const hook = new Webhook(given.webhook.secret);
const sent = new Date();
answer.webhook = {
  verified: Boolean(hook.verify(given.webhook.body, given.webhook.headers)),
  headers: {
    "webhook-id": "msg_1",
    "webhook-timestamp": String(Math.floor(sent.getTime() / 1000)),
    "webhook-signature": hook.sign("msg_1", sent, given.webhook.body),
  },
};
process.stdout.write(JSON.stringify(answer));
