/** Dialogs in which something is filled in: they stay open until it is done. */

import { Dialog, showDialog } from '@jupyterlab/apputils';
import { Widget } from '@lumino/widgets';

import { element } from './dom';
import { LoginCard } from './loginCard';
import { problemOf } from './problem';
import { IOwnProfile } from './profileEntry';
import { IProfileFormOptions, ProfileForm } from './profileForm';
import { ProfileWords } from './profileWords';
import { ISessions } from './sessions';
import { Words } from './words';

const SAVE = 1;

/** A dialog whose body takes Enter itself: its links and buttons can be pressed. */
class BodyDialog<T> extends Dialog<T> {
  override handleEvent(event: Event): void {
    const target = event.target as HTMLElement;
    const isPressed = target.closest?.(
      '.jp-Dialog-body :is(a, button, select, summary)'
    );
    if (event.type === 'keydown' && isPressed) {
      if ((event as KeyboardEvent).key === 'Enter') {
        return;
      }
    }
    super.handleEvent(event);
  }
}

class FormDialog extends BodyDialog<void> {
  constructor(
    private readonly form: ProfileForm,
    title: string,
    words: ProfileWords,
    private readonly onSaved: (saved: IOwnProfile) => void
  ) {
    super({
      title,
      body: form,
      buttons: [
        Dialog.cancelButton({ label: words.cancel }),
        Dialog.okButton({ label: words.save })
      ],
      defaultButton: SAVE,
      focusNodeSelector: '.pa-form input',
      hasClose: true
    });
    this.addClass('pa-form-dialog');
  }

  /** Save, and close only when that is done. */
  override resolve(index?: number): void {
    if (index !== undefined && index !== SAVE) {
      super.resolve(index);
    } else {
      void this.submit();
    }
  }

  private async submit(): Promise<void> {
    const saved = await this.form.submit();
    if (saved && !this.isDisposed) {
      this.onSaved(saved);
      super.resolve(SAVE);
    }
  }
}

/** Have a profile filled in; null where the person thought better of it. */
export async function showProfileForm(
  options: IProfileFormOptions
): Promise<IOwnProfile | null> {
  let saved: IOwnProfile | null = null;
  await formDialog(options, profile => {
    saved = profile;
  }).launch();
  return saved;
}

function formDialog(
  options: IProfileFormOptions,
  onSaved: (saved: IOwnProfile) => void
): FormDialog {
  const { edited, profileWords: words } = options;
  const title = edited ? words.editTitle(edited.name) : words.addTitle;
  return new FormDialog(new ProfileForm(options), title, words, onSaved);
}

/** Show a profile that was added, so that the person can sign in at once. */
export async function showAdded(
  { name, entry }: IOwnProfile,
  sessions: ISessions,
  words: Words,
  profileWords: ProfileWords
): Promise<void> {
  const { endpoint } = (entry.admin ?? {}) as { endpoint?: string };
  await new BodyDialog({
    title: profileWords.savedTitle(name),
    body: new LoginCard({
      profile: name,
      platform: endpoint ?? name,
      sessions,
      words,
      isFollowing: true
    }),
    buttons: [Dialog.cancelButton({ label: profileWords.close })],
    focusNodeSelector: '.pa-login a',
    hasClose: true
  }).launch();
}

/** Whether a profile is really to go. */
export async function confirmRemoval(
  name: string,
  words: ProfileWords
): Promise<boolean> {
  const { button } = await showDialog({
    title: words.removeTitle(name),
    body: words.removeQuestion(name),
    buttons: [
      Dialog.cancelButton({ label: words.cancel }),
      Dialog.warnButton({ label: words.doRemove })
    ],
    // What cannot be undone is not one press of Enter away.
    defaultButton: 0
  });
  return button.accept;
}

/** Say why something was not done, and what to do. */
export async function showRefusal(
  reason: unknown,
  words: Words,
  profileWords: ProfileWords
): Promise<void> {
  const { status, lines } = words.problem(problemOf(reason));
  const body = new Widget({
    node: element(
      'div',
      'pa-refusal',
      ...[status, ...lines.map(({ text }) => text)].map(text =>
        element('p', '', text)
      )
    )
  });
  await showDialog({
    title: profileWords.notDone,
    body,
    buttons: [Dialog.cancelButton({ label: profileWords.close })]
  });
}
