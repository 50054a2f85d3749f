import { IErrorText } from '../session';
import { foreignView, IViewOptions, viewOf } from '../view';
import { clock, duration } from '../words';
import { session, words } from './fakes';

const PATH = '/a%40b/platform-auth/login?profile=prod';
const SUBJECT = {
  profile: 'prod',
  platform: 'told by the notebook',
  signInPath: PATH
};
const SOON = Date.now() / 1000 + 60;
const DENIED: IErrorText = {
  code: 'access_denied',
  what: 'The sign-in was refused.',
  why: 'Consent was not given.',
  fix: 'Sign in again and allow the access.',
  retryable: false
};

function view(changes: object, options: IViewOptions = {}) {
  const reading = { session: session(changes), problem: null };
  return viewOf(SUBJECT, reading, words, options);
}

function texts(lines: { text: string }[]): string[] {
  return lines.map(({ text }) => text);
}

describe('a session signed out', () => {
  it('is told by the server, not by the notebook', () => {
    expect(view({})).toMatchObject({
      platform: 'flyte.example.com',
      profile: 'prod',
      status: 'Signed out',
      glyph: 'lock'
    });
  });

  it('offers one link, ours, that says where it leads', () => {
    const { link, buttons } = view({});
    expect(link).toEqual({
      label: 'Sign in to flyte.example.com',
      name: 'Sign in to flyte.example.com',
      href: PATH,
      isSilent: false
    });
    expect(buttons).toEqual([]);
  });

  it('offers nothing where there is no page to sign in at', () => {
    expect(view({ sign_in_url: null }).link).toBeNull();
  });

  it('says in one sentence what signing in does', () => {
    expect(view({}).lines).toHaveLength(1);
  });

  it('says what to do once the page is open', () => {
    const { lines } = view({}, { isOpened: true });
    expect(texts(lines)[0]).toMatch(/^Finish on the page that opened/);
  });

  it('does not repeat a profile named like its platform', () => {
    expect(view({ platform: 'prod' }).profile).toBe('');
  });

  it.each(['client_credentials', 'command'])('needs no page for %s', flow =>
    expect(view({ flow, interactive: false }).link?.isSilent).toBe(true)
  );
});

describe('a session signing in', () => {
  it('keeps the link and can be cancelled', () => {
    const challenge = { kind: 'open', url: 'https://evil.example' };
    const shown = view({ state: 'signing_in', challenge });
    expect(shown.status).toBe('Waiting for you to sign in');
    expect(shown.link?.href).toBe(PATH);
    expect(shown.buttons).toEqual([{ key: 'cancel', label: 'Cancel' }]);
  });

  const device = {
    kind: 'device',
    verification_uri: 'https://id.example.com/device',
    verification_uri_complete: 'https://id.example.com/device?user_code=AB-CD',
    user_code: 'AB-CD',
    expires_at: SOON
  };

  it('shows the code, and links to the page that knows it', () => {
    const shown = view({ state: 'signing_in', challenge: device });
    const { code, link, lines } = shown;
    expect(texts(lines)).toEqual([
      'Enter this code at id.example.com, on this or any other device; then you are signed in here, too.'
    ]);
    expect(code).toMatchObject({ code: 'AB-CD', until: SOON });
    expect(link).toMatchObject({
      label: 'Sign in at id.example.com',
      href: device.verification_uri_complete
    });
  });

  it('links to the plain page where there is no other', () => {
    const challenge = { ...device, verification_uri_complete: null };
    const { link } = view({ state: 'signing_in', challenge });
    expect(link?.href).toBe('https://id.example.com/device');
  });

  it('links to nothing but web pages', () => {
    const challenge = {
      ...device,
      verification_uri: 'javascript:alert(1)',
      verification_uri_complete: 'data:text/html,x'
    };
    const { link, code } = view({ state: 'signing_in', challenge });
    expect(link).toBeNull();
    expect(code?.code).toBe('AB-CD');
  });

  it('asks for the address to paste', () => {
    const challenge = { kind: 'paste', url: 'https://id.example.com/auth?x=1' };
    const shown = view({ state: 'signing_in', challenge });
    expect(shown.paste).not.toBeNull();
    expect(shown.link?.href).toBe('https://id.example.com/auth?x=1');
  });

  it.each([
    ['device', device],
    ['paste', { kind: 'paste', url: 'https://id.example.com/auth' }]
  ])('says what will happen in the words of the server for %s', (_, asked) => {
    const challenge = { ...asked, sentence: 'A phone will ring.' };
    for (const isRow of [false, true]) {
      const shown = view({ state: 'signing_in', challenge }, { isRow });
      expect(texts(shown.lines)).toEqual(['A phone will ring.']);
    }
  });

  it('says where the browser comes back to, until it is there', () => {
    const sentence = 'Sign in; the browser then comes back by itself.';
    const challenge = { kind: 'open', url: PATH, sentence };
    const changes = { state: 'signing_in', challenge };
    expect(texts(view(changes).lines)).toEqual([sentence]);
    expect(view(changes, { isRow: true }).lines).toEqual([]);
    expect(texts(view(changes, { isOpened: true }).lines)[0]).toMatch(
      /^Finish/
    );
  });

  it('does not link a paste challenge to a script', () => {
    const challenge = { kind: 'paste', url: 'javascript:alert(1)' };
    expect(view({ state: 'signing_in', challenge }).link).toBeNull();
  });
});

describe('a session signed in', () => {
  const signedIn = {
    state: 'signed_in',
    signed_in_as: 'Ada (ada@example.com)'
  };

  it('says who, and offers nothing to press', () => {
    const shown = view(signedIn);
    expect(shown).toMatchObject({
      status: 'Signed in as Ada (ada@example.com)',
      glyph: 'check',
      link: null,
      buttons: []
    });
  });

  it('says until when', () => {
    const { lines } = view({ ...signedIn, expires_at: SOON });
    expect(texts(lines)).toEqual([`Good until ${clock(SOON)}.`]);
  });

  it('says that it renews itself', () => {
    const times = { expires_at: SOON, next_refresh: SOON - 30 };
    const { lines } = view({ ...signedIn, ...times });
    expect(texts(lines)[0]).toMatch(/then renewed automatically\.$/);
  });

  it('tells what was granted otherwise, and what goes wrong meanwhile', () => {
    const { lines } = view({
      ...signedIn,
      notices: ['The scope admin was not granted.'],
      last_error: { ...DENIED, what: 'It is down.', why: 'It rains.' }
    });
    expect(texts(lines)).toEqual([
      'The last refresh failed: It is down. It rains. It is tried again.',
      'The scope admin was not granted.'
    ]);
  });

  it('can be signed out in a list', () => {
    const { buttons } = view(signedIn, { isRow: true });
    expect(buttons).toEqual([{ key: 'sign-out', label: 'Sign out' }]);
  });
});

describe.each([
  ['expired', 'Sign-in expired'],
  ['failed', 'Sign-in failed']
])('a session that %s', (state, status) => {
  it('says what, why and the way out', () => {
    const shown = view({ state, error: DENIED });
    expect(shown.status).toBe(status);
    expect(texts(shown.lines)).toEqual([DENIED.what, DENIED.why, DENIED.fix]);
    expect(shown.link).toMatchObject({ label: 'Sign in again', href: PATH });
  });

  it('says the way out without a reason, too', () => {
    expect(texts(view({ state }).lines)).toEqual(['Sign in again to go on.']);
  });
});

describe('a row of a list', () => {
  it('has a short label and a full name for the link', () => {
    const { link, lines } = view({}, { isRow: true });
    expect(link).toMatchObject({
      label: 'Sign in',
      name: 'Sign in to flyte.example.com'
    });
    expect(lines).toEqual([]);
  });
});

describe('a refusal', () => {
  it('is said, and what was shown stays', () => {
    const trouble = { kind: 'refused', error: DENIED } as const;
    const shown = view({ warnings: ['Careful.'] }, { trouble });
    expect(shown.trouble).toBe(
      'The sign-in was refused. Consent was not given. Sign in again and allow the access.'
    );
    expect(shown.warnings).toEqual(['Careful.']);
    expect(shown.link).not.toBeNull();
  });
});

describe('a problem', () => {
  it.each([
    [{ kind: 'unreachable' }, 'The Jupyter server does not answer'],
    [{ kind: 'logged-out' }, 'Your Jupyter session has ended'],
    [{ kind: 'missing' }, 'platform-auth does not run on this Jupyter server'],
    [
      { kind: 'other-version' },
      'This page is not as new as the Jupyter server'
    ],
    [{ kind: 'refused', error: DENIED }, DENIED.what]
  ] as const)('%j is said and can be tried again', (problem, status) => {
    const shown = viewOf(SUBJECT, { session: session(), problem }, words);
    expect(shown.status).toBe(status);
    expect(shown.link).toBeNull();
    expect(shown.buttons).toEqual([{ key: 'retry', label: 'Try now' }]);
  });
});

describe('a display that is not ours', () => {
  it('has nothing to press', () => {
    const shown = foreignView(words);
    expect(shown.link).toBeNull();
    expect(shown.buttons).toEqual([]);
    expect(shown.paste).toBeNull();
  });
});

describe('after a sign-out', () => {
  it('the page of the provider is offered, too', () => {
    const logout_url = 'https://id.example.com/logout?client_id=notebook';
    for (const isRow of [false, true]) {
      const shown = view({ logout_url }, { isRow });
      expect(shown.aside).toMatchObject({
        label: 'Also sign out at id.example.com',
        href: logout_url
      });
      expect(shown.link?.href).toBe(PATH);
    }
  });

  it('nothing but a web page is', () => {
    expect(view({ logout_url: 'javascript:alert(1)' }).aside).toBeNull();
    expect(view({}).aside).toBeNull();
  });
});

describe('a warning', () => {
  it.each(['signed_out', 'signing_in', 'signed_in', 'expired', 'failed'])(
    'is there when %s, in a row, too',
    state => {
      for (const isRow of [false, true]) {
        const warnings = ['Certificates are not verified.'];
        expect(view({ state, warnings }, { isRow }).warnings).toEqual(warnings);
      }
    }
  );
});

describe('duration', () => {
  it.each([
    [600, '10:00'],
    [272.9, '4:32'],
    [9, '0:09'],
    [0.2, '0:00']
  ])('tells %d seconds as %s', (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });
});

describe('clock', () => {
  const now = new Date(2026, 4, 3, 12, 0);

  it('tells the time of today', () => {
    const at = new Date(2026, 4, 3, 14, 32).getTime() / 1000;
    expect(clock(at, now)).toMatch(/32/);
    expect(clock(at, now)).not.toMatch(/May|5/);
  });

  it('tells the day of another day', () => {
    const at = new Date(2026, 4, 9, 14, 32).getTime() / 1000;
    expect(clock(at, now)).toMatch(/9/);
  });
});
