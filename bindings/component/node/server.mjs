// A reverse proxy in front of an MCP server, whose gate is the component.
//
// usage: node server.mjs COMPONENT.js SETTINGS.json PORT http://HOST:PORT

import { readFile } from 'node:fs/promises';
import http from 'node:http';
import { pathToFileURL, urlToHttpOptions } from 'node:url';
import { Gate, fields, octets, text } from './gate.mjs';

const [module, settings, port, upstream] = process.argv.slice(2);
const { gate: component } = await import(pathToFileURL(module));
const gate = new Gate(component, JSON.parse(await readFile(settings, 'utf8')));

const server = http.createServer((request, response) => {
  // Whatever goes wrong, nothing passes.
  handle(request, response).catch(() => fail(response, 503));
});

async function handle(request, response) {
  if (!request.url.startsWith('/')) return fail(response, 400);
  const headers = fields(request.rawHeaders);
  const head = {
    method: octets(request.method),
    authority: octets(request.headers.host ?? ''),
    path: octets(request.url),
    headers: headers.filter(({ name }) => name !== 'host'),
    peer: request.socket.remoteAddress,
  };
  const { tag, val } = await gate.decide(head, (most) => readBody(request, most));
  if (tag === 'respond') {
    response.writeHead(val.status, flat(val.headers));
    response.end(val.body);
  } else {
    forward(request, head.headers, val, response);
  }
}

function forward(request, headers, { request: edits, passage }, response) {
  const kept = edited(headers, edits).filter(({ name }) => !HOP_BY_HOP.has(name));
  const url = new URL(upstream);
  const { method, url: path } = request;
  const host = { name: 'host', value: octets(url.host) };
  // The path goes on as it was decided on, and does not say where.
  const onwards = http.request({
    ...urlToHttpOptions(url), method, path, headers: flat([host, ...kept]),
  });
  onwards.on('error', () => fail(response, 502));
  onwards.on('response', (answer) => {
    const headers = fields(answer.rawHeaders);
    const changed = edited(headers, passage.responseEdits(headers));
    const kept = changed.filter(({ name }) => !HOP_BY_HOP.has(name));
    response.writeHead(answer.statusCode, flat(kept));
    answer.pipe(response);
  });
  response.on('close', () => onwards.destroy());
  request.pipe(onwards);
}

/** Carries edits out: first removals, then additions, then what is set. */
function edited(headers, { remove, add, set }) {
  const gone = new Set([...remove, ...set.map(({ name }) => name)]);
  return [...headers.filter(({ name }) => !gone.has(name)), ...add, ...set];
}

/** The fields of a connection, which end with it (RFC 9110 §7.6.1). */
const HOP_BY_HOP = new Set([
  'connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade',
]);

/** Makes the flat list that Node.js takes. */
function flat(fields) {
  return fields.flatMap(({ name, value }) => [name, text(value)]);
}

function fail(response, status) {
  if (response.headersSent) response.destroy();
  else response.writeHead(status).end();
}

async function readBody(request, most) {
  const chunks = [];
  let size = 0;
  try {
    for await (const chunk of request) {
      size += chunk.length;
      if (size > most) return { tag: 'too-large' };
      chunks.push(chunk);
    }
  } catch {
    return { tag: 'missing' };
  }
  return { tag: 'whole', val: new Uint8Array(Buffer.concat(chunks)) };
}

server.listen(Number(port), '127.0.0.1', () => {
  const { port } = server.address();
  console.log(`mode ${gate.mode.join(': ')}; listening on 127.0.0.1:${port}`);
});
