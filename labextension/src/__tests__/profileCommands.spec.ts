import { CommandRegistry } from '@lumino/commands';

import { IProfileApi } from '../profileApi';
import { addProfileCommands, ProfileCommandIDs } from '../profileCommands';
import * as dialogs from '../profileDialog';
import { ProfileWords } from '../profileWords';
import { RefusedError } from '../request';
import { readProfiles } from '../session';
import { Sessions } from '../sessions';
import { BASE, FakeApi, sent, trans, words } from './fakes';

jest.mock('@jupyterlab/ui-components', () => ({}));
jest.mock('../profileDialog', () => ({
  confirmRemoval: jest.fn(),
  showAdded: jest.fn(),
  showProfileForm: jest.fn(),
  showRefusal: jest.fn()
}));

const shown = jest.mocked(dialogs);

let api: jest.Mocked<IProfileApi>;
let server: FakeApi;
let commands: CommandRegistry;
let sessions: Sessions;

beforeEach(async () => {
  jest.useFakeTimers();
  jest.resetAllMocks();
  server = new FakeApi();
  server.list = readProfiles({
    default: 'prod',
    profiles: ['admin', 'user', 'flyte', 'session', ''].map(source =>
      sent({ profile: source || 'broken', source })
    )
  });
  sessions = new Sessions(BASE, server);
  sessions.start();
  await jest.advanceTimersByTimeAsync(100);
  commands = new CommandRegistry();
  api = {
    discover: jest.fn(),
    own: jest.fn(),
    save: jest.fn(),
    remove: jest.fn(),
    setDefault: jest.fn()
  };
  const profileWords = new ProfileWords(trans);
  addProfileCommands(commands, { api, sessions, words, profileWords });
});

afterEach(() => {
  sessions.dispose();
  jest.useRealTimers();
});

it.each([ProfileCommandIDs.edit, ProfileCommandIDs.remove])(
  '%s is for the own profiles, and for broken ones',
  command => {
    const enabled = ['admin', 'user', 'flyte', 'session', 'broken', 'x'].filter(
      name => commands.isEnabled(command, { name })
    );
    expect(enabled).toEqual(['user', 'broken']);
    expect(commands.isEnabled(command, {})).toBe(false);
  }
);

it('removes nothing that nobody has confirmed', async () => {
  shown.confirmRemoval.mockResolvedValueOnce(false);
  await commands.execute(ProfileCommandIDs.remove, { name: 'user' });
  expect(api.remove).not.toHaveBeenCalled();
  shown.confirmRemoval.mockResolvedValueOnce(true);
  await commands.execute(ProfileCommandIDs.remove, { name: 'user' });
  expect(api.remove).toHaveBeenCalledWith('user');
});

it('edits with the revision that was read, and says a refusal', async () => {
  const own = { name: 'user', entry: { admin: {} }, revision: 'r1' };
  api.own.mockResolvedValueOnce(own);
  await commands.execute(ProfileCommandIDs.edit, { name: 'user' });
  expect(shown.showProfileForm.mock.calls[0][0].edited).toEqual({
    ...own,
    flow: 'pkce'
  });
  const refusal = new RefusedError(403, null);
  api.own.mockRejectedValueOnce(refusal);
  await commands.execute(ProfileCommandIDs.edit, { name: 'admin' });
  expect(shown.showRefusal.mock.calls[0][0]).toBe(refusal);
});

it('offers to sign in to what was added, and to nothing else', async () => {
  shown.showProfileForm.mockResolvedValueOnce(null);
  await commands.execute(ProfileCommandIDs.add);
  expect(shown.showAdded).not.toHaveBeenCalled();
  const added = { name: 'new', entry: {}, revision: 'r1' };
  shown.showProfileForm.mockResolvedValueOnce(added);
  await commands.execute(ProfileCommandIDs.add);
  expect(shown.showAdded.mock.calls[0][0]).toBe(added);
});

it('adds nothing, and chooses no default, where the server allows none', async () => {
  const chosen = { name: 'admin' };
  expect(commands.isEnabled(ProfileCommandIDs.add)).toBe(true);
  expect(commands.isEnabled(ProfileCommandIDs.setDefault, chosen)).toBe(true);
  server.list = readProfiles({
    profiles: [],
    can_add: false,
    can_choose: false
  });
  sessions.refresh();
  await jest.advanceTimersByTimeAsync(100);
  expect(commands.isEnabled(ProfileCommandIDs.add)).toBe(false);
  expect(commands.isEnabled(ProfileCommandIDs.setDefault, chosen)).toBe(false);
});

it('chooses the default, and marks it', async () => {
  const command = ProfileCommandIDs.setDefault;
  expect(commands.isToggled(command, { name: 'prod' })).toBe(true);
  expect(commands.isToggled(command, { name: 'user' })).toBe(false);
  await commands.execute(command, { name: 'user' });
  expect(api.setDefault).toHaveBeenCalledWith('user');
});
