/**
 * A certified OpenID provider for the integration tests: oidc-provider, with pages of our own, a
 * record of what it was asked, and faults on demand. Loopback only; never for real use.
 *
 * It reads one JSON object from the first line of its input ({host, port, issuer, audience, secret,
 * settings}), prints {"issuer": …, "port": …} when it is ready, and ends when its input does, so
 * that it never outlives the tests. An issuer of its own is where something in front of it answers,
 * which ends TLS if that is https.
 */

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

import { Provider, errors } from 'oidc-provider';

import { control } from './control.mjs';
import { Faults } from './faults.mjs';
import { interactions } from './interactions.mjs';
import * as pages from './pages.mjs';
import { Record } from './record.mjs';
import { ACCOUNTS, SETTINGS, freshClients } from './settings.mjs';
import { Storage } from './storage.mjs';
import { workloads } from './workload.mjs';

const ENDPOINTS = {
  '/auth': 'authorization',
  '/token': 'token',
  '/token/revocation': 'revocation',
  '/token/introspection': 'introspection',
  '/device/auth': 'device_authorization',
  '/session/end': 'end_session',
  '/me': 'userinfo',
  '/jwks': 'jwks',
  '/.well-known/openid-configuration': 'discovery',
  '/.well-known/oauth-authorization-server': 'oauth_metadata', // which it does not have
};

function signingKeys() {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  return {
    keys: [
      { ...rsa.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'rsa' },
      { ...ec.export({ format: 'jwk' }), use: 'sig', alg: 'ES256', kid: 'ec' },
    ],
  };
}

function account(id) {
  const claims = ACCOUNTS.get(id);
  if (!claims) return undefined;
  const all = { sub: id, preferred_username: id, email_verified: true, ...claims };
  return { accountId: id, claims: async () => all };
}

/** The last two are what a Flyte platform asks for unless it is told otherwise. */
const OF_PLATFORM = ['api', 'all', 'offline'];

/** The platform that the tests' access tokens are for (RFC 8707). */
function platform({ audience, settings }) {
  return {
    enabled: true,
    defaultResource: async (ctx, client, oneOf) => {
      if (oneOf) return oneOf;
      const asked = ctx.oidc.params.scope?.split(' ') ?? [];
      return asked.some((scope) => OF_PLATFORM.includes(scope)) ? audience : undefined;
    },
    useGrantedResource: async () => true,
    getResourceServerInfo: async (ctx, resource) => {
      if (resource !== audience) throw new errors.InvalidTarget();
      return {
        scope: OF_PLATFORM.join(' '),
        audience,
        accessTokenTTL: settings.access_token_ttl,
        accessTokenFormat: settings.jwt ? 'jwt' : 'opaque',
        jwt: settings.jwt ? { sign: { alg: 'RS256' } } : undefined,
      };
    },
  };
}

function features(state) {
  return {
    devInteractions: { enabled: false },
    userinfo: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    clientCredentials: { enabled: true },
    resourceIndicators: platform(state),
    deviceFlow: {
      enabled: true,
      userCodeInputSource: (ctx, form, out, error) => {
        ctx.body = pages.enterCode(form, error ? 'That code is not right. Try again.' : '');
      },
      userCodeConfirmSource: (ctx, form, client, device, code) => {
        ctx.body = pages.confirmCode(form, code);
      },
      successSource: (ctx) => {
        ctx.body = pages.done('You are signed in', 'Go back to your device.');
      },
    },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => { ctx.body = pages.signOut(form); },
      postLogoutSuccessSource: (ctx) => { ctx.body = pages.done('Signed out', 'See you.'); },
    },
  };
}

function configuration(state) {
  const { settings } = state;
  return {
    adapter: state.storage.adapter,
    jwks: signingKeys(),
    cookies: { keys: [randomBytes(32).toString('hex')] },
    features: features(state),
    findAccount: (ctx, id) => account(id),
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['name', 'preferred_username'],
    },
    // Small providers put the person's name into the id_token; a platform's access token is not for userinfo.
    conformIdTokenClaims: false,
    scopes: ['openid', 'offline_access'],
    pkce: { required: () => true },
    interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
    issueRefreshToken: async (ctx, client) => (
      settings.refresh_tokens && client.grantTypeAllowed('refresh_token')
    ),
    rotateRefreshToken: () => settings.rotate,
    expiresWithSession: async () => false,
    extraTokenClaims: async (ctx, token) => ACCOUNTS.get(token.accountId),
    renderError: async (ctx, out) => {
      ctx.type = 'html';
      ctx.body = pages.failure(out);
    },
    ttl: {
      AccessToken: (ctx, token) => token.resourceServer?.accessTokenTTL ?? settings.access_token_ttl,
      ClientCredentials: () => settings.access_token_ttl,
      RefreshToken: () => settings.refresh_token_ttl,
      IdToken: () => settings.id_token_ttl,
      DeviceCode: () => settings.device_code_ttl,
      Interaction: () => settings.interaction_ttl,
      AuthorizationCode: 60,
      Grant: 86_400,
      Session: 86_400,
    },
  };
}

function freshState({ audience, secret, settings = {} }) {
  const clients = new Map();
  const state = {
    audience, clients, settings: {}, faults: new Faults(), record: new Record(), storage: new Storage(clients),
  };
  state.reset = () => {
    clients.clear();
    for (const [id, client] of freshClients(secret)) clients.set(id, client);
    Object.assign(state.settings, SETTINGS, settings);
    state.storage.clear();
    state.record.clear();
    state.faults.clear();
  };
  state.reset();
  return state;
}

/** Everything passes here: note it, and let a queued fault have its way with it. */
function observe({ faults, record, settings }) {
  return async (ctx, next) => {
    if (settings.coop) ctx.set('Cross-Origin-Opener-Policy', settings.coop);
    const endpoint = ENDPOINTS[ctx.path];
    const fault = endpoint && faults.take(endpoint);
    const started = Date.now();
    await (fault ? faults.play(fault, ctx, next) : next());
    if (endpoint || /^\/auth\//.test(ctx.path)) {
      record.add(endpoint ?? 'authorization_response', ctx, { fault, started });
    }
  };
}

async function main() {
  const lines = createInterface({ input: process.stdin });
  lines.once('close', () => process.exit(0));
  const [line] = await new Promise((resolve) => { lines.once('line', (...first) => resolve(first)); });
  const { host = 'localhost', port = 0, issuer: named, ...given } = JSON.parse(line);

  const server = createServer();
  await new Promise((resolve) => { server.listen(port, '127.0.0.1', resolve); });
  const listening = server.address().port;
  const issuer = named ?? `http://${host}:${listening}`;
  const state = freshState(given);
  const provider = new Provider(issuer, configuration(state));
  provider.on('server_error', (ctx, error) => console.error(error));
  workloads(provider, state);
  provider.use(observe(state));
  provider.use(control(state));
  provider.use(interactions(provider));
  server.on('request', (request) => {
    if (issuer.startsWith('https:')) request.socket.encrypted = true; // as Koa asks for it
  });
  server.on('request', provider.callback());
  process.stdout.write(`${JSON.stringify({ issuer, port: listening })}\n`);
}

await main();
