/** Stand-ins for what the panel stands on. */

import type { TranslationBundle } from '@jupyterlab/translation';

import { INotebookDeeds } from '../deeds';
import { PanelWords } from '../panelWords';

const trans = {
  __: (text: string, ...args: unknown[]) =>
    text.replace(/%(\d)/g, (whole, n) => String(args[Number(n) - 1] ?? whole))
} as unknown as TranslationBundle;

export const panelWords = new PanelWords(trans);

/** Deeds that note what they were asked for, and end as the test says. */
export class FakeDeeds implements INotebookDeeds {
  readonly asked: string[] = [];
  result: Promise<string> = Promise.resolve('Done.');

  copy(profile: string): Promise<string> {
    this.asked.push(`copy ${profile}`);
    return this.result;
  }

  insert(profile: string): Promise<string> {
    this.asked.push(`insert ${profile}`);
    return this.result;
  }

  use(profile: string, say: (text: string) => void): Promise<string> {
    this.asked.push(`use ${profile}`);
    say('Waiting…');
    return this.result;
  }
}
