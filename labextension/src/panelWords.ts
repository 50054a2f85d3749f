/** The words of the panel and of the status item, besides those that every card has. */

import type { TranslationBundle } from '@jupyterlab/translation';

import { ISession, Source } from './session';
import { clock } from './words';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A name and what it is; for a list of details. */
export interface IFact {
  name: string;
  text: string;
}

export class PanelWords {
  constructor(private readonly trans: TranslationBundle) {}

  /** A span of time as people say it; null once it is over. */
  span(seconds: number): string | null {
    const { trans } = this;
    if (seconds <= 0) {
      return null;
    }
    if (seconds < MINUTE) {
      return trans.__('less than a minute');
    }
    if (seconds < 2 * HOUR) {
      return trans.__('%1 min', Math.floor(seconds / MINUTE));
    }
    return seconds < 2 * DAY
      ? trans.__('%1 h', Math.floor(seconds / HOUR))
      : trans.__('%1 days', Math.floor(seconds / DAY));
  }

  /** How long a sign-in is good for, without the person; null where it is not known. */
  left(
    { expires_at, next_refresh }: ISession,
    now = Date.now()
  ): string | null {
    if (expires_at === null) {
      return null;
    }
    const { trans } = this;
    const span = this.span(expires_at - now / 1000);
    if (next_refresh !== null) {
      return span
        ? trans.__('%1 left, renewed automatically', span)
        : trans.__('Renewed automatically when it is needed');
    }
    return span ? trans.__('%1 left', span) : trans.__('No time left');
  }

  /** The way in, for people. */
  flow(flow: string): string {
    const { trans } = this;
    switch (flow) {
      case 'pkce':
        return trans.__('Browser');
      case 'device':
        return trans.__('Device code');
      case 'client_credentials':
        return trans.__('Client secret');
      case 'command':
        return trans.__('Command');
      default:
        return flow;
    }
  }

  /** Who has set a profile up. */
  source(source: Source): string {
    const { trans } = this;
    switch (source) {
      case 'admin':
        return trans.__('Administrator');
      case 'user':
        return trans.__('Your profiles');
      case 'flyte':
        return trans.__('Flyte config');
      case 'session':
        return trans.__('Made by code');
      case '':
        return '';
    }
  }

  get isDefault(): string {
    return this.trans.__('default');
  }

  /** Why a profile cannot be changed here; empty where it can be. */
  locked({ source, locked }: ISession): string {
    if (locked) {
      return this.trans.__('Only your administrator can change it');
    }
    return source === 'flyte'
      ? this.trans.__(
          'It is read from Flyte’s files and variables: edit it there'
        )
      : '';
  }

  /** The details of a session, those that are known. */
  facts(session: ISession): IFact[] {
    const { trans } = this;
    const time = (seconds: number | null) =>
      seconds === null ? '' : clock(seconds);
    const facts = [
      [trans.__('Profile'), session.profile],
      [trans.__('Endpoint'), session.endpoint],
      [trans.__('Signs in by'), this.flow(session.flow)],
      [trans.__('Client'), session.client],
      [trans.__('Set up by'), this.origin(session)],
      [trans.__('Scopes'), session.scopes.join(' ')],
      [trans.__('Signed in'), time(session.signed_in_at)],
      [trans.__('Last refresh'), time(session.refreshed_at)],
      [trans.__('Next refresh'), time(session.next_refresh)],
      [trans.__('Good until'), time(session.expires_at)],
      [trans.__('Kept'), this.kept(session)]
    ];
    return facts
      .filter(([, text]) => text)
      .map(([name, text]) => ({ name, text }));
  }

  /** Who has set it up, and why it cannot be changed: a picture of a lock does not say it to all. */
  private origin(session: ISession): string {
    return [this.source(session.source), this.locked(session)]
      .filter(Boolean)
      .join('. ');
  }

  /** Where a sign-in rests. */
  private kept({ state, key_source }: ISession): string {
    const { trans } = this;
    if (state !== 'signed_in') {
      return '';
    }
    switch (key_source) {
      case 'environment':
        return trans.__('Encrypted; the key is in PLATFORM_AUTH_STORE_KEY');
      case 'keyring':
        return trans.__('Encrypted; the key is in the system’s keyring');
      case 'file':
        return trans.__('Encrypted; the key is a file beside it');
      case 'memory':
        return trans.__('In memory only, until the server ends');
      default:
        return '';
    }
  }

  get details(): string {
    return this.trans.__('Details');
  }

  get detailsCaption(): string {
    return this.trans.__('Show all there is to know, and what happened lately');
  }

  get events(): string {
    return this.trans.__('What happened');
  }

  get renewed(): string {
    return this.trans.__('Token renewed');
  }

  refreshFailed(what: string): string {
    return this.trans.__('Refresh failed: %1', what);
  }

  get answersAgain(): string {
    return this.trans.__('The Jupyter server answers again');
  }

  /** The buttons of a row. */
  get useInNotebook(): string {
    return this.trans.__('Use in notebook');
  }

  get useInNotebookCaption(): string {
    return this.trans.__(
      'Put the ready client into the kernel of the active notebook'
    );
  }

  get insertCell(): string {
    return this.trans.__('Insert cell');
  }

  get insertCellCaption(): string {
    return this.trans.__('Insert a cell that signs in below the selected one');
  }

  get copySnippet(): string {
    return this.trans.__('Copy code');
  }

  get copySnippetCaption(): string {
    return this.trans.__('Copy the code that signs in from a notebook');
  }

  get more(): string {
    return this.trans.__('More');
  }

  get add(): string {
    return this.trans.__('Add a platform');
  }

  get refresh(): string {
    return this.trans.__('Refresh');
  }

  /** What came of it. */
  get copied(): string {
    return this.trans.__('Copied. Paste it into a notebook.');
  }

  get notCopied(): string {
    return this.trans.__(
      'The browser does not let this page copy. Insert a cell instead.'
    );
  }

  inserted(notebook: string): string {
    return this.trans.__('Inserted into %1.', notebook);
  }

  running(notebook: string): string {
    return this.trans.__('Waiting for the kernel of %1…', notebook);
  }

  ready(notebook: string): string {
    return this.trans.__('client is ready in %1.', notebook);
  }

  readyOnceSignedIn(notebook: string): string {
    return this.trans.__(
      'client is in %1. It works as soon as you have signed in.',
      notebook
    );
  }

  /** What was said in a kernel. */
  saidIn(notebook: string, text: string): string {
    return this.trans.__('%1: %2', notebook, text);
  }

  get noNotebook(): string {
    return this.trans.__('No notebook is open. Open one, then try again.');
  }

  readOnly(notebook: string): string {
    return this.trans.__('%1 cannot be changed: it is read-only.', notebook);
  }

  noKernel(notebook: string): string {
    return this.trans.__(
      '%1 has no running kernel. Start one, then try again.',
      notebook
    );
  }

  notPython(notebook: string, language: string): string {
    return this.trans.__(
      'The kernel of %1 speaks %2. Clients can be had in Python kernels only.',
      notebook,
      language
    );
  }

  notInstalled(notebook: string): string {
    return this.trans.__(
      'platform-auth is not installed where the kernel of %1 runs. Install it there (%pip install platform-auth), then try again.',
      notebook
    );
  }

  interrupted(notebook: string): string {
    return this.trans.__(
      'The kernel of %1 was interrupted or restarted. Try again.',
      notebook
    );
  }

  /** The state at a glance: who, and how long it lasts. */
  glance(
    { state, signed_in_as, expires_at }: ISession,
    now = Date.now()
  ): string {
    const { trans } = this;
    switch (state) {
      case 'signed_in': {
        const span = this.span((expires_at ?? 0) - now / 1000);
        return [signed_in_as, span].filter(Boolean).join(' · ');
      }
      case 'signed_out':
        return trans.__('signed out');
      case 'signing_in':
        return trans.__('signing in');
      default:
        return trans.__('needs you');
    }
  }
}
