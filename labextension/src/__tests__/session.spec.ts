import {
  ProtocolError,
  readProfiles,
  readQrCode,
  readSession
} from '../session';

const SENT = {
  profile: 'prod',
  state: 'signing_in',
  revision: 7,
  platform: 'flyte.example.com',
  endpoint: 'https://flyte.example.com',
  flow: 'device',
  source: 'admin',
  locked: true,
  scopes: ['openid'],
  key_source: 'file',
  sign_in_url: '/a%40b/platform-auth/login?profile=prod',
  signed_in_as: null,
  expires_at: null,
  next_refresh: null,
  challenge: {
    kind: 'device',
    verification_uri: 'https://id.example.com/device',
    verification_uri_complete: null,
    user_code: 'ABCD-EFGH',
    expires_at: 1764000000.5,
    interval: 5
  },
  error: null,
  warnings: ['It skips TLS verification.']
};

describe('readSession', () => {
  it('reads what the server sends', () => {
    expect(readSession(SENT)).toEqual({
      profile: 'prod',
      state: 'signing_in',
      revision: 7,
      platform: 'flyte.example.com',
      endpoint: 'https://flyte.example.com',
      flow: 'device',
      interactive: true,
      client: '',
      source: 'admin',
      locked: true,
      hasSignInPage: true,
      signed_in_as: null,
      signed_in_at: null,
      refreshed_at: null,
      expires_at: null,
      next_refresh: null,
      scopes: ['openid'],
      key_source: 'file',
      challenge: {
        kind: 'device',
        verification_uri: 'https://id.example.com/device',
        verification_uri_complete: null,
        user_code: 'ABCD-EFGH',
        sentence: null,
        expires_at: 1764000000.5
      },
      error: null,
      last_error: null,
      warnings: ['It skips TLS verification.'],
      notices: [],
      logout_url: null
    });
  });

  it('tells times by the clock of this browser', () => {
    const times = { expires_at: 1000, next_refresh: 900 };
    expect(readSession({ ...SENT, ...times }, 120)).toMatchObject({
      expires_at: 1120,
      next_refresh: 1020,
      challenge: { expires_at: 1764000120.5 }
    });
  });

  it.each([
    { ...SENT, state: 'constructor' },
    { ...SENT, revision: '7' },
    { ...SENT, profile: undefined },
    [],
    null,
    'signed_in'
  ])('refuses %j', value => {
    expect(() => readSession(value)).toThrow(ProtocolError);
  });

  it('leaves out what has another type than promised', () => {
    const odd = {
      ...SENT,
      signed_in_as: { html: '<b>' },
      expires_at: 'soon',
      challenge: { kind: 'dance' },
      error: 'oops',
      warnings: 'many'
    };
    expect(readSession(odd)).toMatchObject({
      signed_in_as: null,
      expires_at: null,
      challenge: null,
      error: null,
      warnings: []
    });
  });
});

describe('readQrCode', () => {
  it('reads a picture', () => {
    const picture = { size: 29, path: 'M4 4h7v1h-7z' };
    expect(readQrCode(picture)).toEqual(picture);
  });

  it.each([
    null,
    {},
    { size: '29', path: 'M4 4' },
    { size: 29, path: 'url(x)' }
  ])('takes %j for none', value => expect(readQrCode(value)).toBeNull());
});

describe('readProfiles', () => {
  it('reads the list', () => {
    const list = readProfiles({
      version: 1,
      default: 'prod',
      profiles: [SENT]
    });
    expect(list.default).toBe('prod');
    expect(list.profiles.map(({ profile }) => profile)).toEqual(['prod']);
  });

  it('reads what is wrong with the configuration', () => {
    const problem = { code: 'config', what: 'profiles.yaml is broken.' };
    const { problems } = readProfiles({ profiles: [], problems: [problem, 7] });
    expect(problems.map(({ what }) => what)).toEqual([problem.what]);
  });

  it('refuses something else', () => {
    expect(() => readProfiles({ profiles: null })).toThrow(ProtocolError);
  });
});
