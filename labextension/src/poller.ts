/** Following one session for as long as somebody looks at it. */

import { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';

import { Problem, problemOf } from './problem';
import { ISessionApi } from './request';
import { ISession } from './session';

/** Seconds the server may hold an answer back. */
const WAIT = 25;

/**
 * How many answers may be waited for at once.
 *
 * A browser opens six connections to one HTTP/1.1 server, all its windows together; JupyterLab needs
 * them, too.
 */
const LINES = 2;

/** Milliseconds within which an answer was not waited for. */
const PROMPT = 1_000;

const HELD = { interval: 250, max: 30_000, backoff: 3 };
const WAITING = { interval: 2_000, max: 30_000, backoff: 3 };
const SETTLED = { interval: 20_000, max: 30_000, backoff: 3 };
const FAILING = { interval: 1_000, max: 30_000, backoff: 3 };

/** The lines to the server on which an answer is waited for. */
export class Lines {
  constructor(private free = LINES) {}

  /** Take one; false when all are in use. */
  take(): boolean {
    const got = this.free > 0;
    this.free -= got ? 1 : 0;
    return got;
  }

  release(): void {
    this.free += 1;
  }
}

/**
 * Asks for one session again and again: at once when it changes, seldom when it rests, later and
 * later while the server does not answer, not at all while the page is hidden.
 */
export class Poller implements IDisposable {
  constructor(
    private readonly profile: string,
    private readonly api: ISessionApi,
    private readonly lines: Lines,
    private readonly report: (reading: ISession | Problem) => void
  ) {
    this.poll = new Poll({
      name: `platform-auth:${profile}`,
      factory: () => this.ask(),
      frequency: HELD,
      standby: 'when-hidden'
    });
  }

  get isDisposed(): boolean {
    return this.poll.isDisposed;
  }

  /** Ask now. */
  refresh(): void {
    void this.poll.refresh();
  }

  dispose(): void {
    this.request.abort();
    this.poll.dispose();
  }

  private async ask(): Promise<void> {
    this.request.abort();
    const { signal } = (this.request = new AbortController());
    const held = this.revision !== undefined && this.lines.take();
    const asked = Date.now();
    try {
      const session = await this.api.session(this.profile, {
        signal,
        ...(held ? { since: this.revision, wait: WAIT } : {})
      });
      if (!signal.aborted) {
        this.pace(session, held && Date.now() - asked > PROMPT);
        this.report(session);
      }
    } catch (reason) {
      if (!signal.aborted) {
        this.poll.frequency = FAILING;
        this.revision = undefined;
        this.report(problemOf(reason));
      }
      throw reason;
    } finally {
      if (held) {
        this.lines.release();
      }
    }
  }

  /** Choose when to ask next: at once if there was news, or if the server took its time. */
  private pace(session: ISession, waited: boolean): void {
    const isNews = session.revision !== this.revision;
    const rest = session.state === 'signed_in' ? SETTLED : WAITING;
    this.revision = session.revision;
    this.poll.frequency = isNews || waited ? HELD : rest;
  }

  private readonly poll: Poll;
  private request = new AbortController();
  private revision: number | undefined;
}
