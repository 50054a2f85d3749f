/** Requests to the server extension. None of them ever carries a token of a platform. */

import { ServerConnection } from '@jupyterlab/services';

import { profilesUrl, sessionUrl } from './paths';
import {
  IErrorText,
  IProfiles,
  ISession,
  readError,
  readProfiles,
  readSession
} from './session';

/** Seconds by which an answer may be later than asked for. */
const PATIENCE = 15;

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
  post(profile: string, deed: Deed, body?: object): Promise<ISession>;
}

export class SessionApi implements ISessionApi {
  constructor(private readonly settings: ServerConnection.ISettings) {}

  async profiles(): Promise<IProfiles> {
    const url = `${profilesUrl(this.settings.baseUrl)}?no_track_activity=1`;
    return readProfiles(await this.request(url, { method: 'GET' }, 0));
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
    return readSession(
      await this.request(url, { method: 'GET', signal }, wait)
    );
  }

  async post(
    profile: string,
    deed: Deed,
    body: object = {}
  ): Promise<ISession> {
    const url = `${sessionUrl(this.settings.baseUrl, profile)}/${deed}`;
    const init = { method: 'POST', body: JSON.stringify(body) };
    return readSession(await this.request(url, init, 0));
  }

  private async request(
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
      return body;
    } finally {
      clearTimeout(timer);
      init.signal?.removeEventListener('abort', abort);
    }
  }
}
