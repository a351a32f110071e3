// The loop over the engine's steps, and the calls that it asks for.

import http from 'node:http';
import https from 'node:https';

/** How long a request may wait for calls, all together. */
const PATIENCE_MS = 15_000;

/** An engine at work, with the requests that wait for calls. */
export class Gate {
  #engine;
  #Answer;
  #parked = new Map();
  #timer;

  /**
   * @param gate the interface of the component
   * @param settings an object with the names of environment variables as keys
   */
  constructor({ Answer, Engine }, settings) {
    const seed = crypto.getRandomValues(new Uint8Array(32));
    this.#engine = Engine.make(JSON.stringify(settings), seed);
    this.#Answer = Answer;
    this.#settle();
  }

  get mode() {
    return this.#engine.mode();
  }

  get warnings() {
    return this.#engine.warnings();
  }

  /**
   * Decides a request.
   *
   * @param head the request's head, as the interface has it
   * @param readBody is given the most octets to read, and returns the body as the interface has it
   */
  async decide(head, readBody) {
    const engine = this.#engine;
    const deadline = Date.now() + PATIENCE_MS;
    let step = this.#turn(() => engine.handleRequest(head, now()));
    for (;;) {
      const { tag, val } = step;
      if (tag === 'decide') return val;
      if (tag === 'read-body') {
        const body = await readBody(val.maxOctets);
        step = this.#turn(() => engine.handleBody(val.pending, body, now()));
      } else {
        const answer = await this.#answer(val.ticket, deadline);
        step = this.#turn(() => engine.handleWake(val.pending, answer, now()));
      }
    }
  }

  /** Stops the timer; the engine needs nothing else to be gone. */
  close() {
    clearTimeout(this.#timer);
  }

  #turn(act) {
    const result = act();
    // Whoever waits is parked first: a call that cannot be sent ends at once.
    queueMicrotask(() => this.#settle());
    return result;
  }

  #answer(ticket, deadline) {
    return new Promise((resolve) => {
      const late = () => {
        this.#parked.delete(ticket);
        resolve(this.#Answer.timedOut());
      };
      const timer = setTimeout(late, deadline - Date.now());
      this.#parked.set(ticket, (answer) => {
        clearTimeout(timer);
        this.#parked.delete(ticket);
        resolve(answer);
      });
    });
  }

  /** Sends the calls that the engine asks for, and looks when it wants to be asked again. */
  #settle() {
    for (let call = this.#engine.pollCall(); call; call = this.#engine.pollCall()) {
      const { request, pending } = call;
      send(request).then((outcome) => {
        const wake = this.#engine.handleUpstream(pending, outcome, now());
        for (const ticket of wake.tickets) this.#parked.get(ticket)?.(wake.answer);
        this.#settle();
      });
    }
    clearTimeout(this.#timer);
    const due = this.#engine.pollTimeout();
    if (due === undefined) return;
    const wait = Math.max(0, Number(due) * 1000 - Date.now());
    const act = () => this.#turn(() => this.#engine.handleTimeout(now()));
    // A timer of Node.js takes 31 bits, and must not keep the process.
    this.#timer = setTimeout(act, Math.min(wait, 2 ** 31 - 1)).unref();
  }
}

function now() {
  return BigInt(Math.floor(Date.now() / 1000));
}

/** Sends a call within its limits, following no redirect, on a connection of its own. */
function send(call) {
  // This program does not look where names lead, so it asks nobody whom a stranger named.
  if (call.reach === 'public-only') return Promise.resolve(failed('not-sent'));
  return new Promise((resolve) => {
    const { request: open } = call.url.startsWith('https:') ? https : http;
    const limit = AbortSignal.timeout(call.timeoutSeconds * 1000);
    let connected = false;
    const fail = () => {
      const early = connected ? 'cut' : 'unreachable';
      resolve(failed(limit.aborted ? 'timed-out' : early));
    };
    const headers = Object.fromEntries(call.headers.map(({ name, value }) => [name, text(value)]));
    const request = open(call.url, { method: call.method, headers, agent: false, signal: limit });
    request.on('socket', (socket) => socket.on('connect', () => (connected = true)));
    request.on('error', fail);
    request.on('response', (response) => {
      const chunks = [];
      let size = 0;
      response.on('data', (chunk) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size > call.maxResponseOctets) {
          resolve(failed('too-large'));
          response.destroy();
        }
      });
      response.on('error', fail);
      response.on('end', () => {
        const body = new Uint8Array(Buffer.concat(chunks));
        const headers = fields(response.rawHeaders);
        resolve({ tag: 'ok', val: { status: response.statusCode, headers, body } });
      });
    });
    request.end(call.body.length > 0 ? call.body : undefined);
  });
}

function failed(val) {
  return { tag: 'err', val };
}

/** Makes fields of the flat list of Node.js: one entry a field line, names in lower case. */
export function fields(raw) {
  const fields = [];
  for (let at = 0; at < raw.length; at += 2) {
    fields.push({ name: raw[at].toLowerCase(), value: octets(raw[at + 1]) });
  }
  return fields;
}

/** Node.js has octets as the characters U+0000 to U+00FF. */
export function octets(text) {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

export function text(octets) {
  return Buffer.from(octets).toString('latin1');
}
