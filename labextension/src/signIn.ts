/** Beginning a sign-in from where there is no link to press: a command, a notification's button. */

import { Token } from '@lumino/coreutils';

import { signInPath } from './paths';
import { openPopup } from './popup';
import { Problem, problemOf } from './problem';
import { ISessions } from './sessions';

/** Milliseconds for which a sign-in that was begun here is followed closely. */
const PATIENCE = 600_000;

export interface ISignInOptions {
  /** Sign in anew, though signed in: the old tokens serve until the new ones are there. */
  isForced?: boolean;
}

export interface ISignIns {
  /** To be called first thing in a click or a key press, or the browser blocks the window. */
  begin(profile: string, options?: ISignInOptions): void;
}

export const ISignIns = new Token<ISignIns>(
  'platform-auth:ISignIns',
  'Begins sign-ins from where there is no link to press.'
);

/** Who is to know that a sign-in could not begin. */
export interface ISignInReports {
  /** The browser opened no window: there must be a link to press. */
  onBlocked(profile: string): void;
  /** The server refused. */
  onTrouble(profile: string, problem: Problem): void;
}

export class SignIns implements ISignIns {
  constructor(
    private readonly sessions: ISessions,
    private readonly reports: ISignInReports
  ) {}

  begin(profile: string, { isForced = false }: ISignInOptions = {}): void {
    const { sessions } = this;
    if (sessions.read(profile).session?.interactive === false) {
      void this.silently(profile);
    } else if (openPopup(signInPath(sessions.baseUrl, profile, isForced))) {
      this.follow(profile);
    } else {
      this.reports.onBlocked(profile);
    }
  }

  private async silently(profile: string): Promise<void> {
    try {
      await this.sessions.act(profile, 'sign-in', { force: true });
    } catch (reason) {
      this.report(profile, problemOf(reason));
    }
  }

  /** Tell of a refusal, unless the session itself has the same to tell. */
  private report(profile: string, problem: Problem): void {
    const { sessions, reports } = this;
    const look = () => {
      sessions.changed.disconnect(look);
      if (sessions.read(profile).session?.state !== 'failed') {
        reports.onTrouble(profile, problem);
      }
    };
    sessions.changed.connect(look);
    sessions.refresh();
  }

  /** Follow the session until the sign-in has ended in whatever way; nobody else may be looking. */
  private follow(profile: string): void {
    const { sessions } = this;
    const before = sessions.read(profile).session?.revision;
    const watch = sessions.watch(profile);
    const stop = () => {
      clearTimeout(timer);
      sessions.changed.disconnect(look);
      watch.dispose();
    };
    const look = () => {
      const { session } = sessions.read(profile);
      const isNews = session !== null && session.revision !== before;
      if (isNews && session.state !== 'signing_in') {
        stop();
      }
    };
    const timer = setTimeout(stop, PATIENCE);
    sessions.changed.connect(look);
  }
}
