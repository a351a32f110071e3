// A desktop client of MCP: connects as its configuration says, lists the tools and calls one.
//
// usage: node configured.mjs SECTION NAME TOOL < configuration
//
// An entry with a command is started, with the variables of the entry and no others but those that
// desktop clients pass on. Prints one JSON object: {"tools": [names], "text": what the tool said}.

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const [section, name, tool] = process.argv.slice(2);
let configuration = '';
for await (const piece of process.stdin) configuration += piece;
const { command, args, env, url, headers } = JSON.parse(configuration)[section][name];

const transport = command
  ? new StdioClientTransport({ command, args, env })
  : new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } });
const client = new Client({ name: 'portcullis-e2e', version: '0.0.0' });
await client.connect(transport);
const { tools } = await client.listTools();
const { content } = await client.callTool({ name: tool, arguments: {} });
await client.close();
const text = content.map((part) => part.text ?? '').join('');
process.stdout.write(`${JSON.stringify({ tools: tools.map(({ name }) => name), text })}\n`);
