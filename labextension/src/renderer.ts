/** The renderer of login displays: live, whatever was saved, and without a kernel. */

import { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { Panel, Widget } from '@lumino/widgets';

import { Card } from './card';
import { LoginCard } from './loginCard';
import { LOGIN_MIME, readLoginData } from './paths';
import { ISessions } from './sessions';
import { foreignView } from './view';
import { Words } from './words';

export class LoginRenderer extends Panel implements IRenderMime.IRenderer {
  constructor(
    private readonly sessions: ISessions,
    private readonly words: Words
  ) {
    super();
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const data = readLoginData(model.data[LOGIN_MIME]);
    this.widgets.slice().forEach(widget => widget.dispose());
    if (data) {
      const { sessions, words } = this;
      const options = { ...data, sessions, words, isFollowing: true };
      this.addWidget(new LoginCard(options));
    } else {
      this.addWidget(new Widget({ node: this.foreign() }));
    }
  }

  private foreign(): HTMLElement {
    const ignore = () => undefined;
    const handlers = { onLink: ignore, onButton: ignore, onPaste: ignore };
    const card = new Card(handlers, this.words);
    card.show(foreignView(this.words));
    return card.node;
  }
}

/** Ranked before every other form of the same output; safe: it shows text and makes its own links. */
export function loginRendererFactory(
  sessions: ISessions,
  words: Words
): IRenderMime.IRendererFactory {
  return {
    safe: true,
    mimeTypes: [LOGIN_MIME],
    defaultRank: 0,
    createRenderer: () => new LoginRenderer(sessions, words)
  };
}
