import { isWebAddress, readLoginData, sessionUrl, signInPath } from '../paths';
import { BASE } from './fakes';

const OURS = {
  version: 1,
  profile: 'prod',
  platform: 'flyte.example.com',
  sign_in_path: '/a%40b/platform-auth/login?profile=prod',
  session_path: '/a%40b/platform-auth/api/v1/profiles/prod'
};

describe('signInPath', () => {
  it('is root-relative and keeps the escapes of the base url', () => {
    expect(signInPath(BASE, 'prod')).toBe(
      '/a%40b/platform-auth/login?profile=prod'
    );
  });

  it('keeps a profile name from adding parameters', () => {
    expect(signInPath(BASE, 'a&force=1#x y')).toBe(
      '/a%40b/platform-auth/login?profile=a%26force%3D1%23x%20y'
    );
  });

  it('is absolute where the server is on another origin than the page', () => {
    expect(signInPath('https://other.example.com/x/', 'prod')).toBe(
      'https://other.example.com/x/platform-auth/login?profile=prod'
    );
  });
});

describe('sessionUrl', () => {
  it('keeps a profile name from leaving its folder', () => {
    expect(sessionUrl(BASE, '../../contents')).toBe(
      `${BASE}platform-auth/api/v1/profiles/..%2F..%2Fcontents`
    );
  });
});

describe('isWebAddress', () => {
  it.each(['https://id.example.com/device', 'http://127.0.0.1:9400/device'])(
    'takes %s',
    url => expect(isWebAddress(url)).toBe(true)
  );

  it.each([
    'javascript:alert(1)',
    'data:text/html,x',
    'file:///etc/passwd',
    '/device',
    ''
  ])('refuses %s', url => expect(isWebAddress(url)).toBe(false));
});

describe('readLoginData', () => {
  it('reads ours', () => {
    expect(readLoginData(OURS)).toEqual({
      profile: 'prod',
      platform: 'flyte.example.com'
    });
  });

  it('reads what another user of the Hub saved', () => {
    const travelled = {
      ...OURS,
      sign_in_path: '/user/bob/platform-auth/login?profile=prod',
      session_path: '/user/bob/platform-auth/api/v1/profiles/prod'
    };
    expect(readLoginData(travelled)?.profile).toBe('prod');
  });

  it('reads a profile whose name is escaped in the paths', () => {
    const escaped = {
      ...OURS,
      profile: 'a b',
      sign_in_path: '/a%40b/platform-auth/login?profile=a%20b',
      session_path: '/a%40b/platform-auth/api/v1/profiles/a%20b'
    };
    expect(readLoginData(escaped)?.profile).toBe('a b');
  });

  it.each([
    'https://evil.example/platform-auth/login?profile=prod',
    '//evil.example/platform-auth/login?profile=prod',
    '/\\evil.example/platform-auth/login?profile=prod',
    '/\t/evil.example/platform-auth/login?profile=prod',
    'javascript:alert(1)//platform-auth/login?profile=prod',
    'a%40b/platform-auth/login?profile=prod',
    '/a%40b/../evil/platform-auth/login?profile=prod',
    '/a%40b/%2e%2e/evil/platform-auth/login?profile=prod',
    '/a%40b/platform-auth/login?profile=dev',
    '/a%40b/platform-auth/login?profile=prod&next=//evil.example',
    '/a%40b/platform-auth/login?profile=prod#x',
    '/a%40b/logout?profile=prod',
    '',
    null,
    7
  ])('refuses to sign in at %j', sign_in_path => {
    expect(readLoginData({ ...OURS, sign_in_path })).toBeNull();
  });

  it.each([
    'https://evil.example/platform-auth/api/v1/profiles/prod',
    '//evil.example/platform-auth/api/v1/profiles/prod',
    '/a%40b/api/contents/platform-auth/api/v1/profiles/dev',
    '/a%40b/platform-auth/api/v1/profiles/prod?x=1',
    '/a%40b/platform-auth/api/v1/profiles/%E0%A4%A',
    undefined
  ])('refuses to ask at %j', session_path => {
    expect(readLoginData({ ...OURS, session_path })).toBeNull();
  });

  it.each([
    { ...OURS, version: 2 },
    { ...OURS, profile: '' },
    { ...OURS, profile: 3 },
    {},
    null,
    'x'
  ])('refuses %j', data => expect(readLoginData(data)).toBeNull());
});
