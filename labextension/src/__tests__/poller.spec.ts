import { Lines, Poller } from '../poller';
import { Problem } from '../problem';
import { ISession } from '../session';
import { FakeApi, session } from './fakes';

let api: FakeApi;
let heard: (ISession | Problem)[];
let poller: Poller;

function start(lines = new Lines()): Poller {
  return new Poller('prod', api, lines, reading => heard.push(reading));
}

/** Let time go by, and everything due in it happen. */
async function pass(seconds: number): Promise<void> {
  await jest.advanceTimersByTimeAsync(seconds * 1000);
}

beforeEach(async () => {
  jest.useFakeTimers();
  jest.spyOn(Math, 'random').mockReturnValue(0.5);
  api = new FakeApi();
  heard = [];
  poller = start();
  await pass(0.1);
});

afterEach(() => {
  poller.dispose();
  jest.useRealTimers();
  jest.restoreAllMocks();
});

it('asks at once, without waiting', () => {
  expect(api.questions).toHaveLength(1);
  expect(api.last.wait).toBeUndefined();
});

it('then waits for another revision, on the server', async () => {
  api.last.answer(session({ revision: 7 }));
  await pass(0.3);
  expect(heard).toEqual([session({ revision: 7 })]);
  expect(api.questions).toHaveLength(2);
  expect(api.last).toMatchObject({ since: 7, wait: 25 });
});

it('tells a change at once and asks on', async () => {
  api.last.answer(session());
  await pass(0.3);
  await pass(4);
  api.last.answer(session({ revision: 2, state: 'signed_in' }));
  await pass(0.3);
  expect(heard).toHaveLength(2);
  expect(api.last.since).toBe(2);
});

it('asks on at once after a wait without news', async () => {
  api.last.answer(session());
  await pass(0.3);
  await pass(25);
  api.last.answer(session());
  await pass(0.3);
  expect(api.questions).toHaveLength(3);
});

it('gives its connection back after each wait', async () => {
  api.last.answer(session());
  await pass(0.3);
  for (let wait = 0; wait < 5; wait++) {
    expect(api.last.wait).toBe(25);
    await pass(25);
    api.last.answer(session());
    await pass(0.3);
  }
});

it('does not hurry a server that does not wait', async () => {
  api.last.answer(session());
  await pass(0.3);
  api.last.answer(session());
  await pass(1.9);
  expect(api.questions).toHaveLength(2);
  await pass(0.2);
  expect(api.questions).toHaveLength(3);
});

it('asks later and later while the server fails, at most every 30 seconds', async () => {
  const gaps: number[] = [];
  for (let failure = 0; failure < 10; failure++) {
    api.last.fail(new TypeError('network'));
    const before = api.questions.length;
    let gap = 0;
    while (api.questions.length === before) {
      await pass(0.5);
      gap += 0.5;
    }
    gaps.push(gap);
  }
  expect(gaps).toEqual([...gaps].sort((a, b) => a - b));
  expect(gaps[0]).toBeLessThanOrEqual(1);
  expect(gaps[4]).toBeGreaterThan(5);
  expect(gaps[9]).toBe(30);
  expect(heard).toEqual(Array(10).fill({ kind: 'unreachable' }));
});

it('is back at once when the server is', async () => {
  api.last.fail(new TypeError('network'));
  await pass(1);
  api.last.answer(session());
  await pass(0.3);
  expect(heard[1]).toEqual(session());
  expect(api.last).toMatchObject({ since: 1, wait: 25 });
});

it('asks now when told to, and no longer listens to the old answer', async () => {
  api.last.answer(session());
  await pass(0.3);
  const old = api.last;
  poller.refresh();
  await pass(0.1);
  expect(api.questions).toHaveLength(3);
  expect(old.signal?.aborted).toBe(true);
  expect(heard).toHaveLength(1);
});

it('does not listen to an old answer that comes all the same', async () => {
  const answers: ((session: ISession) => void)[] = [];
  const deaf = {
    ...api,
    session: () => new Promise<ISession>(answer => answers.push(answer))
  } as unknown as FakeApi;
  poller.dispose();
  poller = new Poller('prod', deaf, new Lines(), reading =>
    heard.push(reading)
  );
  await pass(0.1);
  poller.refresh();
  await pass(0.1);
  answers[1](session({ revision: 2 }));
  answers[0](session({ revision: 1 }));
  await pass(0.1);
  expect(heard).toEqual([session({ revision: 2 })]);
});

it('stops when nobody looks any more', async () => {
  const { signal } = api.last;
  poller.dispose();
  await pass(60);
  expect(signal?.aborted).toBe(true);
  expect(api.questions).toHaveLength(1);
  expect(heard).toEqual([]);
});

it('rests while the page is hidden', async () => {
  const visibility = jest.spyOn(document, 'visibilityState', 'get');
  visibility.mockReturnValue('hidden');
  document.dispatchEvent(new Event('visibilitychange'));
  api.last.answer(session());
  await pass(1);
  const asked = api.questions.length;
  api.last.answer(session());
  await pass(120);
  expect(api.questions.length).toBe(asked);
  visibility.mockReturnValue('visible');
  document.dispatchEvent(new Event('visibilitychange'));
  await pass(2.5);
  expect(api.questions.length).toBe(asked + 1);
});

it('holds no more than its share of the connections', async () => {
  const lines = new Lines(1);
  poller.dispose();
  api = new FakeApi();
  const pollers = [start(lines), start(lines)];
  await pass(0.1);
  api.questions.forEach(({ answer }) => answer(session()));
  await pass(0.3);
  const waits = api.questions.slice(2).map(({ wait }) => wait);
  expect(waits).toEqual([25, undefined]);
  pollers.forEach(each => each.dispose());
});
