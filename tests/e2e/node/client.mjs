// An MCP client on the official Node SDK: lists the tools of a server and calls one.
//
// usage: node client.mjs sse|http URL TOOL JSON-ARGUMENTS [--header 'NAME: VALUE']...
//
// Prints one JSON object: {"tools": [names], "text": what the tool said}. Exit code 0 when the
// call worked, 3 when the server refused the client with 401 or 403, 1 for all else.

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const TRANSPORTS = { sse: SSEClientTransport, http: StreamableHTTPClientTransport };
const [transport, url, tool, json, ...rest] = process.argv.slice(2);

const headers = {};
for (const [index, field] of rest.entries()) {
  if (index % 2 === 1) {
    const colon = field.indexOf(':');
    headers[field.slice(0, colon).trim()] = field.slice(colon + 1).trim();
  }
}

async function run() {
  const client = new Client({ name: 'portcullis-e2e', version: '0.0.0' });
  await client.connect(new TRANSPORTS[transport](new URL(url), { requestInit: { headers } }));
  const { tools } = await client.listTools();
  const { content } = await client.callTool({ name: tool, arguments: JSON.parse(json) });
  await client.close();
  const text = content.map((part) => part.text ?? '').join('');
  return { tools: tools.map(({ name }) => name), text };
}

try {
  process.stdout.write(`${JSON.stringify(await run())}\n`);
  process.exit(0);
} catch (error) {
  const text = `${error.name} ${error.code ?? ''} ${error.message}`;
  process.stdout.write(`${JSON.stringify({ error: text })}\n`);
  process.exit(error.code === 401 || error.code === 403 || /Unauthorized/.test(text) ? 3 : 1);
}
