/** The plugin that knows what the person has chosen. */

import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';

import { IPreferences, Preferences, SETTINGS_ID } from './settings';

export const settings: JupyterFrontEndPlugin<IPreferences> = {
  id: SETTINGS_ID,
  description: 'Holds the choices about platform connections.',
  autoStart: true,
  provides: IPreferences,
  optional: [ISettingRegistry],
  activate: async (
    _: JupyterFrontEnd,
    registry: ISettingRegistry | null
  ): Promise<IPreferences> => {
    const preferences = new Preferences();
    // Settings that cannot be had are the defaults: nobody is kept from signing in.
    await registry?.load(SETTINGS_ID).then(
      found => preferences.follow(found),
      () => undefined
    );
    return preferences;
  }
};
