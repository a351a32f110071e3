// Counts what clients did, so that a test can tell one token call from two.

/** Counters since the start, of one provider. */
export class Statistics {
  constructor(provider) {
    this.counters = { token: {}, refused: {}, sign_ins: 0, registrations: 0, grants_revoked: 0 };
    const { counters } = this;
    const grant = (ctx) => ctx.oidc?.params?.grant_type ?? 'unknown';
    const count = (of, name) => {
      of[name] = (of[name] ?? 0) + 1;
    };
    provider.on('grant.success', (ctx) => count(counters.token, grant(ctx)));
    provider.on('grant.error', (ctx) => count(counters.refused, grant(ctx)));
    provider.on('authorization.success', () => count(counters, 'sign_ins'));
    provider.on('registration_create.success', () => count(counters, 'registrations'));
    provider.on('grant.revoked', () => count(counters, 'grants_revoked'));
  }

  answer(response) {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(this.counters));
  }
}
