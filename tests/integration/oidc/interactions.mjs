/** Where the person answers: signing in, allowing, denying. */

import * as pages from './pages.mjs';
import { ACCOUNTS } from './settings.mjs';

async function form(ctx) {
  const chunks = [];
  for await (const chunk of ctx.req) chunks.push(chunk);
  return new URLSearchParams(Buffer.concat(chunks).toString());
}

async function granted(provider, { prompt: { details }, grantId, session, params }) {
  const grant = grantId
    ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  if (details.missingOIDCScope) grant.addOIDCScope(details.missingOIDCScope.join(' '));
  if (details.missingOIDCClaims) grant.addOIDCClaims(details.missingOIDCClaims);
  for (const [resource, scopes] of Object.entries(details.missingResourceScopes ?? {})) {
    grant.addResourceScope(resource, scopes.join(' '));
  }
  return grant.save();
}

async function show(provider, ctx, problem) {
  const { uid, prompt, params, session } = await provider.interactionDetails(ctx.req, ctx.res);
  const client = await provider.Client.find(params.client_id);
  const clientName = client.clientName ?? client.clientId;
  ctx.type = 'html';
  ctx.set('Cache-Control', 'no-store');
  if (prompt.name === 'login') {
    ctx.body = pages.signIn(uid, { clientName, hint: params.login_hint, problem });
  } else {
    const who = ACCOUNTS.get(session.accountId).name;
    ctx.body = pages.consent(uid, { clientName, who, scopes: (params.scope ?? '').split(' ') });
  }
}

async function answer(provider, ctx, action) {
  const details = await provider.interactionDetails(ctx.req, ctx.res);
  if (action === 'sign-in') {
    const id = (await form(ctx)).get('account').trim().toLowerCase();
    if (!ACCOUNTS.has(id)) return show(provider, ctx, `There is no account “${id}”.`);
    return finish(provider, ctx, { login: { accountId: id } });
  }
  if (action === 'allow') {
    return finish(provider, ctx, { consent: { grantId: await granted(provider, details) } });
  }
  return finish(provider, ctx, {
    error: 'access_denied',
    error_description: 'The person said no.',
  });
}

async function finish(provider, ctx, result) {
  ctx.status = 303;
  ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result));
}

export function interactions(provider) {
  return async (ctx, next) => {
    const [, uid, action] = /^\/interaction\/([^/]+)(?:\/(sign-in|allow|deny))?$/.exec(ctx.path) ?? [];
    if (!uid) return next();
    return action && ctx.method === 'POST' ? answer(provider, ctx, action) : show(provider, ctx);
  };
}
