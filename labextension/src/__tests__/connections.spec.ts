import { Widget } from '@lumino/widgets';

import { Connections } from '../connections';
import { readProfiles } from '../session';
import { Sessions } from '../sessions';
import { History } from '../history';
import { BASE, FakeApi, sent, words } from './fakes';
import { FakeDeeds, panelWords } from './panelFakes';

const ERROR = {
  code: 'config',
  what: 'nonsense is not a setting.',
  why: '',
  fix: 'Known: admin.',
  retryable: false
};

let api: FakeApi;
let sessions: Sessions;
let list: Connections;

async function show(
  profiles: object[],
  problems: object[] = []
): Promise<void> {
  api.list = readProfiles({ default: null, profiles, problems });
  sessions.refresh();
  await jest.advanceTimersByTimeAsync(100);
}

function texts(selector: string): (string | null)[] {
  const found = [...list.node.querySelectorAll(selector)];
  return found.map(({ textContent }) => textContent);
}

beforeEach(() => {
  jest.useFakeTimers();
  api = new FakeApi();
  sessions = new Sessions(BASE, api);
  list = new Connections({
    sessions,
    words,
    panelWords,
    history: new History(sessions, words, panelWords),
    deeds: new FakeDeeds(),
    openMenu: jest.fn()
  });
  Widget.attach(list, document.body);
});

afterEach(() => {
  list.dispose();
  sessions.dispose();
  jest.useRealTimers();
});

it('has a row for each profile, in the order of the server', async () => {
  const dev = { profile: 'dev', platform: 'dev.example.com' };
  await show([sent(), sent({ ...dev, state: 'signed_in' })]);
  expect(texts('.pa-login-profile')).toEqual(['prod', 'dev']);
  expect(texts('.pa-button')).toEqual(['Sign in', 'Sign out']);
});

it('says it when there is none', async () => {
  await show([]);
  expect(texts('.pa-login-line')).toEqual([words.noProfiles]);
});

it('signs out', async () => {
  await show([sent({ state: 'signed_in' })]);
  list.node.querySelector<HTMLElement>('.pa-button')!.click();
  await jest.advanceTimersByTimeAsync(100);
  expect(api.deeds).toEqual([['prod', 'sign-out', undefined]]);
});

it('says what is wrong with the configuration, before all else', async () => {
  await show([sent()], [ERROR]);
  expect(list.node.firstElementChild?.textContent).toBe(
    'nonsense is not a setting. Known: admin.'
  );
});

it('does not say again what a profile says', async () => {
  await show([sent({ state: 'failed', error: ERROR })], [ERROR]);
  expect(texts('.pa-login-warning')).toEqual([]);
  expect(texts('.pa-login-line')).toEqual([ERROR.what, ERROR.fix]);
});

it('keeps a row while its session changes', async () => {
  await show([sent()]);
  const row = list.node.querySelector('.pa-login');
  await show([sent({ state: 'signed_in', revision: 2 })]);
  expect(list.node.querySelector('.pa-login')).toBe(row);
});

it('keeps rows where others come and go around them', async () => {
  const other = (profile: string) => sent({ profile, platform: profile });
  await show([sent(), other('b')]);
  const [row] = list.node.querySelectorAll('.pa-connection');
  const field = row.querySelector<HTMLElement>('.pa-tool')!;
  field.focus();
  await show([sent(), other('c')]);
  expect(list.node.querySelector('.pa-connection')).toBe(row);
  expect(document.activeElement).toBe(field);
  expect(texts('.pa-login-platform')).toEqual(['flyte.example.com', 'c']);
});

it('follows the list while it is shown', async () => {
  const profiles = jest.spyOn(api, 'profiles');
  await jest.advanceTimersByTimeAsync(10_000);
  expect(profiles.mock.calls.length).toBeGreaterThan(3);
  Widget.detach(list);
  await jest.advanceTimersByTimeAsync(5_000);
  profiles.mockClear();
  await jest.advanceTimersByTimeAsync(50_000);
  expect(profiles).not.toHaveBeenCalled();
});
