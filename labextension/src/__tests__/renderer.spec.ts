import { Widget } from '@lumino/widgets';

import { LOGIN_MIME } from '../paths';
import { loginRendererFactory } from '../renderer';
import { RefusedError } from '../request';
import { Sessions } from '../sessions';
import { BASE, FakeApi, session, words } from './fakes';

const OURS = {
  version: 1,
  profile: 'prod',
  platform: 'flyte.example.com',
  sign_in_path: '/a%40b/platform-auth/login?profile=prod',
  session_path: '/a%40b/platform-auth/api/v1/profiles/prod'
};

let api: FakeApi;
let sessions: Sessions;
let output: Widget & { renderModel(model: object): Promise<void> };

async function pass(seconds: number): Promise<void> {
  await jest.advanceTimersByTimeAsync(seconds * 1000);
}

async function render(data: object): Promise<void> {
  await output.renderModel({ data: { [LOGIN_MIME]: data } });
}

/** Show a session as the server tells it. */
async function show(changes: object): Promise<void> {
  const revision = (sessions.read('prod').session?.revision ?? 0) + 1;
  await pass(0.4);
  api.last.answer(session({ ...changes, revision }));
  await pass(0.1);
}

function find<E extends HTMLElement>(selector: string): E {
  const found = output.node.querySelector<E>(selector);
  if (!found) {
    throw new Error(`no ${selector} in ${output.node.outerHTML}`);
  }
  return found;
}

function button(label: string): HTMLButtonElement {
  const all = [...output.node.querySelectorAll('button')];
  const found = all.find(({ textContent }) => textContent === label);
  if (!found) {
    throw new Error(`no button ${label} in ${output.node.outerHTML}`);
  }
  return found;
}

beforeEach(() => {
  jest.useFakeTimers();
  api = new FakeApi();
  sessions = new Sessions(BASE, api);
  const factory = loginRendererFactory(sessions, words);
  output = factory.createRenderer({} as never) as typeof output;
  Widget.attach(output, document.body);
});

afterEach(() => {
  output.dispose();
  sessions.dispose();
  jest.restoreAllMocks();
  jest.useRealTimers();
});

it('comes first, and in a notebook not trusted, too', () => {
  const factory = loginRendererFactory(sessions, words);
  expect(factory.safe).toBe(true);
  expect(factory.defaultRank).toBeLessThan(50);
});

it('says what it does before the first answer', async () => {
  await render(OURS);
  expect(find('[role=status]').textContent).toBe('Checking…');
  expect(output.node.querySelector('a')).toBeNull();
});

it('shows the state of now, whatever was saved', async () => {
  await render(OURS);
  await show({ state: 'signed_in', signed_in_as: 'ada@example.com' });
  expect(find('[role=status]').textContent).toBe(
    'Signed in as ada@example.com'
  );
  await show({ state: 'signed_out' });
  expect(find('[role=status]').textContent).toBe('Signed out');
});

it('signs in by a real link', async () => {
  await render(OURS);
  await show({});
  const link = find<HTMLAnchorElement>('a');
  expect(link.getAttribute('href')).toBe(OURS.sign_in_path);
  expect(link.target).toBe('_blank');
  expect(link.rel).toBe('noopener');
  expect(link.textContent).toMatch(/^Sign in/);
});

describe('a press on the link', () => {
  let link: HTMLAnchorElement;
  let open: jest.SpyInstance;

  beforeEach(async () => {
    open = jest.spyOn(window, 'open');
    await render(OURS);
    await show({});
    link = find('a');
  });

  function press(init: MouseEventInit = {}): boolean {
    const event = new MouseEvent('click', { cancelable: true, ...init });
    link.dispatchEvent(event);
    return event.defaultPrevented;
  }

  it('opens a window in the same turn, with no way back to this page', () => {
    const opened = { opener: window };
    open.mockReturnValue(opened);
    expect(press()).toBe(true);
    expect(open).toHaveBeenCalledWith(
      OURS.sign_in_path,
      '_blank',
      expect.stringContaining('popup')
    );
    expect(opened.opener).toBeNull();
  });

  it('is left to the browser where windows are blocked', () => {
    open.mockReturnValue(null);
    expect(press()).toBe(false);
  });

  it.each(['ctrlKey', 'metaKey', 'shiftKey'])(
    'is left to the browser with %s',
    key => {
      expect(press({ [key]: true })).toBe(false);
      expect(open).not.toHaveBeenCalled();
    }
  );

  it('says what comes next', () => {
    open.mockReturnValue({});
    press();
    expect(output.node.textContent).toContain('Finish on the page that opened');
  });

  it('asks the server where no page is needed', async () => {
    await show({ flow: 'client_credentials', interactive: false });
    link = find('a');
    expect(press()).toBe(true);
    expect(open).not.toHaveBeenCalled();
    expect(api.deeds).toEqual([['prod', 'sign-in', undefined]]);
  });
});

it('cancels, once', async () => {
  await render(OURS);
  await show({ state: 'signing_in' });
  api.reply = session({ revision: 9 });
  button('Cancel').click();
  button('Cancel').click();
  await pass(0.1);
  expect(api.deeds).toEqual([['prod', 'cancel', undefined]]);
  expect(find('[role=status]').textContent).toBe('Signed out');
});

it('keeps the focus among its controls', async () => {
  await render(OURS);
  await show({ state: 'signing_in' });
  button('Cancel').focus();
  await show({ state: 'signed_out' });
  expect(document.activeElement).toBe(find('a'));
});

describe('a code to enter elsewhere', () => {
  const challenge = {
    kind: 'device',
    verification_uri: 'https://id.example.com/device',
    user_code: 'ABCD-EFGH'
  };

  beforeEach(async () => {
    await render(OURS);
    await show({ state: 'signing_in', flow: 'device', challenge });
  });

  it('has its picture, fetched once', async () => {
    expect(api.pictured).toEqual(['prod']);
    expect(output.node.querySelector('[role=img]')).toBeNull();
    api.picture = { size: 29, path: 'M4 4h7v1h-7z' };
    const next = { ...challenge, user_code: 'IJKL-MNOP' };
    await show({ state: 'signing_in', flow: 'device', challenge: next });
    await show({ state: 'signing_in', challenge: next, warnings: ['Hurry.'] });
    expect(api.pictured).toEqual(['prod', 'prod']);
    expect(find('[role=img] title').textContent).toContain('QR code');
    expect(find('[role=img] path:last-child').getAttribute('d')).toBe(
      'M4 4h7v1h-7z'
    );
    await show({ state: 'signed_in' });
    expect(output.node.querySelector('[role=img]')).toBeNull();
  });

  it('does without a picture that cannot be had', async () => {
    api.picture = new RefusedError(404, null);
    const next = { ...challenge, user_code: 'IJKL-MNOP' };
    await show({ state: 'signing_in', flow: 'device', challenge: next });
    expect(find('.pa-login-code').textContent).toBe('IJKL-MNOP');
    expect(output.node.querySelector('[role=img]')).toBeNull();
  });

  it('says how long it is good for, second by second', async () => {
    const expires_at = Date.now() / 1000 + 92;
    const timed = { ...challenge, expires_at };
    await show({ state: 'signing_in', flow: 'device', challenge: timed });
    const left = find('[role=timer]');
    expect(left.textContent).toMatch(/^The code is good for 1:3[01]\.$/);
    await pass(40);
    expect(left.textContent).toMatch(/^The code is good for 0:5[01]\.$/);
    expect(left.classList).toContain('pa-mod-hurry');
    await pass(60);
    expect(left.textContent).toBe('The code has expired.');
  });

  it('counts for nobody any more', async () => {
    const timed = { ...challenge, expires_at: Date.now() / 1000 + 900 };
    await show({ state: 'signing_in', flow: 'device', challenge: timed });
    output.dispose();
    sessions.dispose();
    await pass(60); // what is under way ends
    expect(jest.getTimerCount()).toBe(0);
  });

  it('is shown and copied', async () => {
    const writeText = jest.fn(async () => undefined);
    Object.assign(navigator, { clipboard: { writeText } });
    button('Copy').click();
    await pass(0.1);
    expect(writeText).toHaveBeenCalledWith('ABCD-EFGH');
    expect(button('Copied')).toBeTruthy();
  });

  it('is selected where there is no clipboard', async () => {
    Object.assign(navigator, { clipboard: undefined });
    document.execCommand = jest.fn(() => false);
    button('Copy').click();
    await pass(0.1);
    expect(window.getSelection()?.toString()).toBe('ABCD-EFGH');
    expect(button('Copy')).toBeTruthy();
  });
});

describe('an address to paste', () => {
  const challenge = { kind: 'paste', url: 'https://id.example.com/auth' };
  const address = 'http://localhost:53593/callback?code=x&state=y';

  beforeEach(async () => {
    await render(OURS);
    await show({ state: 'signing_in', challenge });
    find<HTMLInputElement>('input').value = ` ${address}\n`;
  });

  function finish(): void {
    find('form').dispatchEvent(new Event('submit', { cancelable: true }));
  }

  it('is posted and not kept', async () => {
    api.reply = session({ state: 'signed_in', revision: 9 });
    finish();
    await pass(0.1);
    expect(api.deeds).toEqual([['prod', 'complete', { url: address }]]);
    expect(output.node.outerHTML).not.toContain('code=x');
    expect(find('[role=status]').textContent).toBe('Signed in');
  });

  it('can be pasted again after a refusal that says why', async () => {
    api.reply = new RefusedError(400, {
      code: 'callback',
      what: 'That address is of another sign-in.',
      why: '',
      fix: 'Paste the newest one.',
      retryable: true
    });
    finish();
    await pass(0.1);
    expect(find('[role=alert]').textContent).toBe(
      'That address is of another sign-in. Paste the newest one.'
    );
    expect(find<HTMLInputElement>('input').value).toBe('');
    await show({ state: 'signing_in', challenge });
    expect(find('[role=alert]').textContent).toBe('');
  });

  it('has its field right after the link, and Cancel after that', async () => {
    const order = [...output.node.querySelectorAll('a, input, button')];
    expect(order.map(each => each.textContent)).toEqual([
      'Sign in at id.example.com',
      '',
      'Finish',
      'Cancel'
    ]);
    api.reply = session({ state: 'signed_out', revision: 9 });
    const cancel = order[3] as HTMLButtonElement;
    cancel.focus();
    cancel.click();
    await pass(0.1);
    expect(api.deeds).toEqual([['prod', 'cancel', undefined]]);
    expect(document.activeElement).toBe(find('a'));
  });

  it('is not lost while the display changes around it', async () => {
    await show({ state: 'signing_in', challenge, warnings: ['Hurry.'] });
    expect(find<HTMLInputElement>('input').value).toContain('code=x');
  });
});

it('says that the server is gone, and that it is back', async () => {
  await render(OURS);
  await show({});
  await pass(0.4);
  api.last.fail(new TypeError('network'));
  await pass(0.1);
  expect(find('[role=status]').textContent).toBe(
    'The Jupyter server does not answer'
  );
  expect(output.node.querySelector('a')).toBeNull();
  button('Try now').click();
  await pass(0.1);
  api.last.answer(session());
  await pass(0.1);
  expect(find('[role=status]').textContent).toBe('Signed out');
});

it('stops asking while it is hidden, and when it is gone', async () => {
  await render(OURS);
  await show({});
  await pass(0.4);
  output.hide();
  expect(api.last.signal?.aborted).toBe(true);
  output.show();
  await pass(0.4);
  expect(api.last.signal?.aborted).toBe(false);
  Widget.detach(output);
  expect(api.last.signal?.aborted).toBe(true);
});

describe('a hostile notebook', () => {
  it.each([
    { ...OURS, sign_in_path: 'https://evil.example/login' },
    { ...OURS, sign_in_path: 'javascript:alert(1)' },
    { ...OURS, session_path: '//evil.example/x' },
    { version: 1 }
  ])('with %j gets nothing to press and asks nobody', async data => {
    await render(data);
    await pass(60);
    expect(output.node.querySelectorAll('a, button, input')).toHaveLength(0);
    expect(api.questions).toEqual([]);
  });

  it('cannot make markup of its words', async () => {
    const evil = '<img src=x onerror=alert(1)>';
    await render({ ...OURS, platform: evil });
    expect(output.node.querySelector('img')).toBeNull();
    expect(output.node.textContent).toContain(evil);
  });
});

it('shows what a provider says as text', async () => {
  const evil = '"><script>alert(1)</script><a href=javascript:alert(1)>';
  const error = { code: evil, what: evil, why: evil, fix: evil };
  await render(OURS);
  await show({ state: 'failed', error, platform: evil, warnings: [evil] });
  expect(output.node.querySelector('script')).toBeNull();
  const links = [...output.node.querySelectorAll('a')];
  expect(links.map(link => link.getAttribute('href'))).toEqual([
    OURS.sign_in_path
  ]);
  const challenge = {
    kind: 'device',
    user_code: evil,
    verification_uri: 'javascript:alert(1)',
    verification_uri_complete: evil
  };
  await show({ state: 'signing_in', challenge, signed_in_as: evil });
  expect(output.node.querySelector('script, a')).toBeNull();
  expect(find('.pa-login-code').textContent).toBe(evil);
});
