import { readProfiles } from '../session';
import { Sessions } from '../sessions';
import { glance, StatusItem } from '../statusItem';
import { BASE, FakeApi, sent, words } from './fakes';
import { panelWords } from './panelFakes';

const said = { words, panelWords };

let api: FakeApi;
let sessions: Sessions;

async function know(list: object): Promise<void> {
  api.list = list instanceof Error ? list : readProfiles(list);
  sessions.refresh();
  await jest.advanceTimersByTimeAsync(100);
}

beforeEach(() => {
  jest.useFakeTimers();
  api = new FakeApi();
  sessions = new Sessions(BASE, api);
});

afterEach(() => {
  sessions.dispose();
  jest.useRealTimers();
});

const dev = { profile: 'dev', platform: 'dev.example.com' };

it('says nothing while there is nothing to say', async () => {
  expect(glance(sessions, said)).toBeNull();
  await know({ default: null, profiles: [] });
  expect(glance(sessions, said)).toBeNull();
});

it('says what is wrong with the configuration', async () => {
  const what = 'profiles.yaml is broken.';
  const error = { code: '', what, why: '', fix: 'Mend it.', retryable: false };
  await know({ default: null, profiles: [], problems: [error] });
  expect(glance(sessions, said)).toMatchObject({
    glyph: 'alert',
    title: 'profiles.yaml is broken. Mend it.'
  });
});

it('says how the default platform stands', async () => {
  const ada = {
    state: 'signed_in',
    signed_in_as: 'ada@example.com',
    expires_at: Date.now() / 1000 + 49 * 60 + 5
  };
  await know({ default: 'prod', profiles: [sent(dev), sent(ada)] });
  expect(glance(sessions, said)).toEqual({
    state: 'signed_in',
    glyph: 'check',
    label: 'flyte.example.com',
    detail: 'ada@example.com · 49 min',
    title: 'flyte.example.com: Signed in as ada@example.com, 49 min left'
  });
});

it.each([
  ['signed_out', 'signed out'],
  ['expired', 'needs you'],
  ['failed', 'needs you']
])('says in two words that the default is %s', async (state, detail) => {
  await know({ default: 'prod', profiles: [sent({ state })] });
  expect(glance(sessions, said)).toMatchObject({ state, detail });
});

it('puts the platform first that waits for the person', async () => {
  const waiting = sent({ ...dev, state: 'signing_in' });
  const signedIn = sent({ state: 'signed_in' });
  await know({ default: 'prod', profiles: [signedIn, waiting] });
  expect(glance(sessions, said)).toMatchObject({
    state: 'signing_in',
    label: 'dev.example.com',
    detail: 'signing in'
  });
});

it('counts where none is the default', async () => {
  const signedIn = sent({ ...dev, state: 'signed_in' });
  await know({ default: null, profiles: [sent(), signedIn] });
  expect(glance(sessions, said)).toMatchObject({
    state: 'signed_in',
    label: '1 of 2 signed in'
  });
});

it('says that the server is gone', async () => {
  await know({ default: 'prod', profiles: [sent()] });
  await know(new TypeError('network'));
  expect(glance(sessions, said)).toMatchObject({
    state: 'unreachable',
    label: 'flyte.example.com'
  });
});

it('is a button that opens more, and hidden until it knows something', async () => {
  const onOpen = jest.fn();
  const item = new StatusItem(sessions, said, onOpen);
  const button = item.node.querySelector('button')!;
  expect(button.hidden).toBe(true);
  await know({ default: 'prod', profiles: [sent()] });
  expect(button.hidden).toBe(false);
  expect(button.getAttribute('aria-label')).toBe(
    'flyte.example.com: Signed out'
  );
  button.click();
  expect(onOpen).toHaveBeenCalledTimes(1);
  item.dispose();
});
