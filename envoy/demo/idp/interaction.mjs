// Signs a person in and consents for them, without a page.

/** Finishes the interaction that a request is for, as if `name` had signed in and agreed. */
export async function finishInteraction(provider, request, response, name) {
  try {
    const { params, grantId } = await provider.interactionDetails(request, response);
    const grant = grantId
      ? await provider.Grant.find(grantId)
      : new provider.Grant({ accountId: name, clientId: params.client_id });
    grant.addOIDCScope(params.scope ?? 'openid');
    for (const resource of [params.resource ?? []].flat()) {
      grant.addResourceScope(resource, params.scope ?? '');
    }
    const consent = { grantId: await grant.save() };
    const result = { login: { accountId: name }, consent };
    await provider.interactionFinished(request, response, result);
  } catch (error) {
    // An unknown or lapsed interaction; the provider's own pages would say the same.
    response.writeHead(400, { 'content-type': 'text/plain' }).end(`${error.message}\n`);
  }
}
