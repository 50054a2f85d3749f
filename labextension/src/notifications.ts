/** Telling people what needs them: once for each cause, in one window, while it holds. */

import type { Notification } from '@jupyterlab/apputils';

import { IClaims } from './claims';
import { INotice, noticeOf, tellAt } from './notice';
import { NoticeWords } from './noticeWords';
import { ISession } from './session';
import { ISessions } from './sessions';
import { IPreferences } from './settings';
import { ISignIns } from './signIn';

/** Where notifications go: JupyterLab's own `Notification`. */
export interface IBoard {
  emit(
    message: string,
    type: Notification.TypeOptions,
    options: Notification.IOptions<never>
  ): string;
  update(args: Notification.IUpdate<never>): boolean;
  dismiss(id: string): void;
}

export interface INotifierOptions {
  sessions: ISessions;
  preferences: IPreferences;
  signIns: ISignIns;
  words: NoticeWords;
  claims: IClaims;
  board: IBoard;
  /** Milliseconds to wait before this window tells; null while nobody sees it. */
  patience: () => number | null;
  /** Show a profile's connection. */
  open: (profile: string) => void;
}

/** The longest time a timer takes, in milliseconds. */
const LONGEST = 2 ** 31 - 1;

export class Notifier {
  constructor(private readonly options: INotifierOptions) {
    options.sessions.changed.connect(this.look, this);
    options.preferences.changed.connect(this.onPreferences, this);
    document.addEventListener('visibilitychange', () => this.tellAll());
  }

  private look(): void {
    const { sessions } = this.options;
    for (const profile of sessions.profiles ?? []) {
      const { session, problem } = sessions.read(profile);
      // While the server cannot be asked, nothing is known to have changed.
      if (session && !problem) {
        this.compare(session);
      }
    }
  }

  private compare(now: ISession): void {
    const { sessions, words } = this.options;
    const { profile } = now;
    // Whoever has signed out, in whichever window, knows it.
    const isOwn = now.state === 'signed_out' && sessions.isOwnDeed(now);
    const seconds = Date.now() / 1000;
    const notice = noticeOf(
      this.last.get(profile) ?? null,
      now,
      seconds,
      words
    );
    this.last.set(profile, now);
    this.lookAgain(now, seconds);
    this.drop(now);
    if (notice === null) {
      if (now.state === 'signed_in') {
        this.forget(profile);
        this.dismiss(profile);
      }
    } else if (!isOwn && this.known.get(profile)?.cause !== notice.cause) {
      this.known.set(profile, notice);
      this.pending.set(profile, notice);
      this.plan(notice);
    }
  }

  /** Come back when a session is about to need its person. */
  private lookAgain(now: ISession, seconds: number): void {
    clearTimeout(this.timers.get(now.profile));
    const at = tellAt(now);
    if (at !== null && at > seconds) {
      const delay = Math.min((at - seconds) * 1000 + 50, LONGEST);
      this.timers.set(
        now.profile,
        window.setTimeout(() => this.look(), delay)
      );
    }
  }

  /** Take back what is no longer so. */
  private drop({ profile, state }: ISession): void {
    if (this.known.get(profile)?.state !== state) {
      this.known.delete(profile);
      this.pending.delete(profile);
    }
    const shown = this.shown.get(profile);
    const goesOn = state === 'expired'; // what was about to end has ended
    if (shown && shown.notice.state !== state && !goesOn) {
      this.dismiss(profile);
    }
  }

  private dismiss(profile: string): void {
    const shown = this.shown.get(profile);
    if (shown) {
      this.shown.delete(profile);
      this.options.board.dismiss(shown.id);
    }
  }

  private plan(notice: INotice): void {
    const delay = this.options.patience();
    if (delay === 0) {
      this.tell(notice);
    } else if (delay !== null) {
      window.setTimeout(() => this.tell(notice), delay);
    }
  }

  /** Tell what had to wait until somebody looks at this window. */
  private tellAll(): void {
    this.pending.forEach(notice => this.plan(notice));
  }

  private tell(notice: INotice): void {
    const { profile, cause } = notice;
    const { board, claims, preferences } = this.options;
    if (this.pending.get(profile) !== notice) {
      return;
    }
    this.pending.delete(profile);
    if (!preferences.notifications) {
      return;
    }
    const content = {
      autoClose: false as const,
      actions: this.actions(notice)
    };
    const { message, type } = notice;
    const id = this.shown.get(profile)?.id;
    if (id && board.update({ id, message, type, ...content })) {
      claims.claim(profile, cause);
      this.shown.set(profile, { id, notice });
    } else if (claims.claim(profile, cause)) {
      const fresh = board.emit(message, type, content);
      this.shown.set(profile, { id: fresh, notice });
    }
  }

  private actions(notice: INotice): Notification.IAction[] {
    const { signIns, words, open } = this.options;
    const { profile, isForced } = notice;
    return [
      {
        label: notice.button,
        displayType: 'accent',
        callback: () => {
          signIns.begin(profile, { isForced });
          this.forget(profile);
        }
      },
      { label: words.details, callback: () => open(profile) }
    ];
  }

  /** Whoever tries again is told again, even the same. */
  private forget(profile: string): void {
    this.known.delete(profile);
    this.options.claims.forget(profile);
  }

  private onPreferences(): void {
    if (!this.options.preferences.notifications) {
      [...this.shown.keys()].forEach(profile => this.dismiss(profile));
    }
  }

  private readonly last = new Map<string, ISession>();
  private readonly timers = new Map<string, number>();
  /** What holds now, told or not. */
  private readonly known = new Map<string, INotice>();
  /** What is still to be told. */
  private readonly pending = new Map<string, INotice>();
  private readonly shown = new Map<string, { id: string; notice: INotice }>();
}
