/** What can be done with a platform in a notebook: three ways to its client. */

import { copyText, element } from './dom';
import { DeedError, inject } from './inject';
import { FindNotebook, INotebookTarget } from './notebookTarget';
import { PanelWords } from './panelWords';
import { snippetOf } from './snippet';

/** Each returns a sentence for the person, or rejects with one in a `DeedError`. */
export interface INotebookDeeds {
  copy(profile: string): Promise<string>;
  insert(profile: string): Promise<string>;
  /** `say` is told what is waited for meanwhile. */
  use(profile: string, say: (text: string) => void): Promise<string>;
}

export class NotebookDeeds implements INotebookDeeds {
  /** `isSignedIn` tells whether a client would work at once. */
  constructor(
    private readonly find: FindNotebook,
    private readonly isSignedIn: (profile: string) => boolean,
    private readonly words: PanelWords
  ) {}

  async copy(profile: string): Promise<string> {
    const source = element('pre', 'pa-copied', snippetOf(profile));
    document.body.append(source);
    try {
      if (await copyText(source)) {
        return this.words.copied;
      }
    } finally {
      source.remove();
    }
    throw new DeedError(this.words.notCopied);
  }

  async insert(profile: string): Promise<string> {
    const notebook = this.notebook();
    if (notebook.isReadOnly) {
      throw new DeedError(this.words.readOnly(notebook.name));
    }
    notebook.insertCell(snippetOf(profile));
    return this.words.inserted(notebook.name);
  }

  async use(profile: string, say: (text: string) => void): Promise<string> {
    const notebook = this.notebook();
    const { name } = notebook;
    say(this.words.running(name));
    const said = await inject(notebook, profile, this.words);
    if (said) {
      return this.words.saidIn(name, said);
    }
    return this.isSignedIn(profile)
      ? this.words.ready(name)
      : this.words.readyOnceSignedIn(name);
  }

  private notebook(): INotebookTarget {
    const notebook = this.find();
    if (!notebook) {
      throw new DeedError(this.words.noNotebook);
    }
    return notebook;
  }
}
