/** Who may sign in, which clients exist, and how long things last: the provider's first state. */

export const ACCOUNTS = new Map([
  ['ada', { email: 'ada@example.com', name: 'Ada Lovelace' }],
  ['grace', { email: 'grace@example.com', name: 'Grace Hopper' }],
]);

export const SETTINGS = {
  access_token_ttl: 300,
  refresh_token_ttl: 86_400,
  id_token_ttl: 300,
  device_code_ttl: 300,
  interaction_ttl: 600,
  /** issue refresh tokens at all */
  refresh_tokens: true,
  /** a new refresh token with every use; using an old one revokes the whole family */
  rotate: true,
  /** access tokens for the platform are JWTs; otherwise opaque */
  jwt: true,
  /** the Cross-Origin-Opener-Policy of every page */
  coop: null,
  /** whose word on workloads is taken: a JWK set */
  workload_keys: null,
};

/** A redirect URI that nobody listens on: every client must have one until a test registers its own. */
const NOWHERE = 'http://127.0.0.1:9/callback';
const PERSON = ['authorization_code', 'refresh_token'];
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';

/** The clients of a fresh provider. `secret` is that of the confidential ones. */
export function freshClients(secret) {
  const clients = [
    {
      client_id: 'notebook',
      client_name: 'Notebook',
      token_endpoint_auth_method: 'none',
      redirect_uris: [NOWHERE],
      grant_types: [...PERSON, DEVICE],
    },
    {
      client_id: 'confidential',
      client_name: 'Notebook with a secret',
      client_secret: secret,
      token_endpoint_auth_method: 'client_secret_basic',
      redirect_uris: [NOWHERE],
      grant_types: PERSON,
    },
    {
      client_id: 'cli',
      client_name: 'Command line',
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      redirect_uris: ['http://127.0.0.1/callback', 'http://localhost/callback'],
      grant_types: [...PERSON, DEVICE],
    },
    {
      client_id: 'device',
      client_name: 'Device',
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      redirect_uris: [],
      response_types: [],
      grant_types: [DEVICE, 'refresh_token'],
    },
    ...['client_secret_basic', 'client_secret_post'].map((method) => ({
      client_id: method === 'client_secret_basic' ? 'service' : 'service-post',
      client_secret: secret,
      token_endpoint_auth_method: method,
      redirect_uris: [],
      response_types: [],
      grant_types: ['client_credentials'],
    })),
  ];
  return clients.map((client) => [client.client_id, { response_types: ['code'], ...client }]);
}
