/** A card that lives: it shows a profile's session as it is now, and does what is asked of it. */

import { IDisposable } from '@lumino/disposable';
import { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import { Card, ICardParts } from './card';
import { signInPath } from './paths';
import { isPlainClick, openPopup } from './popup';
import { Problem, problemOf } from './problem';
import { Deed } from './request';
import { ISessions } from './sessions';
import { ButtonKey, ILink, ISubject, IViewOptions, viewOf } from './view';
import { Words } from './words';

export interface ILoginCardOptions extends IViewOptions {
  profile: string;
  platform: string;
  sessions: ISessions;
  words: Words;
  /** Follow the session closely while the card is seen. */
  isFollowing: boolean;
  parts?: ICardParts;
}

export class LoginCard extends Widget {
  constructor(private readonly options: ILoginCardOptions) {
    super();
    const { profile, platform, sessions, words } = options;
    this.card = new Card(
      {
        onLink: (link, event) => this.onLink(link, event),
        onButton: key => this.onButton(key),
        onPaste: url => void this.act('complete', { url })
      },
      words,
      options.parts
    );
    this.subject = {
      profile,
      platform,
      signInPath: signInPath(sessions.baseUrl, profile)
    };
    this.node.append(this.card.node);
    sessions.changed.connect(this.draw, this);
    this.draw();
  }

  override dispose(): void {
    this.unfollow();
    this.card.dispose();
    super.dispose();
  }

  protected override onAfterAttach(_: Message): void {
    this.follow();
  }

  protected override onAfterShow(_: Message): void {
    this.follow();
  }

  protected override onBeforeDetach(_: Message): void {
    this.unfollow();
  }

  protected override onBeforeHide(_: Message): void {
    this.unfollow();
  }

  private follow(): void {
    if (this.options.isFollowing && this.isVisible && !this.watch) {
      this.watch = this.options.sessions.watch(this.subject.profile);
    }
  }

  private unfollow(): void {
    this.watch?.dispose();
    this.watch = null;
  }

  private draw(): void {
    const { sessions, words, isRow } = this.options;
    const reading = sessions.read(this.subject.profile);
    const { state = null, revision = null } = reading.session ?? {};
    if (revision !== this.revision) {
      this.revision = revision;
      this.trouble = null;
      this.isOpened &&= state === 'signed_out' || state === 'signing_in';
    }
    const view = viewOf(this.subject, reading, words, {
      isOpened: this.isOpened,
      trouble: this.trouble,
      isRow
    });
    this.card.show(view);
    void this.drawPicture(view.code?.code ?? '');
  }

  /** Fetch the picture of a code once, as soon as the code shows. */
  private async drawPicture(code: string): Promise<void> {
    if (code === this.pictured) {
      return;
    }
    this.pictured = code;
    this.card.showPicture(null);
    if (code) {
      const picture = await this.options.sessions.qrCode(this.subject.profile);
      if (code === this.pictured && !this.isDisposed) {
        this.card.showPicture(picture);
      }
    }
  }

  private onLink(link: ILink, event: MouseEvent): void {
    if (link.isSilent) {
      event.preventDefault();
      void this.act('sign-in');
      return;
    }
    if (isPlainClick(event) && openPopup(link.href)) {
      event.preventDefault();
    }
    this.isOpened = true;
    this.options.sessions.refresh();
    this.draw();
  }

  private onButton(key: ButtonKey): void {
    if (key === 'retry') {
      this.options.sessions.refresh();
    } else {
      this.isOpened = false;
      void this.act(key);
    }
  }

  private async act(deed: Deed, body?: object): Promise<void> {
    if (this.card.isBusy) {
      return;
    }
    this.card.isBusy = true;
    this.trouble = null;
    try {
      await this.options.sessions.act(this.subject.profile, deed, body);
    } catch (reason) {
      this.trouble = problemOf(reason);
    }
    if (!this.isDisposed) {
      this.card.isBusy = false;
      this.draw();
    }
  }

  private readonly card: Card;
  private readonly subject: ISubject;
  private watch: IDisposable | null = null;
  private revision: number | null = null;
  /** What came of the last thing asked for, if it was refused. */
  private trouble: Problem | null = null;
  private isOpened = false;
  /** The code whose picture shows, or is on its way. */
  private pictured = '';
}
