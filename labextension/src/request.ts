/** Requests to the server extension. None of them ever carries a token of a platform. */

import { ServerConnection } from '@jupyterlab/services';

import { profilesUrl, sessionUrl } from './paths';
import {
  IErrorText,
  IProfiles,
  IQrCode,
  ISession,
  readError,
  readProfiles,
  readQrCode,
  readSession
} from './session';

/** Seconds by which an answer may be later than asked for. */
const PATIENCE = 15;

/** Seconds that clocks may differ by unnoticed; the server tells whole ones only. */
const CLOSE_ENOUGH = 3;

/** The server answered with a refusal. */
export class RefusedError extends Error {
  constructor(
    readonly status: number,
    readonly error: IErrorText | null
  ) {
    super(error?.what ?? `HTTP ${status}`);
  }
}

export interface IWaitOptions {
  /** The revision already known. */
  since?: number;
  /** Seconds the server may wait for another one. */
  wait?: number;
  signal?: AbortSignal;
}

/** What a person can do to a session. */
export type Deed = 'sign-in' | 'complete' | 'sign-out' | 'cancel';

/** The REST face of the server extension. */
export interface ISessionApi {
  profiles(): Promise<IProfiles>;
  session(profile: string, options?: IWaitOptions): Promise<ISession>;
  /** The address of a device flow, to be scanned with a phone. */
  qrCode(profile: string): Promise<IQrCode | null>;
  post(profile: string, deed: Deed, body?: object): Promise<ISession>;
}

export class SessionApi implements ISessionApi {
  constructor(protected readonly settings: ServerConnection.ISettings) {}

  async profiles(): Promise<IProfiles> {
    const url = `${profilesUrl(this.settings.baseUrl)}?no_track_activity=1`;
    const answer = await this.request(url, { method: 'GET' }, 0);
    return readProfiles(answer, this.ahead);
  }

  async session(
    profile: string,
    { since, wait = 0, signal }: IWaitOptions = {}
  ): Promise<ISession> {
    const query = new URLSearchParams({ no_track_activity: '1' });
    if (since !== undefined && wait > 0) {
      query.set('since', String(since));
      query.set('wait', String(wait));
    }
    const url = `${sessionUrl(this.settings.baseUrl, profile)}?${query}`;
    const answer = await this.request(url, { method: 'GET', signal }, wait);
    return readSession(answer, this.ahead);
  }

  async qrCode(profile: string): Promise<IQrCode | null> {
    const base = sessionUrl(this.settings.baseUrl, profile);
    const url = `${base}/qr?no_track_activity=1`;
    const answer = await this.request(url, { method: 'GET' }, 0);
    return readQrCode((answer as { qr?: unknown } | null)?.qr);
  }

  async post(
    profile: string,
    deed: Deed,
    body: object = {}
  ): Promise<ISession> {
    const url = `${sessionUrl(this.settings.baseUrl, profile)}/${deed}`;
    const init = { method: 'POST', body: JSON.stringify(body) };
    return readSession(await this.request(url, init, 0), this.ahead);
  }

  /** Send a request, and return the JSON of its answer; refusals are thrown. */
  protected async request(
    url: string,
    init: RequestInit,
    wait: number
  ): Promise<unknown> {
    const timeout = new AbortController();
    const abort = () => timeout.abort();
    const timer = setTimeout(abort, (wait + PATIENCE) * 1000);
    init.signal?.addEventListener('abort', abort);
    try {
      const response = await ServerConnection.makeRequest(
        url,
        { ...init, signal: timeout.signal },
        this.settings
      );
      const body = await response.json().catch(() => null);
      if (!response.ok) {
        throw new RefusedError(response.status, readError(body?.error));
      }
      if (wait === 0) {
        // An answer that is held back bears the time of its question.
        this.setClock(response.headers.get('Date'));
      }
      return body;
    } finally {
      clearTimeout(timer);
      init.signal?.removeEventListener('abort', abort);
    }
  }

  /** Note how far the clocks differ, but not every second anew: what shows must not flicker. */
  private setClock(date: string | null): void {
    const ahead = (Date.now() - Date.parse(date ?? '')) / 1000;
    if (Math.abs(ahead - this.ahead) > CLOSE_ENOUGH) {
      this.ahead = ahead;
    }
  }

  /** By how many seconds this browser's clock is ahead of the server's. */
  private ahead = 0;
}
