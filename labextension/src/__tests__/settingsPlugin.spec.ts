import { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { Signal } from '@lumino/signaling';

import { ISessions } from '../sessions';
import { IPreferences } from '../settings';
import { settings } from '../settingsPlugin';

jest.mock('@jupyterlab/application', () => ({}));
jest.mock('@jupyterlab/apputils', () => ({
  Notification: { warning: jest.fn() }
}));
jest.mock('@jupyterlab/settingregistry', () => ({}));
jest.mock('@jupyterlab/translation', () => ({
  nullTranslator: { load: () => ({ __: (text: string) => text }) }
}));

const warning = jest.mocked(Notification.warning);

/** The preferences that come of what a registry answers. */
async function preferencesOf(
  load: () => Promise<unknown>
): Promise<IPreferences> {
  const registry = { load } as unknown as ISettingRegistry;
  const sessions = { prefer: jest.fn() } as unknown as ISessions;
  const none = {} as JupyterFrontEnd;
  return settings.activate(none, sessions, registry, null);
}

beforeEach(() => warning.mockClear());

it.each([
  ['the server has no schema', () => Promise.reject(new Error('404'))],
  [
    'they have lost their schema', // as once in Notebook 7
    () =>
      Promise.resolve({
        changed: new Signal({}),
        get composite(): never {
          throw new TypeError("of undefined (reading 'schema')");
        }
      })
  ]
])('holds the defaults where %s, and says so once', async (_, load) => {
  const preferences = await preferencesOf(load);
  expect(preferences).toMatchObject({
    statusItem: true,
    panelSide: 'left',
    notifications: true,
    defaultProfile: ''
  });
  expect(warning.mock.calls.map(([text]) => text)).toEqual([
    expect.stringContaining('the defaults hold')
  ]);
});

it('follows settings that are there, and says nothing', async () => {
  const composite = { panelSide: 'right' };
  const changed = new Signal({});
  const preferences = await preferencesOf(() =>
    Promise.resolve({ composite, changed })
  );
  expect(preferences.panelSide).toBe('right');
  expect(warning).not.toHaveBeenCalled();
});
