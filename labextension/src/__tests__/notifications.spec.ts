import { IClaims } from '../claims';
import { IBoard, Notifier } from '../notifications';
import { NoticeWords } from '../noticeWords';
import { Sessions } from '../sessions';
import { Preferences } from '../settings';
import { BASE, FakeApi, session, trans } from './fakes';

const ERROR = {
  code: 'x',
  what: 'It broke.',
  why: '',
  fix: 'Mend it.',
  retryable: false
};

/** The windows of one browser: what each has told counts for all. */
class SharedClaims implements IClaims {
  readonly told = new Map<string, string>();

  claim(profile: string, cause: string): boolean {
    const isNew = this.told.get(profile) !== cause;
    this.told.set(profile, cause);
    return isNew;
  }

  forget(profile: string): void {
    this.told.delete(profile);
  }
}

type Shown = { message: string; actions: { callback: () => void }[] };

class Board {
  readonly shown = new Map<string, Shown>();
  emitted = 0;

  emit(message: string, _type: string, { actions }: Shown): string {
    const id = String((this.emitted += 1));
    this.shown.set(id, { message, actions });
    return id;
  }

  update({ id, ...shown }: Shown & { id: string }): boolean {
    return this.shown.has(id) && !!this.shown.set(id, shown);
  }

  dismiss(id: string): void {
    this.shown.delete(id);
  }

  get messages(): string[] {
    return [...this.shown.values()].map(({ message }) => message);
  }
}

/** A window of JupyterLab. */
class Window {
  readonly api = new FakeApi();
  readonly sessions = new Sessions(BASE, this.api);
  readonly board = new Board();
  readonly preferences = new Preferences();
  readonly begun: unknown[] = [];
  readonly opened: string[] = [];
  patience: number | null = 0;

  constructor(claims: IClaims) {
    new Notifier({
      sessions: this.sessions,
      preferences: this.preferences,
      signIns: { begin: (...args) => this.begun.push(args) },
      words: new NoticeWords(trans),
      claims,
      board: this.board as unknown as IBoard,
      patience: () => this.patience,
      open: profile => this.opened.push(profile)
    });
  }

  /** See a session as it is now, on the server. */
  async see(changes: object): Promise<void> {
    this.api.list = {
      default: 'prod',
      profiles: [session(changes)],
      problems: [],
      can_add: true,
      can_choose: true
    };
    this.sessions.refresh();
    await jest.advanceTimersByTimeAsync(10);
  }
}

let claims: SharedClaims;
let here: Window;

beforeEach(async () => {
  localStorage.clear();
  jest.useFakeTimers();
  claims = new SharedClaims();
  here = new Window(claims);
  here.sessions.start();
  await here.see({ state: 'signing_in' });
});

afterEach(() => {
  here.sessions.dispose();
  jest.useRealTimers();
});

const FAILED = { state: 'failed', revision: 2, error: ERROR };

it('tells of a failure once, however often it is seen', async () => {
  await here.see(FAILED);
  await here.see(FAILED);
  here.api.list = new Error('the server does not answer');
  here.sessions.refresh();
  await jest.advanceTimersByTimeAsync(10);
  await here.see(FAILED);
  expect(here.board.emitted).toBe(1);
  expect(here.board.messages[0]).toContain('It broke.\nMend it.');
});

it('has a button that signs in, and one that shows more', async () => {
  await here.see(FAILED);
  const [{ actions }] = [...here.board.shown.values()];
  actions.forEach(({ callback }) => callback());
  expect(here.begun).toEqual([['prod', { isForced: false }]]);
  expect(here.opened).toEqual(['prod']);
});

it('tells whoever tries again that it failed again', async () => {
  const interactive = false;
  await here.see({ ...FAILED, interactive });
  await here.see({ ...FAILED, interactive, revision: 3 });
  expect(here.board.emitted).toBe(1);
  const [[id, { actions }]] = [...here.board.shown];
  here.board.dismiss(id);
  actions[0].callback();
  await here.see({ ...FAILED, interactive, revision: 4 });
  expect(here.board.emitted).toBe(2);
});

it('takes back what is no longer so', async () => {
  await here.see(FAILED);
  await here.see({ state: 'signing_in', revision: 3 });
  expect(here.board.messages).toEqual([]);
});

it('tells of an end when its time comes, updates it, and takes it back', async () => {
  const now = Date.now() / 1000;
  const ends = {
    state: 'signed_in',
    refreshed_at: now,
    expires_at: now + 2_000
  };
  await here.see({ ...ends, revision: 2 });
  expect(here.board.emitted).toBe(0);
  await jest.advanceTimersByTimeAsync(1_701_000);
  expect(here.board.messages[0]).toContain('ends at');
  await here.see({ state: 'expired', revision: 2 });
  expect(here.board.messages[0]).toContain('has ended');
  expect(here.board.emitted).toBe(1);
  await here.see({ state: 'signed_in', revision: 4 });
  expect(here.board.messages).toEqual([]);
});

it('says nothing more of an end that was waved away', async () => {
  const now = Date.now() / 1000;
  const ends = { state: 'signed_in', refreshed_at: now, expires_at: now + 10 };
  await here.see({ ...ends, revision: 2 });
  await jest.advanceTimersByTimeAsync(9_000);
  here.board.shown.clear();
  await here.see({ state: 'expired', revision: 2 });
  expect(here.board.messages).toEqual([]);
});

it('leaves what a person does here without a word, in other windows too', async () => {
  const there = new Window(claims);
  there.sessions.start();
  await here.see({ state: 'signed_in', revision: 2 });
  await there.see({ state: 'signed_in', revision: 2 });
  here.api.reply = session({ state: 'signed_out', revision: 3 });
  const deed = here.sessions.act('prod', 'sign-out');
  await there.see({ state: 'signed_out', revision: 3 }); // before this window knows
  await deed;
  await here.see({ state: 'signed_out', revision: 3 });
  expect([here.board.emitted, there.board.emitted]).toEqual([0, 0]);
  there.sessions.dispose();
});

it('tells in one window of several', async () => {
  const there = new Window(claims);
  there.patience = 1_000;
  there.sessions.start();
  await there.see({ state: 'signing_in' });
  await there.see(FAILED);
  await here.see(FAILED);
  await jest.advanceTimersByTimeAsync(2_000);
  expect([here.board.emitted, there.board.emitted]).toEqual([1, 0]);
  there.sessions.dispose();
});

it('tells when somebody looks, if it is still so', async () => {
  here.patience = null;
  await here.see(FAILED);
  expect(here.board.emitted).toBe(0);
  here.patience = 0;
  document.dispatchEvent(new Event('visibilitychange'));
  expect(here.board.emitted).toBe(1);
  here.patience = null;
  await here.see({ state: 'signed_in', revision: 3 });
  await here.see({ state: 'expired', revision: 4 });
  await here.see({ state: 'signed_in', revision: 5 });
  here.patience = 0;
  document.dispatchEvent(new Event('visibilitychange'));
  expect(here.board.emitted).toBe(1);
});

it('is silent where that is wished', async () => {
  await here.see(FAILED);
  Object.assign(here.preferences, { notifications: false });
  (here.preferences.changed as never as { emit(): void }).emit();
  expect(here.board.messages).toEqual([]);
  await here.see({ state: 'signed_in', revision: 3 });
  await here.see({ state: 'expired', revision: 4 });
  expect(here.board.emitted).toBe(1);
});
