// A Probot app that does nothing and stores nothing: what the intake is measured against.
// Run with NODE_PATH-independent resolution: this file is copied next to node_modules. Prints its port.
import { createServer } from "node:http";
import { generateKeyPairSync } from "node:crypto";
import { Probot, createNodeMiddleware } from "probot";

const { privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
});
const probot = new Probot({ appId: 1, privateKey, secret: process.env.SECRET, logLevel: "fatal" });
const middleware = await createNodeMiddleware(
  (app) => app.on("issue_comment.created", async () => {}),
  { probot, webhooksPath: "/webhooks/github" },
);
const server = createServer((request, response) => middleware(request, response, () => response.writeHead(404).end()));
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.on("SIGTERM", () => process.exit(0));
