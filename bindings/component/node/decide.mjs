// Decides what comes in by lines of JSON, for tests: requests go in, decisions come out. Octets
// are the characters U+0000 to U+00FF.
//
// usage: node decide.mjs COMPONENT.js

import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { Gate, octets, text } from './gate.mjs';

const { gate: component } = await import(pathToFileURL(process.argv[2]));
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function read() {
  const { value, done } = await lines.next();
  return done ? undefined : JSON.parse(value);
}

function write(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

const given = (pairs) => pairs.map(([name, value]) => ({ name, value: octets(value) }));
const shown = (fields) => fields.map(({ name, value }) => [name, text(value)]);
const edits = ({ remove, add, set }) => ({ remove, add: shown(add), set: shown(set) });

function start(settings) {
  try {
    return new Gate(component, settings);
  } catch (error) {
    // What the engine itself says of the settings comes as a payload.
    write({ refused: error.payload ?? String(error) });
    process.exit(1);
  }
}

const gate = start(await read());
write({ mode: gate.mode, warnings: gate.warnings });
for (let request = await read(); request; request = await read()) {
  const head = {
    method: octets(request.method),
    authority: octets(request.authority),
    path: octets(request.path),
    headers: given(request.headers),
    peer: request.peer,
  };
  const body = octets(request.body);
  const readBody = (most) =>
    body.length > most ? { tag: 'too-large' } : { tag: 'whole', val: body };
  const { tag, val } = await gate.decide(head, readBody);
  if (tag === 'respond') {
    const { status, headers, body, reason } = val;
    write({ respond: { status, headers: shown(headers), body: text(body), reason } });
  } else {
    write({ forward: edits(val.request) });
    const { headers } = await read();
    write(edits(val.passage.responseEdits(given(headers))));
  }
}
gate.close();
