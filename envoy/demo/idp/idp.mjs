// A local identity provider: JWKS and client_credentials grants, for the modes `jwt` and `zscaler`.
//
// usage: node idp.mjs --listen 127.0.0.1:PORT
//
// Prints one JSON object when it answers: issuer, jwks_uri, token_url, audience, client_id and
// client_secret. The signing key and the secret are made at each start and kept nowhere. It
// listens on loopback only, in plain HTTP.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const [flag, listen] = process.argv.slice(2);
const [host, port] = (listen ?? '').split(':');
if (flag !== '--listen' || host !== '127.0.0.1' || !/^\d+$/.test(port ?? '')) {
  process.stderr.write('usage: node idp.mjs --listen 127.0.0.1:PORT\n');
  process.exit(2);
}

const AUDIENCE = 'https://mcp.example.com/mcp';
const PRODUCTS = ['ZIA', 'ZPA'];
const client = { id: 'demo-client', secret: randomBytes(32).toString('base64url') };

function signingKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const kid = randomBytes(8).toString('hex');
  return { ...privateKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' };
}

function configuration() {
  return {
    clients: [
      {
        client_id: client.id,
        client_secret: client.secret,
        token_endpoint_auth_method: 'client_secret_post',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
    ],
    clientAuthMethods: ['client_secret_post'],
    jwks: { keys: [signingKey()] },
    routes: { token: '/oauth2/v1/token', jwks: '/oauth2/v1/keys' },
    ttl: { ClientCredentials: 3600 },
    // What a Zscaler access token says about the products of its client.
    extraTokenClaims: () => ({ 'service-info': PRODUCTS.map((prd) => ({ prd })) }),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        // Zscaler's parameter `audience` is older than RFC 8707 and means the same.
        defaultResource: (ctx) => ctx.oidc.body?.audience ?? AUDIENCE,
        getResourceServerInfo: (_ctx, resource) => ({
          audience: resource,
          scope: 'mcp:tools',
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
server.listen(Number(port), host, () => {
  const issuer = `http://${host}:${server.address().port}`;
  server.on('request', new Provider(issuer, configuration()).callback());
  const facts = {
    issuer,
    jwks_uri: `${issuer}/oauth2/v1/keys`,
    token_url: `${issuer}/oauth2/v1/token`,
    audience: AUDIENCE,
    client_id: client.id,
    client_secret: client.secret,
  };
  process.stdout.write(`${JSON.stringify(facts)}\n`);
});
