// MCP clients that sign in by OAuth: the official Node SDK, and mcp-remote behind that SDK's stdio.
//
// usage: node oauth-client.mjs sdk|remote URL FOLDER
//
// What the client remembers (registration, tokens) is kept in FOLDER, as mcp-remote itself does.
// The browser is BROWSER; mcp-remote waits for it at CALLBACK_PORT. Prints one JSON object: {"tools": [names], "text": what the
// tool `whoami` said}, or {"error": text}. Exit code 0 when the call worked, 1 otherwise.

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

/** In milliseconds. */
const PATIENCE = 30_000;

const [kind, url, folder] = process.argv.slice(2);

/** A file of JSON that may be absent. */
class Kept {
  constructor(name) {
    this.path = path.join(folder, name);
  }

  read() {
    return existsSync(this.path) ? JSON.parse(readFileSync(this.path, 'utf8')) : undefined;
  }

  write(value) {
    writeFileSync(this.path, JSON.stringify(value));
  }

  forget() {
    rmSync(this.path, { force: true });
  }
}

/** The client's own loopback address, where the browser comes back to. */
class Callback {
  static async listen() {
    const callback = new Callback();
    callback.arrived = new Promise((resolve) => {
      callback.server = createServer((request, response) => {
        response.end('You may close this window.');
        resolve(new URL(request.url, callback.uri).searchParams);
      });
    });
    await new Promise((resolve) => {
      callback.server.listen(0, '127.0.0.1', resolve);
    });
    // The port differs at each start, as RFC 8252 §7.3 has it; the registration stays.
    callback.uri = `http://127.0.0.1:${callback.server.address().port}/callback`;
    return callback;
  }

  async code(state) {
    const late = sleep(PATIENCE, undefined, { ref: false });
    const answer = await Promise.race([this.arrived, late]);
    this.server.close();
    if (answer?.get('state') !== state) {
      throw new Error('the browser did not come back with our state');
    }
    if (answer.has('error')) {
      throw new Error(`refused: ${answer.get('error')}`);
    }
    return answer.get('code');
  }
}

/** What the SDK asks of a program that signs in: OAuthClientProvider. */
class Memory {
  constructor(callback) {
    this.redirectUrl = callback.uri;
    this.registration = new Kept('client_info.json');
    this.granted = new Kept('tokens.json');
    this.sentState = randomUUID();
    this.clientMetadata = {
      client_name: 'Portcullis e2e (Node SDK)',
      redirect_uris: [callback.uri],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
    };
  }

  state() {
    return this.sentState;
  }

  clientInformation() {
    return this.registration.read();
  }

  saveClientInformation(information) {
    this.registration.write(information);
  }

  tokens() {
    return this.granted.read();
  }

  saveTokens(tokens) {
    this.granted.write(tokens);
  }

  redirectToAuthorization(target) {
    spawn(process.env.BROWSER, [target.href], { detached: true, stdio: 'ignore' });
  }

  saveCodeVerifier(verifier) {
    this.verifier = verifier;
  }

  codeVerifier() {
    return this.verifier;
  }

  invalidateCredentials(scope) {
    if (scope === 'all' || scope === 'client') {
      this.registration.forget();
    }
    if (scope === 'all' || scope === 'tokens') {
      this.granted.forget();
    }
  }
}

async function connectBySdk(client) {
  const callback = await Callback.listen();
  const authProvider = new Memory(callback);
  const transport = () => new StreamableHTTPClientTransport(new URL(url), { authProvider });
  const first = transport();
  try {
    await client.connect(first);
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) {
      throw error;
    }
    await first.finishAuth(await callback.code(authProvider.sentState));
    await client.connect(transport());
  }
}

async function connectByRemote(client) {
  const manifest = createRequire(import.meta.url).resolve('mcp-remote/package.json');
  const program = path.join(path.dirname(manifest), 'dist', 'proxy.js');
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [program, url, process.env.CALLBACK_PORT],
    env: { ...process.env, MCP_REMOTE_CONFIG_DIR: folder },
    stderr: 'pipe',
  });
  let said = '';
  transport.stderr.on('data', (text) => {
    said += text;
  });
  try {
    await client.connect(transport, { timeout: PATIENCE });
  } catch (error) {
    await transport.close();
    throw new Error(`${error.message}; mcp-remote wrote:\n${said}`);
  }
}

async function run() {
  const client = new Client({ name: 'portcullis-e2e', version: '0.0.0' });
  await (kind === 'remote' ? connectByRemote(client) : connectBySdk(client));
  const { tools } = await client.listTools();
  const { content } = await client.callTool({ name: 'whoami', arguments: {} });
  await client.close();
  const text = content.map((part) => part.text ?? '').join('');
  return { tools: tools.map(({ name }) => name), text };
}

try {
  process.stdout.write(`${JSON.stringify(await run())}\n`);
  process.exit(0);
} catch (error) {
  process.stdout.write(`${JSON.stringify({ error: `${error.name}: ${error.message}` })}\n`);
  process.exit(1);
}
