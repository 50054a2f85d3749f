/** The secret of a service: where it is, and what is needed to find it there. */

import { element } from './dom';
import { choiceField, setChoices, textField } from './fields';
import { asText, block, Entry, isKept } from './profileEntry';
import { ProfileWords } from './profileWords';

/** In `profiles.yaml` itself; elsewhere, only its place is written down. */
const IN_PROFILE = 'oauth.client_secret';
const PLACES = [
  'admin.clientSecretLocation',
  'admin.clientSecretEnvVar',
  IN_PROFILE
];

export class SecretFields {
  constructor(private readonly words: ProfileWords) {
    this.node.append(this.place.node, this.secret.node);
    this.place.input.addEventListener('change', () => this.draw());
  }

  /** Put an entry's secret, or where it is, into the fields. */
  fill(entry: Entry): void {
    const at = (path: string) => {
      const [name, key] = path.split('.');
      return block(entry, name)[key];
    };
    const place = PLACES.find(each => at(each) !== undefined) ?? PLACES[0];
    setChoices(
      this.place,
      PLACES.map(each => [each, this.words.secretPlaceName(each)]),
      place
    );
    this.isKept = isKept(at(place));
    this.secret.input.value = asText(at(place));
    this.draw();
  }

  /** Whether there is one, be it one that the server does not show. */
  get isGiven(): boolean {
    return this.secret.text !== '' || this.isKept;
  }

  /** The settings of an entry: in one place only, and a kept one is not touched. */
  get settings(): Entry {
    const chosen = this.place.input.value;
    const isKeeping = chosen === IN_PROFILE && !this.secret.text;
    return Object.fromEntries(
      PLACES.filter(place => !(isKeeping && place === chosen)).map(place => [
        place,
        place === chosen ? this.secret.text : ''
      ])
    );
  }

  private draw(): void {
    const { words } = this;
    const place = this.place.input.value;
    const isHidden = place === IN_PROFILE;
    this.secret.input.type = isHidden ? 'password' : 'text';
    this.secret.input.placeholder =
      isHidden && this.isKept ? words.unchanged : '';
    this.secret.setLabel(words.secretLabel(place));
  }

  readonly node = element('div', 'pa-form-part');
  private readonly place = choiceField(this.words.secretPlace);
  readonly secret = textField(this.words.secretPlace);
  private isKept = false;
}
