/** The plugin that knows what the person has chosen. */

import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { NoticeWords } from './noticeWords';
import { ISessions } from './sessions';
import { IPreferences, Preferences, SETTINGS_ID } from './settings';

export const settings: JupyterFrontEndPlugin<IPreferences> = {
  id: SETTINGS_ID,
  description: 'Holds the choices about platform connections.',
  autoStart: true,
  provides: IPreferences,
  requires: [ISessions],
  optional: [ISettingRegistry, ITranslator],
  activate: async (
    _: JupyterFrontEnd,
    sessions: ISessions,
    registry: ISettingRegistry | null,
    translator: ITranslator | null
  ): Promise<IPreferences> => {
    const preferences = new Preferences();
    const prefer = () => sessions.prefer(preferences.defaultProfile);
    preferences.changed.connect(prefer);
    try {
      const found = await registry?.load(SETTINGS_ID);
      if (found) {
        preferences.follow(found);
      }
    } catch {
      // Settings that cannot be had are the defaults: nobody is kept from signing in.
      const trans = (translator ?? nullTranslator).load('platform_auth');
      Notification.warning(new NoticeWords(trans).settingsMissing);
    }
    return preferences;
  }
};
