// Every tool of `lab mcp` by the MCP SDK of npm, over pipes and over HTTP on loopback.
//
//     tools.mjs LAB NAME         `LAB mcp` over pipes, as the environment says (AAR_API, AAR_TOKEN, AAR_DATA, AAR_WORK)
//     tools.mjs LAB NAME URL     what listens at URL, with AAR_TOKEN

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

// The packages lie where the clients were installed, which is not beside this file.
const installed = createRequire(process.env.AAR_CLIENTS + "/");
const sdk = (path) => import(pathToFileURL(installed.resolve("@modelcontextprotocol/sdk/client/" + path)));
const { Client } = await sdk("index.js");
const { StdioClientTransport } = await sdk("stdio.js");
const { StreamableHTTPClientTransport } = await sdk("streamableHttp.js");

const calls = JSON.parse(readFileSync(new URL("calls.json", import.meta.url)));
const [lab, folder, url] = process.argv.slice(2);
const headers = { authorization: "Bearer " + process.env.AAR_TOKEN };
const transport = url
  ? new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } })
  : new StdioClientTransport({ command: lab, args: ["mcp"], env: process.env });
const client = new Client({ name: "tools.mjs", version: "1" });
await client.connect(transport);
const listed = (await client.listTools()).tools.map((tool) => tool.name);
assert.deepEqual(listed.toSorted(), calls.map(([name]) => name).toSorted());
const known = { $folder: folder };
for (const [name, given, expect] of calls) {
  const filled = Object.entries(given).map(([key, value]) => [key, known[value] ?? value]);
  const result = await client.callTool({ name, arguments: Object.fromEntries(filled) }, undefined, { timeout: 120_000 });
  const text = result.content.map((block) => block.text).join("");
  assert.ok(!result.isError && text.includes(expect), `${name}: ${text}`);
  if (name === "submit") {
    const data = result._meta["aar/data"];
    known.$id = data.id;
    known.$bundle = data.bundle;
  }
}
await client.close();
console.log(listed.length, "tools listed and called");
