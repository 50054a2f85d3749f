import { ServerConnection } from '@jupyterlab/services';

import { problemOf } from '../problem';
import { RefusedError, SessionApi } from '../request';
import { ProtocolError } from '../session';
import { BASE, session } from './fakes';

/** The little of the fetch API that is used; jsdom has none. */
class FakeRequest {
  readonly headers = new Map<string, string>();
  readonly method: string;
  readonly body: string | undefined;
  readonly signal: AbortSignal;

  constructor(
    readonly url: string,
    init: RequestInit
  ) {
    this.method = init.method ?? 'GET';
    this.body = init.body as string | undefined;
    this.signal = init.signal as AbortSignal;
    Object.assign(this.headers, { append: this.headers.set });
  }
}

let asked: FakeRequest[];
let answer: (request: FakeRequest) => Promise<object>;

function api(): SessionApi {
  return new SessionApi({
    baseUrl: BASE,
    token: 'jupyter-token',
    init: { cache: 'no-store', credentials: 'same-origin' },
    Request: FakeRequest,
    Headers: Map,
    fetch: (request: FakeRequest) => {
      asked.push(request);
      return answer(request);
    }
  } as unknown as ServerConnection.ISettings);
}

function json(
  status: number,
  body: unknown,
  headers: Record<string, string> = {}
): () => Promise<object> {
  return async () => ({
    ok: status < 400,
    status,
    headers: new Headers(headers),
    json: async () => body
  });
}

beforeEach(() => {
  asked = [];
  answer = json(200, session());
});

it('asks for a session without counting as activity', async () => {
  await api().session('prod');
  const url = new URL(asked[0].url);
  expect(url.pathname).toBe('/a%40b/platform-auth/api/v1/profiles/prod');
  expect(url.searchParams.get('no_track_activity')).toBe('1');
  expect(url.searchParams.has('wait')).toBe(false);
});

it('can wait for another revision', async () => {
  await api().session('prod', { since: 7, wait: 25 });
  const { searchParams } = new URL(asked[0].url);
  expect(searchParams.get('since')).toBe('7');
  expect(searchParams.get('wait')).toBe('25');
});

it('posts through the connection of JupyterLab, which adds the XSRF token', async () => {
  document.cookie = '_xsrf=check';
  await api().post('prod', 'complete', { url: 'http://localhost/?code=x' });
  const [request] = asked;
  expect(request.method).toBe('POST');
  expect(request.url).toMatch(/\/profiles\/prod\/complete\?\d+$/);
  expect(JSON.parse(request.body ?? '')).toEqual({
    url: 'http://localhost/?code=x'
  });
  expect(request.headers.get('X-XSRFToken')).toBe('check');
});

it('never puts a pasted address into an address', async () => {
  await api().post('prod', 'complete', { url: 'http://localhost/?code=x' });
  expect(asked[0].url).not.toContain('code');
});

it('asks for the picture of a code', async () => {
  const qr = { size: 29, path: 'M4 4h7v1h-7z' };
  answer = json(200, { qr });
  expect(await api().qrCode('prod')).toEqual(qr);
  expect(new URL(asked[0].url).pathname).toMatch(/\/profiles\/prod\/qr$/);
  answer = json(200, { qr: null });
  expect(await api().qrCode('prod')).toBeNull();
});

describe('a server whose clock is late', () => {
  const expires_at = 1_800_000_000;
  const sent = { ...session(), expires_at };

  function said(secondsLate: number): Record<string, string> {
    const date = new Date(Date.now() - secondsLate * 1000);
    return { Date: date.toUTCString() };
  }

  it('has its times told by the clock of this browser', async () => {
    answer = json(200, sent, said(300));
    const { expires_at: shown } = await api().session('prod');
    expect(Math.round((shown ?? 0) - expires_at)).toBeGreaterThanOrEqual(299);
    expect(Math.round((shown ?? 0) - expires_at)).toBeLessThanOrEqual(302);
  });

  it('is believed once: times must not flicker', async () => {
    const one = api();
    answer = json(200, sent, said(300));
    const first = await one.session('prod');
    answer = json(200, sent, said(301));
    expect((await one.session('prod')).expires_at).toBe(first.expires_at);
  });

  it('is not measured by an answer that was held back', async () => {
    answer = json(200, sent, said(25));
    const { expires_at: shown } = await api().session('prod', {
      since: 1,
      wait: 25
    });
    expect(shown).toBe(expires_at);
  });

  it.each([{}, { Date: 'yesterday' }, said(1)])(
    'may as well say %j',
    async headers => {
      answer = json(200, sent, headers as Record<string, string>);
      expect((await api().session('prod')).expires_at).toBe(expires_at);
    }
  );
});

it('gives up a wait that the server forgot', async () => {
  jest.useFakeTimers();
  answer = request =>
    new Promise((_, fail) =>
      request.signal.addEventListener('abort', () => fail(new TypeError()))
    );
  const asking = api().session('prod', { since: 1, wait: 25 });
  const failed = expect(asking).rejects.toBeInstanceOf(TypeError);
  await jest.advanceTimersByTimeAsync(41_000);
  await failed;
  jest.useRealTimers();
});

it('gives up when nobody wants the answer any more', async () => {
  answer = request =>
    new Promise((_, fail) =>
      request.signal.addEventListener('abort', () => fail(new TypeError()))
    );
  const controller = new AbortController();
  const asking = api().session('prod', { signal: controller.signal });
  controller.abort();
  await expect(asking).rejects.toBeInstanceOf(TypeError);
});

it('refuses an answer that is none', async () => {
  answer = json(200, { hello: 'world' });
  await expect(api().session('prod')).rejects.toBeInstanceOf(ProtocolError);
});

describe('problemOf', () => {
  async function problem(status: number, body: unknown) {
    answer = json(status, body);
    return api()
      .session('prod')
      .then(() => null, problemOf);
  }

  it.each([
    [401, 'logged-out'],
    [403, 'logged-out'],
    [404, 'missing'],
    [500, 'unreachable'],
    [502, 'unreachable'],
    [504, 'unreachable']
  ])('sorts a bare %i as %s', async (status, kind) => {
    expect(await problem(status, { message: 'Forbidden' })).toEqual({ kind });
  });

  it('hands on what the server says', async () => {
    const error = {
      code: 'profile_not_found',
      what: 'There is no profile named nope.',
      why: '',
      fix: 'Did you mean prod?',
      retryable: false
    };
    expect(await problem(404, { error })).toEqual({ kind: 'refused', error });
  });

  it('takes a page of a proxy for no answer', async () => {
    answer = async () => ({
      ok: false,
      status: 503,
      headers: new Headers(),
      json: async () => JSON.parse('<html>')
    });
    const reason = await api()
      .profiles()
      .catch(error => error);
    expect(reason).toBeInstanceOf(RefusedError);
    expect(problemOf(reason)).toEqual({ kind: 'unreachable' });
  });

  it('takes a network fault for no answer', () => {
    expect(problemOf(new TypeError('Failed to fetch'))).toEqual({
      kind: 'unreachable'
    });
  });

  it('asks for a reload where versions differ', () => {
    expect(problemOf(new ProtocolError())).toEqual({ kind: 'other-version' });
  });
});
