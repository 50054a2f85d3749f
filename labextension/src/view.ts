/** From what is known of a session to what a card shows: a pure function, without a page. */

import { isWebAddress } from './paths';
import { Problem } from './problem';
import { Challenge, ISession } from './session';
import { IReading } from './sessions';
import { ILine, ISaying, Words } from './words';

export type Glyph = 'lock' | 'wait' | 'check' | 'alert';

/** A real link that starts or continues a sign-in. */
export interface ILink {
  label: string;
  /** What assistive technology calls it: begins with the label. */
  name: string;
  href: string;
  /** Signs in without a page: press it and the server does the rest. */
  isSilent: boolean;
}

export type ButtonKey = 'cancel' | 'sign-out' | 'retry';

export interface IButton {
  key: ButtonKey;
  label: string;
}

/** A code to enter somewhere else. */
export interface ICode {
  label: string;
  code: string;
  /** When it expires, in seconds since the epoch. */
  until: number | null;
  copy: string;
  copied: string;
}

/** An address to be pasted. */
export interface IPaste {
  label: string;
  finish: string;
}

/** All that a card shows. */
export interface IView {
  /** A session's state, or what hides it: for the style sheet. */
  state: string;
  glyph: Glyph;
  platform: string;
  /** The profile's name, where it tells more than the platform's. */
  profile: string;
  status: string;
  /** What the server refused to do just now. */
  trouble: string;
  lines: ILine[];
  warnings: string[];
  code: ICode | null;
  link: ILink | null;
  /** A link that may be left alone. */
  aside: ILink | null;
  paste: IPaste | null;
  buttons: IButton[];
}

/** What a card is about. */
export interface ISubject {
  profile: string;
  platform: string;
  /** Where signing in begins: made by this page, never taken from a notebook. */
  signInPath: string;
}

export interface IViewOptions {
  /** The person has opened the sign-in page from here. */
  isOpened?: boolean;
  /** What the server refused to do just now. */
  trouble?: Problem | null;
  /** One of many: less to read, and signing out is offered. */
  isRow?: boolean;
}

/** What to show for a reading. */
export function viewOf(
  subject: ISubject,
  reading: IReading,
  words: Words,
  options: IViewOptions = {}
): IView {
  const { session, problem } = reading;
  const platform = session?.platform ?? subject.platform;
  if (problem) {
    return problemView(subject, platform, problem, words);
  }
  if (!session) {
    const checking = { status: words.checking, lines: [] };
    return blank(subject, platform, 'checking', 'wait', checking);
  }
  return sessionView({ ...subject, platform }, session, words, options);
}

/** What to show for a login display that is not one of ours: nothing to press. */
export function foreignView(words: Words): IView {
  const nobody = { profile: '', platform: 'platform-auth', signInPath: '' };
  return blank(nobody, nobody.platform, 'foreign', 'alert', words.foreign);
}

function blank(
  { profile }: ISubject,
  platform: string,
  state: string,
  glyph: Glyph,
  { status, lines }: ISaying
): IView {
  return {
    state,
    glyph,
    platform,
    profile: profile === platform ? '' : profile,
    status,
    trouble: '',
    lines,
    warnings: [],
    code: null,
    link: null,
    aside: null,
    paste: null,
    buttons: []
  };
}

function problemView(
  subject: ISubject,
  platform: string,
  problem: Problem,
  words: Words
): IView {
  const saying = words.problem(problem);
  return {
    ...blank(subject, platform, problem.kind, 'alert', saying),
    buttons: [{ key: 'retry', label: words.tryNow }]
  };
}

const GLYPHS: Record<ISession['state'], Glyph> = {
  signed_out: 'lock',
  signing_in: 'wait',
  signed_in: 'check',
  expired: 'alert',
  failed: 'alert'
};

function sessionView(
  subject: ISubject,
  session: ISession,
  words: Words,
  { isOpened = false, trouble = null, isRow = false }: IViewOptions
): IView {
  const { platform } = subject;
  const { state } = session;
  const view: IView = {
    ...blank(
      subject,
      platform,
      state,
      GLYPHS[state],
      words.session(session, isOpened, isRow)
    ),
    trouble: trouble ? words.sentence(words.problem(trouble)) : '',
    warnings: session.warnings,
    aside: logoutLink(session.logout_url, words)
  };
  if (state === 'signed_in') {
    const signOut: IButton = { key: 'sign-out', label: words.signOut };
    return { ...view, buttons: isRow ? [signOut] : [] };
  }
  const isSilent = !session.interactive;
  const name =
    state === 'expired' || state === 'failed'
      ? words.signInAgain
      : words.signInTo(platform);
  if (session.hasSignInPage) {
    view.link = {
      label: isRow ? words.signIn : name,
      name: isRow ? words.signInTo(platform) : name,
      href: subject.signInPath,
      isSilent
    };
  }
  if (state === 'signing_in') {
    view.buttons = [{ key: 'cancel', label: words.cancel }];
    const isBrief = isRow || isOpened;
    return { ...view, ...challengeView(session.challenge, words, isBrief) };
  }
  return view;
}

/** Where to sign out at the provider, too. */
function logoutLink(href: string | null, words: Words): ILink | null {
  if (href === null || !isWebAddress(href)) {
    return null;
  }
  const label = words.alsoSignOutAt(hostOf(href));
  return { label, name: label, href, isSilent: false };
}

/** What a challenge puts in place of the plain link. */
function challengeView(
  challenge: Challenge | null,
  words: Words,
  isBrief: boolean
): Partial<IView> {
  switch (challenge?.kind) {
    case 'device': {
      const { verification_uri, verification_uri_complete } = challenge;
      const href = [verification_uri_complete, verification_uri].find(
        url => url !== null && isWebAddress(url)
      );
      return {
        lines: [words.challenge(challenge, hostOf(verification_uri))],
        code: {
          label: words.code,
          code: challenge.user_code,
          until: challenge.expires_at,
          copy: words.copy,
          copied: words.copied
        },
        link: href ? outward(href, words) : null
      };
    }
    case 'paste':
      return {
        lines: [words.challenge(challenge, hostOf(challenge.url))],
        link: isWebAddress(challenge.url)
          ? outward(challenge.url, words)
          : null,
        paste: { label: words.pasteLabel, finish: words.finishSignIn }
      };
    case 'open':
      return challenge.sentence && !isBrief
        ? { lines: [{ text: challenge.sentence, isQuiet: true }] }
        : {};
    default:
      return {};
  }
}

function outward(href: string, words: Words): ILink {
  const label = words.signInAt(hostOf(href));
  return { label, name: label, href, isSilent: false };
}

/** What a person recognises of an address. */
function hostOf(url: string): string {
  return isWebAddress(url) ? new URL(url).host : url;
}
