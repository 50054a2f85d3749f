import { Widget } from '@lumino/widgets';

import { IAddress, IProfileApi } from '../profileApi';
import { Entry, IOwnProfile, IProspect, readProspect } from '../profileEntry';
import { IEdited, ProfileForm } from '../profileForm';
import { ProfileWords } from '../profileWords';
import { RefusedError } from '../request';
import { trans, words } from './fakes';

const profileWords = new ProfileWords(trans);
const KEPT = { kept: true };

const FOUND = {
  name: 'flyte',
  entry: { admin: { endpoint: 'flyte.example.com', authType: 'Pkce' } },
  found: [
    { what: 'issuer', value: 'https://id.example.com', source: 'https://doc' },
    { what: 'client_id', value: 'flytectl', source: 'given' }
  ],
  flows: ['pkce', 'device'],
  needs_client: false,
  cautions: ['Nothing is encrypted.']
};

class FakeProfiles implements IProfileApi {
  readonly asked: IAddress[] = [];
  readonly saved: [string, Entry, string | null][] = [];
  prospect: IProspect | Error = readProspect(FOUND);
  refusal: Error | null = null;

  async discover(address: IAddress): Promise<IProspect> {
    this.asked.push(address);
    if (this.prospect instanceof Error) {
      throw this.prospect;
    }
    return this.prospect;
  }

  async save(
    name: string,
    entry: Entry,
    revision: string | null
  ): Promise<IOwnProfile> {
    this.saved.push([name, entry, revision]);
    if (this.refusal) {
      throw this.refusal;
    }
    return { name, entry, revision: 'next' };
  }

  own = jest.fn();
  remove = jest.fn();
  setDefault = jest.fn();
}

let api: FakeProfiles;
let form: ProfileForm;

function open(edited: IEdited | null = null): void {
  form = new ProfileForm({ api, words, profileWords, edited });
  Widget.attach(form, document.body);
}

function field<T extends HTMLElement = HTMLInputElement>(label: string): T {
  const found = [...form.node.querySelectorAll('label')].find(
    ({ textContent }) => textContent === label
  );
  return document.getElementById(found!.htmlFor) as T;
}

function type(label: string, text: string): void {
  const input = field(label);
  input.value = text;
  input.dispatchEvent(new Event('input', { bubbles: true }));
}

function choose(label: string, value: string): void {
  const select = field<HTMLSelectElement>(label);
  select.value = value;
  select.dispatchEvent(new Event('change', { bubbles: true }));
}

function said(selector: string): (string | null)[] {
  return [...form.node.querySelectorAll(selector)].map(
    ({ textContent }) => textContent
  );
}

const isChosen = () =>
  !field(profileWords.name).closest<HTMLElement>('.pa-form-part')!.hidden;

beforeEach(() => {
  api = new FakeProfiles();
});

afterEach(() => {
  form.dispose();
});

it('looks before it saves, and shows who says what', async () => {
  open();
  expect(isChosen()).toBe(false);
  type('Endpoint', ' flyte.example.com ');
  expect(await form.submit()).toBeNull();
  expect(api.asked[0].endpoint).toBe('flyte.example.com');
  expect(said('tbody tr')).toEqual([
    'Identity providerhttps://id.example.comhttps://doc',
    'Client IDflytectlYou'
  ]);
  expect(said('.pa-login-warning')).toEqual(['Nothing is encrypted.']);
  expect(isChosen()).toBe(true);
  expect(api.saved).toEqual([]);
});

it('saves what was found, with what was chosen', async () => {
  open();
  type('Endpoint', 'flyte.example.com');
  await form.submit();
  expect(field(profileWords.name).value).toBe('flyte');
  choose(profileWords.flow, 'device');
  choose(profileWords.client, 'flytekit');
  type('Scopes', 'openid, email api');
  expect((await form.submit())?.name).toBe('flyte');
  const admin = {
    endpoint: 'flyte.example.com',
    authType: 'DeviceFlow',
    scopes: ['openid', 'email', 'api']
  };
  expect(api.saved).toEqual([
    ['flyte', { admin, oauth: {}, client: 'flytekit' }, null]
  ]);
});

it('asks nobody without an endpoint', async () => {
  open();
  expect(await form.submit()).toBeNull();
  expect(api.asked).toEqual([]);
  expect(said('[data-state="wrong"]')).toEqual(['Endpoint is missing.']);
  expect(document.activeElement).toBe(field('Endpoint'));
  type('Endpoint', 'x');
  expect(said('[data-state="wrong"]')).toEqual([]);
});

it('forgets what was found once the endpoint is another', async () => {
  open();
  type('Endpoint', 'flyte.example.com');
  await form.submit();
  type('Endpoint', 'other.example.com');
  expect(said('tbody tr')).toEqual([]);
  expect(isChosen()).toBe(false);
  await form.submit();
  expect(api.asked.length).toBe(2);
  expect(api.saved).toEqual([]);
});

it('says why it was refused, and opens what may help', async () => {
  const error = {
    code: 'discovery_failed',
    what: 'x does not say how to sign in there.',
    why: '',
    fix: 'Set oauth.issuer.',
    retryable: false
  };
  api.prospect = new RefusedError(502, error);
  open();
  type('Endpoint', 'x');
  await form.submit();
  expect(said('[role="alert"] p')).toEqual([error.what, error.fix]);
  expect(form.node.querySelector('details')!.open).toBe(true);
  expect(form.node.getAttribute('aria-busy')).toBe('false');
});

it('asks for a client id where nobody names one', async () => {
  api.prospect = readProspect({ ...FOUND, needs_client: true });
  open();
  type('Endpoint', 'x');
  await form.submit();
  expect(document.activeElement).toBe(field('Client ID'));
  expect(await form.submit()).toBeNull();
  expect(said('[data-state="wrong"]')).toEqual([profileWords.clientIdMissing]);
  type('Client ID', 'mine');
  await form.submit();
  expect(api.saved[0][1].admin).toMatchObject({ clientId: 'mine' });
});

const EDITED: IEdited = {
  name: 'ci',
  revision: 'r1',
  flow: 'client_credentials',
  entry: {
    admin: { endpoint: 'x', authType: 'app-credential', clientId: 'ci' },
    oauth: { client_secret: KEPT, resource: ['urn:x'] },
    console: { endpoint: 'y' }
  }
};

it('leaves what has no field, and a secret that it has not seen', async () => {
  open(EDITED);
  expect(field(profileWords.secretLabel('oauth.client_secret')).value).toBe('');
  await form.submit();
  expect(api.saved).toEqual([['ci', EDITED.entry, 'r1']]);
});

it('puts a secret somewhere else, and nowhere twice', async () => {
  open(EDITED);
  choose(profileWords.secretPlace, 'admin.clientSecretEnvVar');
  type(profileWords.secretLabel('admin.clientSecretEnvVar'), 'CI_SECRET');
  await form.submit();
  expect(api.saved[0][1]).toMatchObject({
    admin: { clientSecretEnvVar: 'CI_SECRET' },
    oauth: { resource: ['urn:x'] }
  });
  expect(api.saved[0][1].oauth).not.toHaveProperty('client_secret');
});

it('shows what has changed meanwhile, and stays open', async () => {
  const error = {
    code: 'profile_changed',
    what: 'It has been changed since you opened it.',
    why: '',
    fix: 'Open it again.',
    retryable: false
  };
  api.refusal = new RefusedError(409, error);
  open(EDITED);
  expect(await form.submit()).toBeNull();
  expect(said('[role="alert"] p')).toEqual([error.what, error.fix]);
});
