/** The plugin that knows what the person has chosen. */

import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';

import { ISessions } from './sessions';
import { IPreferences, Preferences, SETTINGS_ID } from './settings';

export const settings: JupyterFrontEndPlugin<IPreferences> = {
  id: SETTINGS_ID,
  description: 'Holds the choices about platform connections.',
  autoStart: true,
  provides: IPreferences,
  requires: [ISessions],
  optional: [ISettingRegistry],
  activate: async (
    _: JupyterFrontEnd,
    sessions: ISessions,
    registry: ISettingRegistry | null
  ): Promise<IPreferences> => {
    const preferences = new Preferences();
    const prefer = () => sessions.prefer(preferences.defaultProfile);
    preferences.changed.connect(prefer);
    // Settings that cannot be had are the defaults: nobody is kept from signing in.
    await registry?.load(SETTINGS_ID).then(
      found => preferences.follow(found),
      () => undefined
    );
    return preferences;
  }
};
