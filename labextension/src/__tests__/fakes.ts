/** Stand-ins for the server and for the translator. */

import type { TranslationBundle } from '@jupyterlab/translation';

import { Deed, ISessionApi, IWaitOptions } from '../request';
import { IProfiles, IQrCode, ISession, readSession } from '../session';
import { Words } from '../words';

export const trans = {
  __: (text: string, ...args: unknown[]) =>
    text.replace(/%(\d)/g, (whole, n) => String(args[Number(n) - 1] ?? whole))
} as unknown as TranslationBundle;

export const words = new Words(trans);

export const BASE = 'https://hub.example.com/a%40b/';

/** A session as the server sends it. */
export function sent(changes: object = {}): object {
  return {
    profile: 'prod',
    platform: 'flyte.example.com',
    state: 'signed_out',
    revision: 1,
    flow: 'pkce',
    interactive: true,
    sign_in_url: '/a%40b/platform-auth/login?profile=prod',
    warnings: [],
    ...changes
  };
}

/** A session as it is read. */
export function session(changes: object = {}): ISession {
  return readSession(sent(changes));
}

interface IQuestion extends IWaitOptions {
  profile: string;
  answer: (session: ISession) => void;
  fail: (reason: unknown) => void;
}

/** A server whose answers are given by hand, one for each question it was asked. */
export class FakeApi implements ISessionApi {
  readonly questions: IQuestion[] = [];
  readonly deeds: [string, Deed, object | undefined][] = [];
  list: IProfiles | Error = {
    default: 'prod',
    profiles: [session()],
    problems: [],
    can_add: true,
    can_choose: true
  };
  reply: ISession | Error = session();
  picture: IQrCode | Error | null = null;
  readonly pictured: string[] = [];

  async profiles(): Promise<IProfiles> {
    if (this.list instanceof Error) {
      throw this.list;
    }
    return this.list;
  }

  session(profile: string, options: IWaitOptions = {}): Promise<ISession> {
    return new Promise((answer, fail) => {
      options.signal?.addEventListener('abort', () => fail(new Error('abort')));
      this.questions.push({ profile, ...options, answer, fail });
    });
  }

  async post(profile: string, deed: Deed, body?: object): Promise<ISession> {
    this.deeds.push([profile, deed, body]);
    if (this.reply instanceof Error) {
      throw this.reply;
    }
    return this.reply;
  }

  async qrCode(profile: string): Promise<IQrCode | null> {
    this.pictured.push(profile);
    if (this.picture instanceof Error) {
      throw this.picture;
    }
    return this.picture;
  }

  /** The question still to be answered. */
  get last(): IQuestion {
    return this.questions[this.questions.length - 1];
  }
}
