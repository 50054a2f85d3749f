import { Widget } from '@lumino/widgets';

import { ConnectionRow } from '../connectionRow';
import { History } from '../history';
import { DeedError } from '../inject';
import { readProfiles } from '../session';
import { Sessions } from '../sessions';
import { BASE, FakeApi, sent, words } from './fakes';
import { FakeDeeds, panelWords } from './panelFakes';

const openMenu = jest.fn();
let api: FakeApi;
let sessions: Sessions;
let deeds: FakeDeeds;
let row: ConnectionRow;

async function know(session: object): Promise<void> {
  api.list = readProfiles({ default: 'prod', profiles: [sent(session)] });
  sessions.refresh();
  await jest.advanceTimersByTimeAsync(100);
}

function text(selector: string): string | null | undefined {
  return row.node.querySelector(selector)?.textContent;
}

/** Why it is locked, for those who point at it and for those who hear it. */
function lock(): string | null {
  const [found = null, ...more] = row.node.querySelectorAll<HTMLElement>(
    '.pa-lock[role="img"]'
  );
  expect(more).toEqual([]);
  expect(found?.title).toBe(found?.getAttribute('aria-label') ?? undefined);
  return found && found.title;
}

async function press(name: string): Promise<HTMLElement> {
  const button = row.node.querySelector<HTMLElement>(`[aria-label="${name}"]`)!;
  button.click();
  await jest.advanceTimersByTimeAsync(1);
  return button;
}

beforeEach(async () => {
  jest.useFakeTimers();
  api = new FakeApi();
  sessions = new Sessions(BASE, api);
  deeds = new FakeDeeds();
  const history = new History(sessions, words, panelWords);
  const options = { sessions, words, panelWords, history, deeds, openMenu };
  await know({ source: 'admin', locked: true });
  row = new ConnectionRow('prod', options);
  Widget.attach(row, document.body);
});

afterEach(() => {
  row.dispose();
  sessions.dispose();
  jest.useRealTimers();
});

it('tells where a profile comes from, and that it is locked', async () => {
  const parts = [...row.node.querySelectorAll('.pa-meta-part')];
  expect(parts.map(part => part.textContent)).toEqual([
    'default',
    'Browser',
    'Administrator'
  ]);
  expect(lock()).toBe('Only your administrator can change it');
  await know({ source: 'user', locked: false });
  expect(text('.pa-meta')).toBe('defaultBrowserYour profiles');
  expect(lock()).toBeNull();
});

it('is locked where it comes from Flyte’s files, and says why', async () => {
  await know({ source: 'flyte', locked: false });
  expect(text('.pa-meta')).toBe('defaultBrowserFlyte config');
  const why = 'It is read from Flyte’s files and variables: edit it there';
  expect(lock()).toBe(why);
  expect(text('.pa-facts')).toContain(`Flyte config. ${why}`);
});

it('says anew why it is locked, once that is another reason', async () => {
  await know({ source: 'flyte', locked: false });
  await know({ source: 'flyte', locked: true });
  expect(lock()).toBe('Only your administrator can change it');
});

it('has its tools below the field where an address is pasted', async () => {
  const challenge = { kind: 'paste', url: 'https://id.example.com/auth' };
  await know({ state: 'signing_in', challenge });
  const order = [...row.node.querySelectorAll('a, input, button')];
  const names = order.map(
    each => each.getAttribute('aria-label') ?? each.textContent
  );
  expect(names.slice(0, 5)).toEqual([
    'Sign in at id.example.com',
    '',
    'Finish',
    'Cancel',
    'Use in notebook'
  ]);
});

it('tells how long a sign-in lasts', async () => {
  const expires_at = Date.now() / 1000 + 49 * 60 + 5;
  await know({ state: 'signed_in', expires_at });
  expect(text('.pa-left')).toBe('49 min left');
  await know({ state: 'signed_in', expires_at, next_refresh: expires_at - 60 });
  expect(text('.pa-left')).toBe('49 min left, renewed automatically');
});

it.each([
  ['Use in notebook', 'use prod'],
  ['Insert cell', 'insert prod'],
  ['Copy code', 'copy prod']
])('does as its button says: %s', async (name, deed) => {
  await press(name);
  expect(deeds.asked).toEqual([deed]);
  expect(text('.pa-note')).toBe('Done.');
});

it('says what went wrong', async () => {
  deeds.result = Promise.reject(new DeedError('There is no kernel.'));
  await press('Use in notebook');
  expect(text('.pa-note[data-state="failed"]')).toBe('There is no kernel.');
});

it('says what came of the last thing asked for, whenever that comes', async () => {
  let end = (_: string) => undefined as void;
  deeds.result = new Promise(resolve => (end = resolve));
  await press('Use in notebook');
  expect(text('.pa-note[data-state="waiting"]')).toBe('Waiting…');
  deeds.result = Promise.resolve('Copied.');
  await press('Copy code');
  end('Too late.');
  await jest.advanceTimersByTimeAsync(1);
  expect(text('.pa-note')).toBe('Copied.');
});

it('unfolds its details', async () => {
  const details = row.node.querySelector<HTMLElement>('.pa-details')!;
  expect(details.hidden).toBe(true);
  const button = await press('Details');
  expect(details.hidden).toBe(false);
  expect(button.getAttribute('aria-expanded')).toBe('true');
  expect(text('.pa-facts')).toContain(
    'Administrator. Only your administrator can change it'
  );
  await press('Details');
  expect(details.hidden).toBe(true);
});

it('opens a menu below its button', async () => {
  const button = await press('More');
  expect(openMenu).toHaveBeenCalledWith('prod', button);
});
