/** What the person has chosen in JupyterLab's settings. */

import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { Token } from '@lumino/coreutils';
import { ISignal, Signal } from '@lumino/signaling';

/** The plugin whose schema describes them. */
export const SETTINGS_ID = 'platform-auth:settings';

/** The choices, for every part of the front end. */
export interface IPreferences {
  /** One of them is not what it was. */
  readonly changed: ISignal<IPreferences, void>;
  /** Show the state in the status bar. */
  readonly statusItem: boolean;
  /** Where the panel is. */
  readonly panelSide: 'left' | 'right';
  /** Tell when a platform needs the person. */
  readonly notifications: boolean;
  /** The profile meant when none is named; empty for the server's. */
  readonly defaultProfile: string;
}

export const IPreferences = new Token<IPreferences>(
  'platform-auth:IPreferences',
  'What the person has chosen about platform connections.'
);

/** They hold from the first moment: the schema's defaults until the settings are there. */
export class Preferences implements IPreferences {
  /** Take them from the settings, now and whenever they change. */
  follow(settings: ISettingRegistry.ISettings): void {
    settings.changed.connect(this.take, this);
    this.take(settings);
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  statusItem = true;
  panelSide: 'left' | 'right' = 'left';
  notifications = true;
  defaultProfile = '';

  private take({ composite }: ISettingRegistry.ISettings): void {
    this.statusItem = composite.statusItem !== false;
    this.panelSide = composite.panelSide === 'right' ? 'right' : 'left';
    this.notifications = composite.notifications !== false;
    this.defaultProfile = String(composite.defaultProfile ?? '').trim();
    this._changed.emit();
  }

  private readonly _changed = new Signal<this, void>(this);
}
