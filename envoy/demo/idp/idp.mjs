// A local identity provider: JWKS and client_credentials grants, for the modes `jwt` and `zscaler`,
// and sign-in by authorization code, for `oidc`.
//
// usage: node idp.mjs --listen 127.0.0.1:PORT [--redirect URI]... [--rotate on|off]
//                     [--auto-login NAME] [--registration on|off]
//
//   --redirect      where the client `demo-gateway` may be sent back to; without one, it is not there
//   --rotate        whether a refresh token can be used once (on, the default) or for ever
//   --auto-login    signs this person in and consents without showing a page, for tests
//   --registration  whether clients may register themselves (off, the default)
//
// Prints one JSON object when it answers: issuer, config_url, jwks_uri, token_url, audience,
// client_id, client_secret, gateway_client_id and gateway_client_secret. GET /stats counts what
// clients did. The signing key and the secrets are made at each start and kept nowhere. It listens
// on loopback only, in plain HTTP.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import Provider from 'oidc-provider';
import { finishInteraction } from './interaction.mjs';
import { Statistics } from './statistics.mjs';

const USAGE = `usage: node idp.mjs --listen 127.0.0.1:PORT [--redirect URI]... [--rotate on|off]
                    [--auto-login NAME] [--registration on|off]
`;
const AUDIENCE = 'https://mcp.example.com/mcp';
const PRODUCTS = ['ZIA', 'ZPA'];
const RESOURCE_SCOPE = 'mcp:tools';
/** In seconds. */
const LIVES = {
  AccessToken: 3600,
  AuthorizationCode: 60,
  ClientCredentials: 3600,
  Grant: 86400,
  IdToken: 3600,
  Interaction: 600,
  RefreshToken: 86400,
  Session: 86400,
};

const options = readOptions();
const machine = { id: 'demo-client', secret: secret() };
const gateway = { id: 'demo-gateway', secret: secret() };

function readOptions() {
  const text = { type: 'string' };
  try {
    const { values } = parseArgs({
      options: {
        listen: text,
        redirect: { type: 'string', multiple: true, default: [] },
        rotate: { type: 'string', default: 'on' },
        'auto-login': text,
        registration: { type: 'string', default: 'off' },
      },
    });
    const [, host, port] = /^(127\.0\.0\.1):(\d+)$/.exec(values.listen) ?? [];
    if (host && onOff(values.rotate) && onOff(values.registration)) {
      return { ...values, host, port: Number(port) };
    }
  } catch {
    // Whatever is wrong, the usage says what would be right.
  }
  process.stderr.write(USAGE);
  return process.exit(2);
}

function onOff(value) {
  return value === 'on' || value === 'off';
}

function secret() {
  return randomBytes(32).toString('base64url');
}

function signingKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const kid = randomBytes(8).toString('hex');
  return { ...privateKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' };
}

function clients() {
  const signsInByItself = {
    client_id: machine.id,
    client_secret: machine.secret,
    token_endpoint_auth_method: 'client_secret_post',
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
  };
  const signsPeopleIn = {
    client_id: gateway.id,
    client_secret: gateway.secret,
    client_name: 'Portcullis demo gateway',
    token_endpoint_auth_method: 'client_secret_post',
    grant_types: ['authorization_code', 'refresh_token'],
    redirect_uris: options.redirect,
    response_types: ['code'],
  };
  return options.redirect.length > 0 ? [signsInByItself, signsPeopleIn] : [signsInByItself];
}

function findAccount(_ctx, name) {
  const email = `${name}@example.com`;
  const claims = () => ({ sub: name, name, email, email_verified: true });
  return { accountId: name, claims };
}

/** The gateway has to ask for offline access; clients that registered themselves often forget. */
function issueRefreshToken(_ctx, client, code) {
  const asked = client.clientId !== gateway.id || code.scopes.has('offline_access');
  return asked && client.grantTypeAllowed('refresh_token');
}

function interactionPath(_ctx, interaction) {
  return `/interaction/${interaction.uid}`;
}

function configuration() {
  const registration = options.registration === 'on';
  return {
    clients: clients(),
    clientAuthMethods: registration ? ['client_secret_post', 'none'] : ['client_secret_post'],
    clientDefaults: { token_endpoint_auth_method: 'client_secret_post' },
    jwks: { keys: [signingKey()] },
    routes: { token: '/oauth2/v1/token', jwks: '/oauth2/v1/keys' },
    ttl: LIVES,
    scopes: ['openid', 'offline_access', RESOURCE_SCOPE],
    claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'] },
    // As most providers do, who someone is stands in the ID token too.
    conformIdTokenClaims: false,
    cookies: { keys: [secret()] },
    pkce: { required: (_ctx, client) => client.responseTypes.length > 0 },
    issueRefreshToken,
    rotateRefreshToken: options.rotate === 'on',
    findAccount,
    // What a Zscaler access token says about the products of its client.
    extraTokenClaims: () => ({ 'service-info': PRODUCTS.map((prd) => ({ prd })) }),
    ...(options['auto-login'] && { interactions: { url: interactionPath } }),
    features: {
      devInteractions: { enabled: options['auto-login'] === undefined },
      clientCredentials: { enabled: true },
      registration: { enabled: registration },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        // Zscaler's parameter `audience` is older than RFC 8707 and means the same.
        defaultResource: (ctx, client) =>
          ctx.oidc.body?.audience ?? (client.clientId === machine.id ? AUDIENCE : undefined),
        // A refreshed token is for the resource that the sign-in was for.
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx, resource) => ({
          audience: resource,
          scope: RESOURCE_SCOPE,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 3600,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  };
}

// The port is known only once the socket listens, and the issuer contains it.
const server = createServer();
server.listen(options.port, options.host, () => {
  const issuer = `http://${options.host}:${server.address().port}`;
  const provider = new Provider(issuer, configuration());
  const statistics = new Statistics(provider);
  const answer = provider.callback();
  server.on('request', (request, response) => {
    if (request.url === '/stats') {
      statistics.answer(response);
    } else if (options['auto-login'] && request.url.startsWith('/interaction/')) {
      finishInteraction(provider, request, response, options['auto-login']);
    } else {
      answer(request, response);
    }
  });
  const facts = {
    issuer,
    config_url: `${issuer}/.well-known/openid-configuration`,
    jwks_uri: `${issuer}/oauth2/v1/keys`,
    token_url: `${issuer}/oauth2/v1/token`,
    audience: AUDIENCE,
    client_id: machine.id,
    client_secret: machine.secret,
    gateway_client_id: gateway.id,
    gateway_client_secret: gateway.secret,
  };
  process.stdout.write(`${JSON.stringify(facts)}\n`);
});
