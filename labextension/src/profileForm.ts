/** The form of a profile: its endpoint, what was found there, and what a person chooses. */

import { Widget } from '@lumino/widgets';

import { element } from './dom';
import { choiceField, Field, setChoices, textField, tickField } from './fields';
import { Found } from './found';
import { IAddress, IProfileApi } from './profileApi';
import {
  asText,
  block,
  changed,
  Entry,
  IOwnProfile,
  IProspect
} from './profileEntry';
import { ProfileWords } from './profileWords';
import { SecretFields } from './secretFields';
import { Undertaking } from './undertaking';
import { Words } from './words';

const AUTH_TYPES: Record<string, string> = {
  pkce: 'Pkce',
  device: 'DeviceFlow',
  client_credentials: 'ClientSecret'
};
const CLIENTS = ['', 'http', 'grpc', 'flytekit', 'flyte'];
/** A profile to be edited, with the flow that its configuration stands for. */
export interface IEdited extends IOwnProfile {
  flow: string;
}

export interface IProfileFormOptions {
  api: IProfileApi;
  words: Words;
  profileWords: ProfileWords;
  /** The profile to be edited; null to add one. */
  edited: IEdited | null;
}

export class ProfileForm extends Widget {
  constructor(private readonly options: IProfileFormOptions) {
    super({ node: element('form', 'pa-form') });
    const { edited } = options;
    this.node.dataset.lmSuppressShortcuts = 'true';
    this.setBusy(false);
    this.choices.hidden = edited === null;
    this.build();
    if (edited) {
      this.fill(edited.entry, edited.flow, Object.keys(AUTH_TYPES));
    }
    this.node.addEventListener('submit', event => event.preventDefault());
    // A platform at another address is another one: what was found is not of it.
    this.address.addEventListener('input', () => this.forget());
  }

  /** Do what comes next: look, or save; returns the profile once it is saved. */
  async submit(): Promise<IOwnProfile | null> {
    if (this.undertaking.isBusy) {
      return null;
    }
    if (this.prospect === null && !this.options.edited) {
      await this.look();
      return null;
    }
    return this.check() ? this.save() : null;
  }

  /** Ask the platform how to sign in there. */
  async look(): Promise<void> {
    const { api, profileWords } = this.options;
    if (!this.endpoint.text) {
      this.endpoint.setWrong(profileWords.missing(profileWords.endpoint));
      return;
    }
    const found = await this.undertaking.during(profileWords.looking, () =>
      api.discover(this.addressToAsk())
    );
    if (found) {
      this.present(found);
    } else if (!this.isDisposed) {
      this.connection.open = true;
    }
  }

  private async save(): Promise<IOwnProfile | null> {
    const { api, edited, profileWords } = this.options;
    const name = edited?.name ?? this.name.text;
    return this.undertaking.during(profileWords.saving, () =>
      api.save(name, this.entry(), edited?.revision ?? null)
    );
  }

  private setBusy(isBusy: boolean): void {
    this.node.setAttribute('aria-busy', String(isBusy));
    this.lookButton.disabled = isBusy;
  }

  private addressToAsk(): IAddress {
    return {
      endpoint: this.endpoint.text,
      insecure: this.insecure.input.checked,
      insecure_skip_verify: this.skipVerify.input.checked,
      ca_cert_file_path: this.caFile.text,
      issuer: this.issuer.text,
      client_id: this.clientId.text
    };
  }

  /** Show what a platform says, and, for a new profile, what to choose. */
  private present(prospect: IProspect): void {
    const { edited } = this.options;
    this.prospect = prospect;
    this.found.show(prospect);
    for (const [field, what] of [
      [this.clientId, 'client_id'],
      [this.scopes, 'scopes']
    ] as const) {
      const fact = prospect.found.find(each => each.what === what);
      field.input.placeholder = fact?.value ?? '';
    }
    if (!edited) {
      this.choices.hidden = false;
      this.name.input.value ||= prospect.name;
      this.fill(prospect.entry, prospect.flows[0] ?? 'pkce', prospect.flows);
      const isMissing = prospect.needsClient && !this.clientId.text;
      (isMissing ? this.clientId : this.name).input.focus();
    }
  }

  private forget(): void {
    if (this.prospect && !this.options.edited) {
      this.prospect = null;
      this.choices.hidden = true;
    }
    this.found.clear();
  }

  /** Put an entry into the fields. */
  private fill(entry: Entry, flow: string, flows: string[]): void {
    const { profileWords: words } = this.options;
    const [admin, oauth] = [block(entry, 'admin'), block(entry, 'oauth')];
    this.base = entry;
    this.endpoint.input.value = asText(admin.endpoint);
    this.insecure.input.checked = admin.insecure === true;
    this.skipVerify.input.checked = admin.insecureSkipVerify === true;
    this.caFile.input.value = asText(admin.caCertFilePath);
    this.issuer.input.value = asText(oauth.issuer);
    this.clientId.input.value = asText(admin.clientId);
    this.scopes.input.value = asText(admin.scopes);
    const known = [...new Set([flow, ...flows])].filter(Boolean);
    setChoices(
      this.flow,
      known.map(each => [each, words.flowName(each)]),
      flow
    );
    this.flowBefore = this.options.edited ? flow : '';
    const client = asText(entry.client);
    setChoices(
      this.client,
      [...new Set([...CLIENTS, client])].map(each => [
        each,
        words.clientName(each)
      ]),
      client
    );
    this.secret.fill(entry);
    this.showSecret();
  }

  /** Ask for a secret where the flow has one. */
  private showSecret(): void {
    this.secret.node.hidden = this.flow.input.value !== 'client_credentials';
  }

  /** Whether nothing is missing; else it is said where. */
  private check(): boolean {
    const { edited, profileWords: words } = this.options;
    const isService = this.flow.input.value === 'client_credentials';
    const isUnknown = this.prospect?.needsClient === true && !edited;
    const missing: [boolean, Field<HTMLInputElement>, string][] = [
      [!this.endpoint.text, this.endpoint, words.missing(words.endpoint)],
      [!edited && !this.name.text, this.name, words.missing(words.name)],
      [
        (isUnknown || isService) && !this.clientId.text,
        this.clientId,
        words.clientIdMissing
      ],
      [
        isService && !this.secret.isGiven,
        this.secret.secret,
        words.missing(words.secretPlace)
      ]
    ];
    const first = missing.find(([isMissing]) => isMissing);
    first?.[1].setWrong(first[2]);
    return first === undefined;
  }

  /** The entry with what the fields say; what has no field stays as it is. */
  private entry(): Entry {
    const flow = this.flow.input.value;
    const settings: Entry = {
      'admin.endpoint': this.endpoint.text,
      'admin.insecure': this.insecure.input.checked,
      'admin.insecureSkipVerify': this.skipVerify.input.checked,
      'admin.caCertFilePath': this.caFile.text,
      'admin.clientId': this.clientId.text,
      'admin.scopes': words(this.scopes.text),
      'oauth.issuer': this.issuer.text,
      client: this.client.input.value
    };
    if (flow !== this.flowBefore && flow in AUTH_TYPES) {
      settings['admin.authType'] = AUTH_TYPES[flow];
    }
    if (flow === 'client_credentials') {
      Object.assign(settings, this.secret.settings);
    }
    return changed(this.base, settings);
  }

  private build(): void {
    const { edited, profileWords: words } = this.options;
    this.lookButton.type = 'button';
    this.lookButton.addEventListener('click', () => void this.look());
    this.flow.input.addEventListener('change', () => this.showSecret());
    const row = element(
      'div',
      'pa-form-look',
      this.endpoint.node,
      this.lookButton
    );
    this.connection.append(
      element('summary', '', words.connection),
      this.insecure.node,
      this.skipVerify.node,
      this.caFile.node,
      this.issuer.node
    );
    this.address.append(row, this.connection);
    this.choices.append(
      ...(edited ? [] : [this.name.node]),
      this.flow.node,
      this.clientId.node,
      this.secret.node,
      this.scopes.node,
      this.client.node
    );
    this.node.append(
      this.address,
      this.undertaking.status,
      this.undertaking.trouble,
      this.found.node,
      this.choices
    );
  }

  private get words(): ProfileWords {
    return this.options.profileWords;
  }

  private readonly address = element('div', 'pa-form-part');
  private readonly connection = element('details', 'pa-form-more');
  private readonly choices = element('div', 'pa-form-part');
  private readonly found = new Found(this.words);
  private readonly undertaking = new Undertaking(this.options.words, isBusy =>
    this.setBusy(isBusy)
  );
  private readonly lookButton = element(
    'button',
    'jp-mod-styled jp-mod-minimal pa-form-button',
    this.words.look
  );
  private readonly endpoint = textField(
    this.words.endpoint,
    this.words.endpointHint
  );
  private readonly insecure = tickField(this.words.insecure);
  private readonly skipVerify = tickField(this.words.skipVerify);
  private readonly caFile = textField(this.words.caFile);
  private readonly issuer = textField(this.words.issuer);
  private readonly name = textField(this.words.name);
  private readonly flow = choiceField(this.words.flow);
  private readonly clientId = textField(this.words.clientId);
  private readonly secret = new SecretFields(this.words);
  private readonly scopes = textField(this.words.scopes, this.words.scopesHint);
  private readonly client = choiceField(this.words.client);
  private prospect: IProspect | null = null;
  private base: Entry = {};
  private flowBefore = '';
}

/** The words of a line. */
function words(text: string): string[] {
  return text.split(/[\s,]+/).filter(Boolean);
}
