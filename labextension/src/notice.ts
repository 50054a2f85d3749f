/** From what a session was to what must be told: a pure function, without a page. */

import { NoticeWords } from './noticeWords';
import { ISession } from './session';

export type NoticeType = 'info' | 'warning' | 'error';

/** What a person is told without having asked. */
export interface INotice {
  profile: string;
  /** The state that it is about: once that is another, it is out of date. */
  state: ISession['state'];
  /** Two notices of one cause are one too many. */
  cause: string;
  type: NoticeType;
  message: string;
  /** What its button says, which signs in. */
  button: string;
  /** Sign in anew, though signed in. */
  isForced: boolean;
}

/** Seconds before a sign-in's end at which it is told, at most. */
const AHEAD = 300;

/** The part of its life at the end of which a short one is told to end. */
const PART = 0.2;

/**
 * Revisions begin with the milliseconds of a server's clock and go up by ones: what differs by more
 * comes from another run of the server.
 */
const ANOTHER_RUN = 1_000;

/** When to tell that a session is about to need its person; null for one that renews itself. */
export function tellAt(session: ISession): number | null {
  const { state, expires_at, next_refresh, refreshed_at } = session;
  if (state !== 'signed_in' || expires_at === null || next_refresh !== null) {
    return null;
  }
  const life = refreshed_at === null ? Infinity : expires_at - refreshed_at;
  return expires_at - Math.min(AHEAD, life * PART);
}

/** What to tell of a session, given how it was when last seen; null for nothing. */
export function noticeOf(
  before: ISession | null,
  now: ISession,
  seconds: number,
  words: NoticeWords
): INotice | null {
  const at = tellAt(now);
  if (at !== null) {
    return seconds >= at ? ending(now, words) : null;
  }
  if (before === null) {
    return null;
  }
  switch (now.state) {
    case 'expired':
      return before.state === 'expired' ? null : ended(before, now, words);
    case 'failed':
      return before.state === 'failed' && before.revision === now.revision
        ? null
        : failed(now, words);
    case 'signed_out':
      return signedOut(before, now, words);
    default:
      return null;
  }
}

function ending(now: ISession, words: NoticeWords): INotice {
  return {
    ...about(now, words.signInAgain),
    cause: endOf(now),
    type: 'warning',
    message: words.ending(now.platform, now.expires_at ?? 0),
    isForced: true
  };
}

function ended(before: ISession, now: ISession, words: NoticeWords): INotice {
  const isForeseen = tellAt(before) !== null;
  return {
    ...about(now, words.signInAgain),
    cause: isForeseen ? endOf(before) : `ended ${now.revision}`,
    type: 'warning',
    message: words.ended(now.platform, now.error)
  };
}

function failed(now: ISession, words: NoticeWords): INotice {
  // A flow without a person is tried again and again, by whoever wants a token.
  const which = now.interactive ? now.revision : now.error?.what;
  return {
    ...about(now, words.tryAgain),
    cause: `failed ${which}`,
    type: 'error',
    message: words.failed(now.platform, now.error)
  };
}

function signedOut(
  before: ISession,
  now: ISession,
  words: NoticeWords
): INotice | null {
  const isAnotherRun = Math.abs(now.revision - before.revision) > ANOTHER_RUN;
  const told = { ...about(now, words.signIn), cause: `out ${now.revision}` };
  if (before.state === 'signing_in' && isAnotherRun) {
    const message = words.interrupted(now.platform);
    return { ...told, type: 'warning', message };
  }
  if (before.state === 'signed_in') {
    const message = isAnotherRun
      ? words.forgotten(now.platform)
      : words.signedOutElsewhere(now.platform);
    return { ...told, type: 'info', message };
  }
  return null;
}

function about({ profile, state }: ISession, button: string) {
  return { profile, state, button, isForced: false };
}

/** Names a sign-in's end, whatever the clocks make of it. */
function endOf({ expires_at }: ISession): string {
  return `end ${Math.round((expires_at ?? 0) / 60)}`;
}
