/**
 * The words people read, each in one place.
 *
 * The text/html form of the login display and the callback page say the same things with the same
 * words; who changes one here changes it there.
 */

import type { TranslationBundle } from '@jupyterlab/translation';

import { Problem } from './problem';
import {
  IDeviceChallenge,
  IErrorText,
  IPasteChallenge,
  ISession,
  State
} from './session';

/** A sentence below the status: one to act on, or one that only explains. */
export interface ILine {
  text: string;
  isQuiet: boolean;
}

/** What happened, and the sentences that help. */
export interface ISaying {
  status: string;
  lines: ILine[];
}

function plain(text: string): ILine {
  return { text, isQuiet: false };
}

function quiet(text: string): ILine {
  return { text, isQuiet: true };
}

export class Words {
  constructor(private readonly trans: TranslationBundle) {}

  /** The name of a state. */
  state(state: State, who: string | null = null): string {
    const { trans } = this;
    switch (state) {
      case 'signed_out':
        return trans.__('Signed out');
      case 'signing_in':
        return trans.__('Waiting for you to sign in');
      case 'signed_in':
        return who ? trans.__('Signed in as %1', who) : trans.__('Signed in');
      case 'expired':
        return trans.__('Sign-in expired');
      case 'failed':
        return trans.__('Sign-in failed');
    }
  }

  /** What a session says about itself. */
  session(session: ISession, isOpened: boolean, isRow: boolean): ISaying {
    const isInvitation =
      session.state === 'signed_out' || session.state === 'signing_in';
    return {
      status: this.state(session.state, session.signed_in_as),
      lines:
        isRow && isInvitation && !isOpened
          ? []
          : this.sessionLines(session, isOpened, isRow)
    };
  }

  private sessionLines(
    session: ISession,
    isOpened: boolean,
    isRow: boolean
  ): ILine[] {
    const { trans } = this;
    switch (session.state) {
      case 'signed_in':
        return [
          ...(session.last_error
            ? [plain(this.hitch(session.last_error))]
            : []),
          ...session.notices.map(plain),
          // A row has its time left beside it.
          ...(isRow ? [] : this.validity(session).map(quiet))
        ];
      case 'expired':
      case 'failed':
        return session.error
          ? this.error(session.error)
          : [plain(trans.__('Sign in again to go on.'))];
      default:
        return [
          quiet(isOpened ? this.finish() : this.invitation(session.flow))
        ];
    }
  }

  /** What went wrong in the background, while nothing is lost. */
  private hitch({ what, why }: IErrorText): string {
    const said = [what, why].filter(Boolean).join(' ');
    return this.trans.__(
      'The last refresh failed: %1 It is tried again.',
      said
    );
  }

  /** What signing in does, in one sentence. */
  private invitation(flow: string): string {
    return flow === 'client_credentials' || flow === 'command'
      ? this.trans.__(
          'No page opens for this: the server signs in with its own credentials.'
        )
      : this.trans.__(
          'Sign in once on the page that opens; every notebook on this server can then use this platform.'
        );
  }

  private finish(): string {
    return this.trans.__(
      'Finish on the page that opened. This display notices by itself.'
    );
  }

  /** All of it in a row. */
  sentence({ status, lines }: ISaying): string {
    return [status, ...lines.map(({ text }) => text)].join(' ');
  }

  /** What, why and the way out. */
  private error({ what, why, fix }: IErrorText): ILine[] {
    return [plain(what), quiet(why), plain(fix)].filter(({ text }) => text);
  }

  /** What keeps us from knowing. */
  problem(problem: Problem): ISaying {
    const { trans } = this;
    switch (problem.kind) {
      case 'unreachable':
        return {
          status: trans.__('The Jupyter server does not answer'),
          lines: [quiet(trans.__('This display tries again by itself.'))]
        };
      case 'logged-out':
        return {
          status: trans.__('Your Jupyter session has ended'),
          lines: [
            plain(trans.__('Reload this page to log in to Jupyter again.'))
          ]
        };
      case 'missing':
        return {
          status: trans.__('platform-auth does not run on this Jupyter server'),
          lines: [
            plain(
              trans.__('Install platform-auth on it, then restart the server.')
            )
          ]
        };
      case 'other-version':
        return {
          status: trans.__('This page is not as new as the Jupyter server'),
          lines: [plain(trans.__('Reload this page.'))]
        };
      case 'refused':
        return {
          status: problem.error.what,
          lines: this.error({ ...problem.error, what: '' })
        };
    }
  }

  /** Before the first answer. */
  get checking(): string {
    return this.trans.__('Checking…');
  }

  /** For a login display that is not one of ours. */
  get foreign(): ISaying {
    return {
      status: this.trans.__('This login display cannot be used here'),
      lines: [
        plain(
          this.trans.__(
            'It was not made by platform-auth. Run %platform_login to get a new one.'
          )
        )
      ]
    };
  }

  get signIn(): string {
    return this.trans.__('Sign in');
  }

  signInTo(platform: string): string {
    return this.trans.__('Sign in to %1', platform);
  }

  get signInAgain(): string {
    return this.trans.__('Sign in again');
  }

  signInAt(host: string): string {
    return this.trans.__('Sign in at %1', host);
  }

  get signOut(): string {
    return this.trans.__('Sign out');
  }

  alsoSignOutAt(host: string): string {
    return this.trans.__('Also sign out at %1', host);
  }

  get cancel(): string {
    return this.trans.__('Cancel');
  }

  get tryNow(): string {
    return this.trans.__('Try now');
  }

  get copy(): string {
    return this.trans.__('Copy');
  }

  get copied(): string {
    return this.trans.__('Copied');
  }

  /** What will happen, in one sentence. */
  challenge(
    { kind, sentence }: IDeviceChallenge | IPasteChallenge,
    host: string
  ): ILine {
    if (sentence) {
      return plain(sentence);
    }
    return plain(
      kind === 'device'
        ? this.trans.__(
            'Enter this code at %1, on this or any other device; then you are signed in here, too.',
            host
          )
        : this.trans.__(
            'Sign in on the page that opens. It ends on an address that cannot be reached: copy that whole address and paste it here.'
          )
    );
  }

  get code(): string {
    return this.trans.__('Code');
  }

  /** How long a code is still good for. */
  codeLeft(seconds: number): string {
    return seconds > 0
      ? this.trans.__('The code is good for %1.', duration(seconds))
      : this.trans.__('The code has expired.');
  }

  /** The name of the code's picture. */
  get scan(): string {
    return this.trans.__('The same address as a QR code, for a phone');
  }

  get pasteLabel(): string {
    return this.trans.__('Paste the address of the page your browser ended on');
  }

  get finishSignIn(): string {
    return this.trans.__('Finish');
  }

  get connections(): string {
    return this.trans.__('Platform connections');
  }

  get close(): string {
    return this.trans.__('Close');
  }

  get noProfiles(): string {
    return this.trans.__(
      'No platform is set up yet. Add one to profiles.yaml, or ask your administrator.'
    );
  }

  /** Several platforms, none of them the default. */
  count(signedIn: number, all: number): string {
    return this.trans.__('%1 of %2 signed in', signedIn, all);
  }

  private validity({ expires_at, next_refresh }: ISession): string[] {
    if (expires_at === null) {
      return [];
    }
    const until = clock(expires_at);
    return next_refresh === null
      ? [this.trans.__('Good until %1.', until)]
      : [this.trans.__('Good until %1, then renewed automatically.', until)];
  }
}

/** Seconds as minutes and seconds, as clocks show them. */
export function duration(seconds: number): string {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** A moment today as its time; any other with its day. */
export function clock(seconds: number, now = new Date()): string {
  const moment = new Date(seconds * 1000);
  const isToday = moment.toDateString() === now.toDateString();
  return moment.toLocaleString(undefined, {
    hour: '2-digit',
    minute: '2-digit',
    ...(isToday ? {} : { day: 'numeric', month: 'short' })
  });
}
