import { noticeOf, tellAt } from '../notice';
import { NoticeWords } from '../noticeWords';
import { ISession } from '../session';
import { session, trans } from './fakes';

const words = new NoticeWords(trans);
const NOW = 1_800_000_000;
const ERROR = {
  code: 'access_denied',
  what: 'The sign-in was refused at id.example.com.',
  why: 'It says: no.',
  fix: 'Sign in again and allow the access.',
  retryable: false
};

function tell(before: object | null, now: object, at = NOW) {
  const earlier: ISession | null = before && session(before);
  return noticeOf(earlier, session(now), at, words);
}

const ENDS = {
  state: 'signed_in',
  refreshed_at: NOW - 3_000,
  expires_at: NOW + 600
};

it('says nothing of what it sees for the first time', () => {
  for (const state of ['signed_out', 'signing_in', 'expired', 'failed']) {
    expect(tell(null, { state, error: ERROR })).toBeNull();
  }
});

it('tells of an end five minutes ahead, if nobody can put it off but the person', () => {
  expect(tell(null, ENDS, NOW + 299)).toBeNull();
  const notice = tell(null, ENDS, NOW + 300);
  expect(notice?.message).toContain(
    'Your sign-in to flyte.example.com ends at'
  );
  expect(notice).toMatchObject({ button: 'Sign in again', isForced: true });
  expect(tell(null, { ...ENDS, next_refresh: NOW + 9 }, NOW + 300)).toBeNull();
  expect(tell(null, { ...ENDS, expires_at: null }, NOW + 300)).toBeNull();
});

it('does not warn of a short life at its beginning', () => {
  const short = { ...ENDS, refreshed_at: NOW, expires_at: NOW + 100 };
  expect(tellAt(session(short))).toBe(NOW + 80);
});

it('takes the end that was foreseen for the same cause', () => {
  const warned = tell(null, ENDS, NOW + 590);
  const ended = tell(ENDS, { state: 'expired', revision: 2 }, NOW + 601);
  expect(ended?.message).toBe('Your sign-in to flyte.example.com has ended.');
  expect(ended?.cause).toBe(warned?.cause);
});

it('tells of an end that came unforeseen, with its fix', () => {
  const renewed = { ...ENDS, next_refresh: NOW + 300 };
  const ended = tell(renewed, { state: 'expired', revision: 2, error: ERROR });
  expect(ended?.message).toBe(
    'Your sign-in to flyte.example.com has ended.\nSign in again and allow the access.'
  );
  expect(tell({ state: 'expired' }, { state: 'expired' })).toBeNull();
});

it('tells of a failure: what, and the fix', () => {
  const now = { state: 'failed', revision: 2, error: ERROR };
  const notice = tell({ state: 'signing_in' }, now);
  expect(notice).toMatchObject({ type: 'error', button: 'Try again' });
  expect(notice?.message.split('\n')).toEqual([
    'Signing in to flyte.example.com failed.',
    ERROR.what,
    ERROR.fix
  ]);
  expect(tell(now, now)).toBeNull();
});

it('keeps to what JupyterLab shows, and leaves the rest to the panel', () => {
  const error = { ...ERROR, what: 'w'.repeat(120) };
  const notice = tell({ state: 'signing_in' }, { state: 'failed', error });
  expect(notice?.message.length).toBeLessThanOrEqual(140);
  expect(notice?.message).toContain(ERROR.fix);
});

it('takes what is tried again without a person for one cause', () => {
  const failed = (revision: number, interactive: boolean) => ({
    state: 'failed',
    error: ERROR,
    revision,
    interactive
  });
  const cause = (revision: number, interactive: boolean) =>
    tell(failed(1, interactive), failed(revision, interactive))?.cause;
  expect(cause(2, false)).toBe(cause(3, false));
  expect(cause(2, true)).not.toBe(cause(3, true));
});

it('tells signing out elsewhere from calling a sign-in off', () => {
  const out = { state: 'signed_out', revision: 2 };
  expect(tell({ state: 'signed_in' }, out)?.message).toContain(
    'in another window, a notebook or a terminal'
  );
  expect(tell({ state: 'signing_in' }, out)).toBeNull();
  expect(tell({ state: 'failed' }, out)).toBeNull();
});

it('knows a server that has started anew by its revisions', () => {
  const out = { state: 'signed_out', revision: 60_000 };
  expect(tell({ state: 'signing_in' }, out)?.message).toBe(
    'The Jupyter server has started anew: begin the sign-in to flyte.example.com again.'
  );
  expect(tell({ state: 'signed_in' }, out)?.message).toBe(
    'The Jupyter server has started anew, and you are signed out of flyte.example.com.'
  );
});

it('says all of what to do about a blocked window, however long the name', () => {
  const platform = 'flyte-production-eu-west-1.platform.example.com';
  const text = words.blocked(platform);
  expect(text).toContain(`Press “Sign in” at ${platform}.`);
  expect(text).toContain('allow pop-ups');
  expect(text.length).toBeLessThanOrEqual(140);
});
