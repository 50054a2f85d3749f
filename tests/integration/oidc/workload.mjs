/**
 * Workloads that somebody else vouches for: the grants of RFC 8693 and of RFC 7523 §2.1. Who may
 * vouch is `workload_keys`, a JWK set, under the issuer `https://cluster.example`; what is shown
 * must be meant for this provider.
 */

import { createLocalJWKSet, jwtVerify } from 'jose';
import { errors } from 'oidc-provider';

const CLUSTER = 'https://cluster.example';
const JWT = 'urn:ietf:params:oauth:token-type:jwt';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

export const GRANTS = {
  'urn:ietf:params:oauth:grant-type:token-exchange': {
    shown: 'subject_token',
    params: ['subject_token', 'subject_token_type', 'requested_token_type', 'scope', 'audience'],
    said: { issued_token_type: ACCESS_TOKEN },
    check: ({ subject_token_type: type }) => type === JWT,
  },
  'urn:ietf:params:oauth:grant-type:jwt-bearer': {
    shown: 'assertion', params: ['assertion', 'scope'], said: {}, check: () => true,
  },
};

async function vouched(text, { settings }, provider) {
  if (!text || !settings.workload_keys) throw new errors.InvalidGrant('nobody vouches for it');
  const keys = createLocalJWKSet(settings.workload_keys);
  try {
    await jwtVerify(text, keys, { issuer: CLUSTER, audience: provider.issuer });
  } catch (error) {
    // As talkative as some are: it says why, and repeats what it was shown.
    const description = `${error.message}: ${text}`;
    throw Object.assign(new errors.InvalidGrant(description), { error_description: description });
  }
}

export function workloads(provider, state) {
  for (const [name, { shown, params, said, check }] of Object.entries(GRANTS)) {
    provider.registerGrantType(name, async (ctx) => {
      const { client, params: asked } = ctx.oidc;
      if (!check(asked)) throw new errors.InvalidRequest('that token type is not known');
      await vouched(asked[shown], state, provider);
      const token = new provider.ClientCredentials({ client, scope: asked.scope });
      token.resourceServer = new provider.ResourceServer(
        state.audience, { scope: asked.scope, accessTokenTTL: state.settings.access_token_ttl,
          accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } },
      );
      ctx.body = {
        access_token: await token.save(), expires_in: token.expiration, token_type: 'Bearer', ...said,
      };
    }, params);
  }
}
