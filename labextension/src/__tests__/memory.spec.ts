import { SharedMemory } from '../memory';
import { BASE } from './fakes';

const KEY = `platform-auth:told:${BASE}`;

beforeEach(() => localStorage.clear());
afterEach(() => jest.restoreAllMocks());

it('is one for the windows of a server', () => {
  const [one, other] = [
    new SharedMemory('told', BASE),
    new SharedMemory('told', BASE)
  ];
  one.keep('prod', 'this');
  other.keep('dev', 'that');
  expect([other.read('prod'), one.read('dev')]).toEqual(['this', 'that']);
  expect(new SharedMemory('told', '/other/').read('prod')).toBe('');
  expect(new SharedMemory('other', BASE).read('prod')).toBe('');
});

it.each(['null', '3', '["prod"]', '{'])('does not mind finding %s', found => {
  localStorage.setItem(KEY, found);
  const memory = new SharedMemory('told', BASE);
  expect(memory.read('prod')).toBe('');
  memory.keep('prod', 'this');
  expect(new SharedMemory('told', BASE).read('prod')).toBe('this');
});

it('remembers for one window where nothing can be stored', () => {
  const memory = new SharedMemory('told', BASE);
  memory.keep('prod', 'before');
  const full = jest
    .spyOn(Storage.prototype, 'setItem')
    .mockImplementation(() => {
      throw new Error('quota');
    });
  memory.keep('prod', 'after');
  expect(memory.read('prod')).toBe('after');
  full.mockRestore();
  memory.keep('prod', 'later');
  expect(new SharedMemory('told', BASE).read('prod')).toBe('later');
});
