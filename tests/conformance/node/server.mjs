// An MCP server that does what the conformance suite asks of one, on the official Node SDK.
//
// usage: node server.mjs
//
// It is there for what a gateway could break: streams, requests of the server to the client in the
// middle of a call, reconnection, errors. Listens on a free loopback port and says so.

import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import * as types from '@modelcontextprotocol/sdk/types.js';

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';
const WAV = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=';
const CAPABILITIES = {
  completions: {},
  logging: {},
  prompts: {},
  resources: { subscribe: true },
  tools: {},
};

const text = (words) => ({ type: 'text', text: words });
const image = { type: 'image', data: PNG, mimeType: 'image/png' };
const audio = { type: 'audio', data: WAV, mimeType: 'audio/wav' };
const embedded = {
  type: 'resource',
  resource: { uri: 'test://embedded-resource', mimeType: 'text/plain', text: 'An embedded text.' },
};
const nothing = { type: 'object', properties: {} };
const one = (name) => ({
  type: 'object',
  properties: { [name]: { type: 'string' } },
  required: [name],
});

/// Every tool: what it takes and what it does with arguments and the context of the call.
const TOOLS = {
  test_simple_text: [nothing, () => [text('This is a simple text response for testing.')]],
  test_image_content: [nothing, () => [image]],
  test_audio_content: [nothing, () => [audio]],
  test_embedded_resource: [nothing, () => [embedded]],
  test_multiple_content_types: [nothing, () => [text('Multiple content types'), image, embedded]],
  test_error_handling: [nothing, fail],
  test_tool_with_logging: [nothing, log],
  test_tool_with_progress: [nothing, progress],
  test_reconnection: [nothing, reconnect],
  test_sampling: [one('prompt'), sample],
  test_elicitation: [one('message'), elicit],
  test_elicitation_sep1034_defaults: [nothing, (_arguments, context) => ask(DEFAULTS, context)],
  test_elicitation_sep1330_enums: [nothing, (_arguments, context) => ask(ENUMS, context)],
};

const DEFAULTS = {
  name: { type: 'string', default: 'John Doe' },
  age: { type: 'integer', default: 30 },
  score: { type: 'number', default: 95.5 },
  status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
  verified: { type: 'boolean', default: true },
};

const plain = { type: 'string', enum: ['option1', 'option2', 'option3'] };
const titles = ['One', 'Two', 'Three'].map((title, index) => ({ const: `value${index + 1}`, title }));
const ENUMS = {
  untitledSingle: plain,
  titledSingle: { type: 'string', oneOf: titles },
  legacyEnum: { ...plain, enumNames: ['One', 'Two', 'Three'] },
  untitledMulti: { type: 'array', items: plain },
  titledMulti: { type: 'array', items: { anyOf: titles } },
};

function fail() {
  throw new Error('This tool intentionally returns an error for testing');
}

async function log(_arguments, { sendNotification }) {
  for (const data of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
    await sendNotification({ method: 'notifications/message', params: { level: 'info', data } });
    await sleep(50);
  }
  return [text('logged')];
}

async function progress(_arguments, { sendNotification, _meta }) {
  const progressToken = _meta?.progressToken ?? 0;
  for (const done of [0, 50, 100]) {
    const params = { progressToken, progress: done, total: 100 };
    await sendNotification({ method: 'notifications/progress', params });
    await sleep(50);
  }
  return [text('done')];
}

/// Ends the stream of its own call; the client asks for the rest of it with `Last-Event-ID`.
async function reconnect(_arguments, { requestId, closeSSEStream }) {
  closeSSEStream?.(requestId);
  await sleep(100);
  return [text('reconnected')];
}

async function sample({ prompt }, { sendRequest }) {
  const messages = [{ role: 'user', content: text(prompt) }];
  const request = { method: 'sampling/createMessage', params: { messages, maxTokens: 100 } };
  const { content } = await sendRequest(request, types.CreateMessageResultSchema);
  return [text(`LLM response: ${content.text}`)];
}

function elicit({ message }, context) {
  return ask({ response: { type: 'string' } }, context, message);
}

async function ask(properties, { sendRequest }, message = 'Please fill this in') {
  const requestedSchema = { type: 'object', properties };
  const request = { method: 'elicitation/create', params: { message, requestedSchema } };
  const { action, content } = await sendRequest(request, types.ElicitResultSchema);
  return [text(`User response: action=${action}, content=${JSON.stringify(content ?? {})}`)];
}

const RESOURCES = {
  'test://static-text': { mimeType: 'text/plain', text: 'The content of the static text resource.' },
  'test://static-binary': { mimeType: 'image/png', blob: PNG },
  'test://watched-resource': { mimeType: 'text/plain', text: 'Watched.' },
};

function read({ uri }) {
  const [, id] = /^test:\/\/template\/([^/]+)\/data$/.exec(uri) ?? [];
  const made = id && { mimeType: 'application/json', text: JSON.stringify({ id, templateTest: true }) };
  const found = RESOURCES[uri] ?? made;
  if (!found) {
    throw new types.McpError(types.ErrorCode.InvalidParams, 'Resource not found', { uri });
  }
  return { contents: [{ uri, ...found }] };
}

const say = (content) => [{ role: 'user', content }];
const PROMPTS = {
  test_simple_prompt: [[], () => say(text('This is a simple prompt for testing.'))],
  test_prompt_with_arguments: [
    ['arg1', 'arg2'],
    ({ arg1, arg2 }) => say(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)),
  ],
  test_prompt_with_embedded_resource: [
    ['resourceUri'],
    ({ resourceUri: uri }) => [
      ...say({ type: 'resource', resource: { uri, mimeType: 'text/plain', text: 'Embedded.' } }),
      ...say(text('Please look at the resource above.')),
    ],
  ],
  test_prompt_with_image: [[], () => [...say(image), ...say(text('What is this?'))]],
};

function mcpServer() {
  const server = new Server({ name: 'portcullis-conformance', version: '0.0.0' }, { capabilities: CAPABILITIES });
  const on = (schema, handle) => server.setRequestHandler(schema, handle);
  on(types.ListToolsRequestSchema, () => ({
    tools: Object.entries(TOOLS).map(([name, [inputSchema]]) => ({ name, description: name, inputSchema })),
  }));
  on(types.CallToolRequestSchema, async ({ params }, context) => {
    const [, run] = TOOLS[params.name] ?? [];
    if (!run) {
      throw new types.McpError(types.ErrorCode.InvalidParams, 'Unknown tool');
    }
    try {
      return { content: await run(params.arguments ?? {}, context) };
    } catch (error) {
      return { content: [text(error.message)], isError: true };
    }
  });
  on(types.ListResourcesRequestSchema, () => ({
    resources: Object.entries(RESOURCES).map(([uri, { mimeType }]) => ({ uri, name: uri, mimeType })),
  }));
  on(types.ListResourceTemplatesRequestSchema, () => ({
    resourceTemplates: [{ uriTemplate: 'test://template/{id}/data', name: 'template' }],
  }));
  on(types.ReadResourceRequestSchema, ({ params }) => read(params));
  on(types.SubscribeRequestSchema, () => ({}));
  on(types.UnsubscribeRequestSchema, () => ({}));
  on(types.ListPromptsRequestSchema, () => ({
    prompts: Object.entries(PROMPTS).map(([name, [names]]) => ({
      name,
      description: name,
      arguments: names.map((argument) => ({ name: argument, description: argument, required: true })),
    })),
  }));
  on(types.GetPromptRequestSchema, ({ params }) => ({
    messages: PROMPTS[params.name][1](params.arguments ?? {}),
  }));
  on(types.CompleteRequestSchema, () => ({ completion: { values: ['paris'], total: 1, hasMore: false } }));
  return server;
}

/// Keeps the events of all streams, so that a client can ask for those that it missed.
class Events {
  constructor() {
    this.kept = [];
  }
  async storeEvent(stream, message) {
    this.kept.push({ stream, message });
    return String(this.kept.length);
  }
  async getStreamIdForEventId(event) {
    return this.kept[Number(event) - 1]?.stream;
  }
  async replayEventsAfter(event, { send }) {
    const stream = await this.getStreamIdForEventId(event);
    for (const [index, kept] of this.kept.entries()) {
      if (index >= Number(event) && kept.stream === stream && Object.keys(kept.message).length > 0) {
        await send(String(index + 1), kept.message);
      }
    }
    return stream;
  }
}

const sessions = new Map();

async function transportOf(request) {
  const known = sessions.get(request.headers['mcp-session-id']);
  if (known || request.headers['mcp-session-id']) {
    return known;
  }
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => sessions.set(id, transport),
    eventStore: new Events(),
    retryInterval: 100,
  });
  await mcpServer().connect(transport);
  return transport;
}

const http = createServer(async (request, response) => {
  const transport = await transportOf(request);
  if (!transport) {
    response.writeHead(404).end();
    return;
  }
  await transport.handleRequest(request, response);
});

http.listen(0, '127.0.0.1', () => {
  process.stdout.write(`listening on http://127.0.0.1:${http.address().port}\n`);
});
