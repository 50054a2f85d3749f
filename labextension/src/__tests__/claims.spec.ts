import { patience, StoredClaims } from '../claims';
import { BASE } from './fakes';

beforeEach(() => localStorage.clear());
afterEach(() => jest.restoreAllMocks());

it('gives each cause to one window', () => {
  const [one, other] = [new StoredClaims(BASE), new StoredClaims(BASE)];
  expect(one.claim('prod', 'failed 1')).toBe(true);
  expect(one.claim('prod', 'failed 1')).toBe(false);
  expect(other.claim('prod', 'failed 1')).toBe(false);
  expect(other.claim('prod', 'failed 2')).toBe(true);
  expect(other.claim('dev', 'failed 1')).toBe(true);
});

it('keeps the windows of another server apart', () => {
  expect(new StoredClaims(BASE).claim('prod', 'failed 1')).toBe(true);
  expect(new StoredClaims('/other/').claim('prod', 'failed 1')).toBe(true);
});

it('takes the same for another cause once all has been well', () => {
  const [one, other] = [new StoredClaims(BASE), new StoredClaims(BASE)];
  one.claim('prod', 'failed 1');
  other.forget('prod');
  one.forget('prod');
  expect(one.claim('prod', 'failed 1')).toBe(true);
});

it('tells at once in the window in front, later in others, never in a hidden one', () => {
  const focus = jest.spyOn(document, 'hasFocus').mockReturnValue(true);
  expect(patience()).toBe(0);
  focus.mockReturnValue(false);
  expect(patience(0)).toBeGreaterThan(1_000);
  expect(patience(0.9)).toBeGreaterThan(patience(0) as number);
  jest.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden');
  expect(patience()).toBeNull();
});
