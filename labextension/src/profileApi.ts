/** Requests about the user's own profiles. None of them ever carries a secret out. */

import { defaultProfileUrl, discoverUrl, userProfileUrl } from './paths';
import {
  Entry,
  IOwnProfile,
  IProspect,
  readOwnProfile,
  readProspect
} from './profileEntry';
import { SessionApi } from './request';

/** Seconds that looking at a platform may take. */
const LOOK = 30;

/** How to reach a platform that is not known yet. */
export interface IAddress {
  endpoint: string;
  insecure: boolean;
  insecure_skip_verify: boolean;
  ca_cert_file_path: string;
  issuer: string;
  client_id: string;
}

export interface IProfileApi {
  /** Ask a platform how to sign in there. */
  discover(address: IAddress): Promise<IProspect>;
  own(name: string): Promise<IOwnProfile>;
  /** Change a profile, or add one where there is no revision. */
  save(
    name: string,
    entry: Entry,
    revision: string | null
  ): Promise<IOwnProfile>;
  /** Sign out, and take the profile away. */
  remove(name: string): Promise<void>;
  setDefault(name: string): Promise<void>;
}

export class ProfileApi extends SessionApi implements IProfileApi {
  async discover(address: IAddress): Promise<IProspect> {
    const url = discoverUrl(this.settings.baseUrl);
    return readProspect(await this.send('POST', url, address, LOOK));
  }

  async own(name: string): Promise<IOwnProfile> {
    return readOwnProfile(await this.send('GET', this.urlOf(name)));
  }

  async save(
    name: string,
    entry: Entry,
    revision: string | null
  ): Promise<IOwnProfile> {
    const body = { entry, revision };
    return readOwnProfile(await this.send('PUT', this.urlOf(name), body));
  }

  async remove(name: string): Promise<void> {
    await this.send('DELETE', this.urlOf(name), undefined, LOOK);
  }

  async setDefault(name: string): Promise<void> {
    const url = defaultProfileUrl(this.settings.baseUrl);
    await this.send('PUT', url, { name });
  }

  private urlOf(name: string): string {
    return userProfileUrl(this.settings.baseUrl, name);
  }

  private send(
    method: string,
    url: string,
    body?: object,
    wait = 0
  ): Promise<unknown> {
    return this.request(url, { method, body: JSON.stringify(body) }, wait);
  }
}
