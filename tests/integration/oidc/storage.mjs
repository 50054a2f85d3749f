/** What the provider remembers, in memory, so that a test can wipe it between two sign-ins. */

const GRANTABLE = new Set(['AccessToken', 'AuthorizationCode', 'RefreshToken', 'DeviceCode']);

export class Storage {
  #records = new Map();

  /** @param {Map<string, object>} clients read on every request: redirect URIs come and go. */
  constructor(clients) {
    this.clients = clients;
  }

  clear() {
    this.#records.clear();
  }

  /** The factory that oidc-provider calls once for each of its models. */
  adapter = (model) => ({
    upsert: async (id, payload, expiresIn) => {
      const expires = expiresIn ? Date.now() + expiresIn * 1000 : Infinity;
      this.#records.set(`${model}:${id}`, { model, payload, expires });
    },
    find: async (id) => (model === 'Client' ? this.clients.get(id) : this.#find(`${model}:${id}`)),
    findByUid: async (uid) => this.#search(model, (payload) => payload.uid === uid),
    findByUserCode: async (code) => this.#search(model, (payload) => payload.userCode === code),
    consume: async (id) => {
      this.#find(`${model}:${id}`).consumed = Math.floor(Date.now() / 1000);
    },
    destroy: async (id) => {
      this.#records.delete(`${model}:${id}`);
    },
    revokeByGrantId: async (grantId) => this.#revoke(grantId),
  });

  #find(key) {
    const record = this.#records.get(key);
    return record && record.expires > Date.now() ? record.payload : undefined;
  }

  #search(model, wanted) {
    for (const record of this.#records.values()) {
      if (record.model === model && record.expires > Date.now() && wanted(record.payload)) {
        return record.payload;
      }
    }
    return undefined;
  }

  #revoke(grantId) {
    for (const [key, { model, payload }] of this.#records) {
      if (GRANTABLE.has(model) && payload.grantId === grantId) this.#records.delete(key);
    }
  }
}
