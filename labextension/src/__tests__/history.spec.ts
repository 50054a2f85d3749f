import { History } from '../history';
import { readProfiles } from '../session';
import { Sessions } from '../sessions';
import { BASE, FakeApi, sent, words } from './fakes';
import { panelWords } from './panelFakes';

let api: FakeApi;
let sessions: Sessions;
let history: History;

async function know(list: object | Error): Promise<void> {
  api.list =
    list instanceof Error
      ? list
      : readProfiles({ default: null, profiles: [sent(list)] });
  sessions.refresh();
  await jest.advanceTimersByTimeAsync(100);
}

function texts(): string[] {
  return history.of('prod').map(({ text }) => text);
}

const ADA = { state: 'signed_in', signed_in_as: 'ada@example.com' };

beforeEach(() => {
  jest.useFakeTimers();
  api = new FakeApi();
  sessions = new Sessions(BASE, api);
  history = new History(sessions, words, panelWords);
});

afterEach(() => {
  history.dispose();
  sessions.dispose();
  jest.useRealTimers();
});

it('begins with what the server still knows', async () => {
  await know({ ...ADA, signed_in_at: 1000, refreshed_at: 2000 });
  expect(history.of('prod').map(({ at }) => at)).toEqual([2000, 1000]);
  expect(texts()).toEqual(['Token renewed', 'Signed in as ada@example.com']);
});

it('notes what becomes of a session, the latest first', async () => {
  await know({});
  await know({ state: 'signing_in', revision: 2 });
  await know({ ...ADA, refreshed_at: 1000, revision: 3 });
  await know({ ...ADA, refreshed_at: 5000, revision: 4 });
  expect(texts()).toEqual([
    'Token renewed',
    'Signed in as ada@example.com',
    'Waiting for you to sign in'
  ]);
});

it('notes a refresh that failed, once', async () => {
  const last_error = { what: 'It rains.', why: '', fix: '' };
  await know(ADA);
  await know({ ...ADA, last_error, revision: 2 });
  await know({ ...ADA, last_error, revision: 3 });
  expect(texts()).toEqual(['Refresh failed: It rains.']);
});

it('notes that the server was away', async () => {
  await know({});
  await know(new TypeError('network'));
  await know({});
  expect(texts()).toEqual([
    'The Jupyter server answers again',
    'The Jupyter server does not answer'
  ]);
});

it('forgets the oldest', async () => {
  for (let revision = 1; revision < 30; revision += 1) {
    const state = revision % 2 ? 'signed_out' : 'signing_in';
    await know({ state, revision });
  }
  expect(texts()).toHaveLength(12);
});
