import { Signal } from '@lumino/signaling';

import { followEvents, SESSION_EVENT } from '../events';
import { RefusedError } from '../request';
import { Sessions } from '../sessions';
import { BASE, FakeApi, session } from './fakes';

let api: FakeApi;
let sessions: Sessions;
let changes: number;

async function pass(seconds: number): Promise<void> {
  await jest.advanceTimersByTimeAsync(seconds * 1000);
}

beforeEach(() => {
  localStorage.clear();
  jest.useFakeTimers();
  api = new FakeApi();
  sessions = new Sessions(BASE, api);
  changes = 0;
  sessions.changed.connect(() => (changes += 1));
});

afterEach(() => {
  sessions.dispose();
  jest.useRealTimers();
});

it('asks for nothing before it is started', async () => {
  const profiles = jest.spyOn(api, 'profiles');
  await pass(300);
  expect(profiles).not.toHaveBeenCalled();
  expect(sessions.profiles).toBeNull();
});

it('knows the profiles, in the order of the server', async () => {
  const dev = session({ profile: 'dev', state: 'signed_in' });
  api.list = {
    default: 'prod',
    profiles: [session(), dev],
    problems: [],
    can_add: true,
    can_choose: true
  };
  sessions.start();
  await pass(0.1);
  expect(sessions.profiles).toEqual(['prod', 'dev']);
  expect(sessions.defaultProfile).toBe('prod');
  expect(sessions.read('dev')).toEqual({ session: dev, problem: null });
  expect(changes).toBe(1);
});

it('follows a profile once, however many look', async () => {
  const first = sessions.watch('prod');
  const second = sessions.watch('prod');
  await pass(0.1);
  expect(api.questions).toHaveLength(1);
  first.dispose();
  expect(api.last.signal?.aborted).toBe(false);
  second.dispose();
  expect(api.last.signal?.aborted).toBe(true);
});

it('keeps what it knew while the server does not answer', async () => {
  sessions.watch('prod');
  await pass(0.1);
  api.last.answer(session({ state: 'signed_in' }));
  await pass(0.4);
  api.last.fail(new TypeError('network'));
  await pass(0.1);
  expect(sessions.read('prod')).toEqual({
    session: session({ state: 'signed_in' }),
    problem: { kind: 'unreachable' }
  });
});

it('believes who follows a session over an older list', async () => {
  sessions.watch('prod');
  await pass(0.1);
  api.last.answer(session({ revision: 2, state: 'signed_in' }));
  await pass(0.1);
  sessions.start();
  await pass(0.1);
  expect(sessions.read('prod').session?.revision).toBe(2);
});

it('looks at the list often while it is shown, seldom otherwise', async () => {
  const profiles = jest.spyOn(api, 'profiles');
  sessions.start();
  await pass(10);
  expect(profiles).toHaveBeenCalledTimes(1);
  const shown = sessions.watchAll();
  await pass(10);
  expect(profiles.mock.calls.length).toBeGreaterThanOrEqual(5);
  shown.dispose();
  await pass(2);
  profiles.mockClear();
  await pass(55);
  expect(profiles).not.toHaveBeenCalled();
});

it('shows at once what a deed led to', async () => {
  api.reply = session({ revision: 2 });
  await sessions.act('prod', 'sign-out');
  expect(api.deeds).toEqual([['prod', 'sign-out', undefined]]);
  expect(sessions.read('prod').session?.revision).toBe(2);
});

it('knows deeds of this browser, under way and done', async () => {
  const there = new Sessions(BASE, new FakeApi());
  const isOwn = (revision: number) => [
    sessions.isOwnDeed(session({ revision })),
    there.isOwnDeed(session({ revision }))
  ];
  expect(isOwn(2)).toEqual([false, false]);
  api.reply = session({ revision: 2 });
  const deed = sessions.act('prod', 'sign-out');
  expect(isOwn(2)).toEqual([true, true]);
  await deed;
  expect(isOwn(2)).toEqual([true, true]);
  expect(isOwn(3)).toEqual([false, false]);
  there.dispose();
});

it('does not take for its own what follows a deed that came to nothing', async () => {
  api.reply = new RefusedError(409, null);
  await sessions.act('prod', 'sign-out').catch(() => undefined);
  expect(sessions.isOwnDeed(session({ revision: 2 }))).toBe(false);
  void sessions.act('prod', 'sign-out').catch(() => undefined);
  jest.setSystemTime(Date.now() + 61_000); // its window was closed meanwhile
  expect(sessions.isOwnDeed(session({ revision: 2 }))).toBe(false);
});

it('hands a refusal to whoever asked', async () => {
  api.reply = new RefusedError(409, null);
  await expect(sessions.act('prod', 'cancel')).rejects.toBe(api.reply);
});

it('keeps where to sign out at the provider while that is of use', async () => {
  const logout_url = 'https://id.example.com/logout';
  api.reply = session({ revision: 5, logout_url });
  await sessions.act('prod', 'sign-out');
  const known = () => sessions.read('prod').session?.logout_url;
  sessions.refresh(); // the list does not say it again
  await pass(1);
  expect(known()).toBe(logout_url);
  api.reply = session({ revision: 6, state: 'signed_in' });
  await sessions.act('prod', 'sign-in');
  expect(known()).toBeNull();
  api.reply = session({ revision: 7 });
  await sessions.act('prod', 'cancel');
  expect(known()).toBeNull();
});

describe('events', () => {
  const stream = new Signal<object, { schema_id: string }>({});
  let profiles: jest.SpyInstance;

  beforeEach(() => {
    profiles = jest.spyOn(api, 'profiles');
    followEvents({ stream } as never, sessions);
  });

  it('make it ask, once for many', async () => {
    for (let event = 0; event < 50; event++) {
      stream.emit({ schema_id: SESSION_EVENT });
    }
    await pass(1);
    expect(profiles).toHaveBeenCalledTimes(1);
  });

  it('are not believed', async () => {
    const forged = {
      schema_id: SESSION_EVENT,
      profile: 'prod',
      state: 'signed_in'
    };
    stream.emit(forged);
    await pass(1);
    expect(sessions.read('prod').session?.state).toBe('signed_out');
  });

  it('of others say nothing', async () => {
    stream.emit({ schema_id: 'https://events.jupyter.org/x/v1' });
    await pass(1);
    expect(profiles).not.toHaveBeenCalled();
  });
});

it('no longer listens to events when it is disposed', () => {
  const stream = new Signal<object, { schema_id: string }>({});
  const errors = jest.spyOn(console, 'error').mockReturnValue();
  followEvents({ stream } as never, sessions);
  sessions.dispose();
  stream.emit({ schema_id: SESSION_EVENT });
  expect(errors).not.toHaveBeenCalled();
});

it('does without events where the application has none', () => {
  expect(() => followEvents(undefined, sessions)).not.toThrow();
});
