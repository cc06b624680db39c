// The bench's work with Node's own https: peer.js MODE BASE PATH [N]; the CA is in NODE_EXTRA_CA_CERTS.
"use strict";
const https = require("https");
const agent = new https.Agent({ keepAlive: true, maxSockets: 4 });

function call(method, url, headers, body) {
  return new Promise((resolve, reject) => {
    const options = { method, agent, headers: { ...headers } };
    if (new URL(url).hostname.endsWith(".localhost")) {
      options.lookup = (host, how, done) => (how.all ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4));
    }
    if (body) {
      options.headers["Content-Type"] = "application/json";
      options.headers["Content-Length"] = Buffer.byteLength(body);
    }
    const request = https.request(url, options, (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("end", () => {
        if (answer.statusCode !== 200) return reject(new Error(`${url}: status ${answer.statusCode}`));
        resolve(JSON.parse(Buffer.concat(parts).toString()));
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}

async function login(base) {
  const credentials = JSON.stringify({ username: "operator", password: "secret", loginProviderName: "tmos" });
  const answer = await call("POST", base + "/mgmt/shared/authn/login", {}, credentials);
  return answer.token.token;
}

const logout = (base, token) => call("DELETE", base + "/mgmt/shared/authz/tokens/" + token, { "X-F5-Auth-Token": token });

async function device(base, path) {
  const token = await login(base);
  for (let i = 0; i < 2; i++) await call("GET", base + path, { "X-F5-Auth-Token": token });
  await logout(base, token);
}

async function main() {
  const [mode, base, path, times] = process.argv.slice(2);
  const count = Number(times || 1);
  if (mode === "fleet") {
    await Promise.all(Array.from({ length: count }, (_, i) => device(base.replace("%d", i), path)));
  } else {
    const token = await login(base);
    const body = mode === "patches" ? JSON.stringify({ description: "changed by the bench" }) : undefined;
    for (let i = 0; i < count; i++) await call(body ? "PATCH" : "GET", base + path, { "X-F5-Auth-Token": token }, body);
    await logout(base, token);
  }
  agent.destroy();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
