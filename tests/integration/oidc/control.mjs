/** The tests' own way in, `/_test/…`: read the record, set a fault, register a client, start over. */

async function json(ctx) {
  const chunks = [];
  for await (const chunk of ctx.req) chunks.push(chunk);
  return chunks.length ? JSON.parse(Buffer.concat(chunks).toString()) : {};
}

function actions({ clients, faults, record, settings, reset }) {
  return {
    'GET /_test/log': () => record.requests,
    'GET /_test/secrets': () => record.secrets,
    'GET /_test/held': () => ({ held: faults.held }),
    'POST /_test/reset': () => reset(),
    'POST /_test/release': () => faults.release(),
    'POST /_test/faults': (body) => faults.add(body),
    'POST /_test/settings': (body) => {
      const unknown = Object.keys(body).filter((name) => !(name in settings));
      if (unknown.length) throw new TypeError(`no such setting: ${unknown.join(', ')}`);
      Object.assign(settings, body);
    },
    'POST /_test/clients': ({ client_id: id, ...metadata }) => {
      clients.set(id, { client_id: id, ...clients.get(id), ...metadata });
      return clients.get(id);
    },
  };
}

export function control(state) {
  const routes = actions(state);
  return async (ctx, next) => {
    if (!ctx.path.startsWith('/_test/')) return next();
    const action = routes[`${ctx.method} ${ctx.path}`];
    if (!action) return ctx.throw(404);
    try {
      ctx.body = action(await json(ctx)) ?? {};
    } catch (error) {
      ctx.status = 400;
      ctx.body = { error: error.message };
    }
    return undefined;
  };
}
