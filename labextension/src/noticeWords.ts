/** The words of notifications: short, because JupyterLab cuts them after 140 characters. */

import type { TranslationBundle } from '@jupyterlab/translation';

import { IErrorText } from './session';
import { clock } from './words';

/** Characters of a notification that JupyterLab shows. */
const ROOM = 140;

export class NoticeWords {
  constructor(private readonly trans: TranslationBundle) {}

  ending(platform: string, until: number): string {
    return this.trans.__(
      'Your sign-in to %1 ends at %2. It cannot be renewed without you.',
      platform,
      clock(until)
    );
  }

  ended(platform: string, error: IErrorText | null): string {
    const ended = this.trans.__('Your sign-in to %1 has ended.', platform);
    return fitting([ended, error?.fix]);
  }

  failed(platform: string, error: IErrorText | null): string {
    return fitting([
      this.trans.__('Signing in to %1 failed.', platform),
      error?.what,
      error?.fix
    ]);
  }

  signedOutElsewhere(platform: string): string {
    return this.trans.__(
      'You were signed out of %1, in another window, a notebook or a terminal.',
      platform
    );
  }

  forgotten(platform: string): string {
    return this.trans.__(
      'The Jupyter server has started anew, and you are signed out of %1.',
      platform
    );
  }

  interrupted(platform: string): string {
    return this.trans.__(
      'The Jupyter server has started anew: begin the sign-in to %1 again.',
      platform
    );
  }

  blocked(platform: string): string {
    return fitting([
      this.trans.__(
        'The browser has blocked the sign-in window. Press “Sign in” at %1.',
        platform
      ),
      this.trans.__('Or allow pop-ups here.')
    ]);
  }

  get settingsMissing(): string {
    return this.trans.__(
      'The settings of platform connections could not be read, so the defaults hold: signing in works as ever. Reload the page to read them again.'
    );
  }

  get signIn(): string {
    return this.trans.__('Sign in');
  }

  get signInAgain(): string {
    return this.trans.__('Sign in again');
  }

  get tryAgain(): string {
    return this.trans.__('Try again');
  }

  get details(): string {
    return this.trans.__('Details');
  }
}

/** As many lines as there is room for; the first in any case. */
function fitting(lines: (string | undefined)[]): string {
  const said = lines.filter(Boolean) as string[];
  return said.reduce((text, line) => {
    const longer = `${text}\n${line}`;
    return longer.length <= ROOM ? longer : text;
  });
}
