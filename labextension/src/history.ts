/** What this window saw happen to the sessions: for who wonders why. */

import { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';

import { PanelWords } from './panelWords';
import { ISession } from './session';
import { IReading, ISessions } from './sessions';
import { Words } from './words';

/** Something that happened. */
export interface IHappening {
  /** Seconds since the epoch. */
  at: number;
  text: string;
}

/** How much of each profile is remembered. */
const LONGEST = 12;

/** Remembers from the moment it is made; before that, what the server still knows. */
export class History implements IDisposable {
  constructor(
    private readonly sessions: ISessions,
    private readonly words: Words,
    private readonly panelWords: PanelWords
  ) {
    sessions.changed.connect(this.look, this);
    this.look();
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** What happened to a profile, the latest first. */
  of(profile: string): readonly IHappening[] {
    return this.happenings.get(profile) ?? [];
  }

  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
  }

  private look(): void {
    for (const profile of this.sessions.profiles ?? []) {
      const now = this.sessions.read(profile);
      const before = this.readings.get(profile);
      if (now !== before) {
        this.readings.set(profile, now);
        const news = before ? this.news(before, now) : this.known(now.session);
        const all = [...news.reverse(), ...this.of(profile)];
        this.happenings.set(profile, all.slice(0, LONGEST));
      }
    }
  }

  /** What the server tells of the time before. */
  private known(session: ISession | null): IHappening[] {
    const { signed_in_at, refreshed_at } = session ?? {};
    const happenings: IHappening[] = [];
    if (session && signed_in_at) {
      happenings.push({ at: signed_in_at, text: this.state(session) });
    }
    if (refreshed_at && refreshed_at > (signed_in_at ?? 0) + 1) {
      happenings.push({ at: refreshed_at, text: this.panelWords.renewed });
    }
    return happenings;
  }

  private news(before: IReading, now: IReading): IHappening[] {
    return [
      ...this.newsOfServer(before, now),
      ...(before.session && now.session
        ? this.newsOfSession(before.session, now.session)
        : this.known(now.session))
    ].map(({ at, text }) => ({ at: at || Date.now() / 1000, text }));
  }

  private newsOfServer(before: IReading, now: IReading): IHappening[] {
    if (before.problem?.kind === now.problem?.kind) {
      return [];
    }
    const text = now.problem
      ? this.words.problem(now.problem).status
      : this.panelWords.answersAgain;
    return [{ at: 0, text }];
  }

  private newsOfSession(before: ISession, now: ISession): IHappening[] {
    const happenings: IHappening[] = [];
    if (now.state !== before.state) {
      happenings.push({ at: 0, text: this.state(now) });
    } else if (
      now.refreshed_at &&
      before.refreshed_at &&
      now.refreshed_at > before.refreshed_at + 1
    ) {
      happenings.push({ at: now.refreshed_at, text: this.panelWords.renewed });
    }
    if (now.last_error && now.last_error.what !== before.last_error?.what) {
      const text = this.panelWords.refreshFailed(now.last_error.what);
      happenings.push({ at: 0, text });
    }
    return happenings;
  }

  private state({ state, signed_in_as, error }: ISession): string {
    const said = this.words.state(state, signed_in_as);
    return error ? `${said}: ${error.what}` : said;
  }

  private readonly readings = new Map<string, IReading>();
  private readonly happenings = new Map<string, readonly IHappening[]>();
  private _isDisposed = false;
}
