/** What was asked of the provider, and (apart from it) every secret value that it gave out. */

import { createHash } from 'node:crypto';

/** Names one secret without showing it, so that two uses of one refresh token can be told. */
export function fingerprint(value) {
  return value ? createHash('sha256').update(value).digest('hex').slice(0, 12) : undefined;
}

const KEPT = ['scope', 'resource', 'redirect_uri', 'prompt', 'login_hint', 'code_challenge_method'];

export class Record {
  constructor() {
    this.clear();
  }

  clear() {
    this.requests = [];
    this.secrets = { access_token: [], refresh_token: [], id_token: [], code: [], code_verifier: [] };
  }

  /** Note one request and how it ended. Never a secret: those go to `secrets` alone. */
  add(endpoint, ctx, { fault, started }) {
    const params = ctx.oidc?.params ?? {};
    const entry = {
      endpoint,
      method: ctx.method,
      grant_type: params.grant_type,
      client_id: ctx.oidc?.client?.clientId ?? params.client_id,
      client_auth: clientAuthentication(ctx, params),
      status: ctx.respond === false ? null : ctx.status,
      outcome: outcome(ctx),
      fault: fault?.kind,
      refresh_token: fingerprint(params.refresh_token),
      started,
      ended: Date.now(),
    };
    for (const name of KEPT) entry[name] = params[name];
    this.requests.push(entry);
    this.#collect(ctx, params);
  }

  #collect(ctx, params) {
    const body = ctx.body !== null && typeof ctx.body === 'object' ? ctx.body : {};
    const location = ctx.status === 303 || ctx.status === 302 ? ctx.response.get('Location') : '';
    const found = {
      ...body,
      code: location ? URL.parse(location)?.searchParams.get('code') : undefined,
      code_verifier: params.code_verifier,
    };
    for (const [name, values] of Object.entries(this.secrets)) {
      if (found[name] && !values.includes(found[name])) values.push(found[name]);
    }
  }
}

function clientAuthentication(ctx, params) {
  if (ctx.get('authorization').startsWith('Basic ')) return 'client_secret_basic';
  if (params.client_assertion) return 'private_key_jwt';
  return params.client_secret ? 'client_secret_post' : 'none';
}

function outcome(ctx) {
  if (ctx.respond === false) return 'dropped';
  const location = ctx.response.get('Location');
  const error = ctx.body?.error ?? (location && URL.parse(location)?.searchParams.get('error'));
  return error || (ctx.status < 400 ? 'ok' : 'failed');
}
