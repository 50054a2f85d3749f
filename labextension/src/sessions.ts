/** What this window knows of the sessions: one copy, whoever shows it. */

import { Token } from '@lumino/coreutils';
import { DisposableDelegate, IDisposable } from '@lumino/disposable';
import { Poll, Throttler } from '@lumino/polling';
import { ISignal, Signal } from '@lumino/signaling';

import { SharedMemory } from './memory';
import { Lines, Poller } from './poller';
import { Problem, problemOf } from './problem';
import { Deed, ISessionApi } from './request';
import { IErrorText, IQrCode, ISession } from './session';

/** A session as last seen, and what keeps us from seeing it now. */
export interface IReading {
  session: ISession | null;
  problem: Problem | null;
}

/** The sessions of this user, for every part of the front end. */
export interface ISessions {
  /** The server this page belongs to. */
  readonly baseUrl: string;
  /** Some session, or the list of them, is not what it was. */
  readonly changed: ISignal<ISessions, void>;
  /** Names of the profiles; null until the server has told. */
  readonly profiles: readonly string[] | null;
  /** What is wrong with the configuration. */
  readonly problems: readonly IErrorText[];
  /** Whether the user may have profiles of their own, as far as is known. */
  readonly canAdd: boolean;
  /** Whether their own choice of a default would count. */
  readonly canChoose: boolean;
  /** The profile meant when none is named. */
  readonly defaultProfile: string | null;
  /** Mean this profile when none is named, where there is such a one. */
  prefer(profile: string): void;
  read(profile: string): IReading;
  /** Follow one session closely until disposed. */
  watch(profile: string): IDisposable;
  /** Follow the whole list closely until disposed. */
  watchAll(): IDisposable;
  /** Do something to a session; rejects with the server's refusal. */
  act(profile: string, deed: Deed, body?: object): Promise<void>;
  /** Whether a session is what it is because somebody asked for it in this browser. */
  isOwnDeed(session: ISession): boolean;
  /** The address of a device flow, to be scanned; null where there is none to be had. */
  qrCode(profile: string): Promise<IQrCode | null>;
  /** Ask again, now. */
  refresh(): void;
}

export const ISessions = new Token<ISessions>(
  'platform-auth:ISessions',
  'The sessions of this user with their platforms.'
);

const CALM = { interval: 60_000, max: 120_000, backoff: 3 };
const CLOSE = { interval: 2_000, max: 30_000, backoff: 3 };

/** What a deed under way is noted as, followed by the milliseconds of its beginning. */
const SINCE = 'since ';

/** Milliseconds after which a deed is over, though its window has not said so. */
const LONGEST = 60_000;

const UNKNOWN: IReading = { session: null, problem: null };

interface IWatch {
  poller: Poller;
  watchers: number;
}

export class Sessions implements ISessions, IDisposable {
  constructor(
    readonly baseUrl: string,
    private readonly api: ISessionApi
  ) {
    this.deeds = new SharedMemory('deeds', baseUrl);
    this.overview = new Poll({
      name: 'platform-auth:profiles',
      auto: false,
      factory: () => this.list(),
      frequency: CALM,
      standby: 'when-hidden'
    });
    document.addEventListener('visibilitychange', this.onVisible);
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get profiles(): readonly string[] | null {
    return this._profiles;
  }

  get problems(): readonly IErrorText[] {
    return this._problems;
  }

  get canAdd(): boolean {
    return this._canAdd;
  }

  get canChoose(): boolean {
    return this._canChoose;
  }

  get defaultProfile(): string | null {
    const { preferred } = this;
    return this._profiles?.includes(preferred) ? preferred : this._default;
  }

  prefer(profile: string): void {
    this.preferred = profile;
    this._changed.emit();
  }

  get isDisposed(): boolean {
    return this.overview.isDisposed;
  }

  /** Begin to ask for the list: when the page is there, not while it starts. */
  start(): void {
    void this.overview.start();
  }

  read(profile: string): IReading {
    return this.readings.get(profile) ?? UNKNOWN;
  }

  watch(profile: string): IDisposable {
    const watch = this.watches.get(profile) ?? {
      poller: new Poller(profile, this.api, this.lines, reading =>
        this.note(profile, reading)
      ),
      watchers: 0
    };
    watch.watchers += 1;
    this.watches.set(profile, watch);
    return new DisposableDelegate(() => {
      watch.watchers -= 1;
      if (watch.watchers === 0) {
        watch.poller.dispose();
        this.watches.delete(profile);
      }
    });
  }

  watchAll(): IDisposable {
    this.closely += 1;
    this.overview.frequency = CLOSE;
    void this.overview.refresh();
    return new DisposableDelegate(() => {
      this.closely -= 1;
      this.overview.frequency = this.closely > 0 ? CLOSE : CALM;
    });
  }

  async act(profile: string, deed: Deed, body?: object): Promise<void> {
    // The server's event may be here, and in the other windows, before its answer.
    this.deeds.keep(profile, SINCE + Date.now());
    try {
      const session = await this.api.post(profile, deed, body);
      this.deeds.keep(profile, `${session.revision}`);
      this.note(profile, session);
    } catch (reason) {
      this.deeds.keep(profile, '');
      throw reason;
    }
  }

  isOwnDeed({ profile, revision }: ISession): boolean {
    const deed = this.deeds.read(profile);
    return deed.startsWith(SINCE)
      ? Date.now() - Number(deed.slice(SINCE.length)) < LONGEST
      : deed === `${revision}`;
  }

  qrCode(profile: string): Promise<IQrCode | null> {
    return this.api.qrCode(profile).catch(() => null);
  }

  /** Something may have changed: ask soon, however many say so. */
  hint(): void {
    void this.hints.invoke();
  }

  refresh(): void {
    void this.overview.refresh();
    this.watches.forEach(({ poller }) => poller.refresh());
  }

  dispose(): void {
    document.removeEventListener('visibilitychange', this.onVisible);
    this.watches.forEach(({ poller }) => poller.dispose());
    this.hints.dispose();
    this.overview.dispose();
    Signal.clearData(this);
  }

  private readonly onVisible = (): void => {
    if (document.visibilityState === 'visible') {
      this.refresh();
    }
  };

  private async list(): Promise<void> {
    try {
      const answer = await this.api.profiles();
      this._profiles = answer.profiles.map(({ profile }) => profile);
      this._problems = answer.problems;
      this._default = answer.default;
      this._canAdd = answer.can_add;
      this._canChoose = answer.can_choose;
      for (const session of answer.profiles) {
        // Whoever is followed closely is known better than this answer knows.
        if (!this.watches.has(session.profile)) {
          this.readings.set(session.profile, this.known(session));
        }
      }
      this._changed.emit();
    } catch (reason) {
      const problem = problemOf(reason);
      this._profiles?.forEach(profile => this.note(profile, problem));
      throw reason;
    }
  }

  private note(profile: string, reading: ISession | Problem): void {
    const last = this.read(profile).session;
    this.readings.set(
      profile,
      'kind' in reading
        ? { session: last, problem: reading }
        : this.known(reading)
    );
    this._changed.emit();
  }

  /** The page to sign out at the provider, too, is told once: keep it while it is of use. */
  private known(session: ISession): IReading {
    const before = this.read(session.profile).session;
    const isOut =
      session.state === 'signed_out' && before?.state === 'signed_out';
    const logout_url = session.logout_url ?? (isOut ? before.logout_url : null);
    return { session: { ...session, logout_url }, problem: null };
  }

  private readonly overview: Poll;
  private readonly hints = new Throttler(() => this.refresh(), {
    limit: 200,
    edge: 'trailing'
  });
  private readonly lines = new Lines();
  private readonly readings = new Map<string, IReading>();
  private readonly watches = new Map<string, IWatch>();
  private readonly _changed = new Signal<this, void>(this);
  private _profiles: readonly string[] | null = null;
  private _problems: readonly IErrorText[] = [];
  private _default: string | null = null;
  private _canAdd = true;
  private _canChoose = true;
  /** What was last asked for here: until the answer is there, and then what it said. */
  private readonly deeds: SharedMemory;
  private preferred = '';
  private closely = 0;
}
