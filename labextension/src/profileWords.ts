/** The words of adding, changing and removing profiles. */

import type { TranslationBundle } from '@jupyterlab/translation';

export class ProfileWords {
  constructor(private readonly trans: TranslationBundle) {}

  // Commands

  get category(): string {
    return this.trans.__('Platform Connections');
  }

  get add(): string {
    return this.trans.__('Add a Platform…');
  }

  get addCaption(): string {
    return this.trans.__('Add a platform from its endpoint');
  }

  get edit(): string {
    return this.trans.__('Edit…');
  }

  get editCaption(): string {
    return this.trans.__('Change a profile of your own');
  }

  get remove(): string {
    return this.trans.__('Remove…');
  }

  get removeCaption(): string {
    return this.trans.__('Sign out, and take a profile of your own away');
  }

  get setDefault(): string {
    return this.trans.__('Use by Default');
  }

  get setDefaultCaption(): string {
    return this.trans.__('Mean this profile wherever none is named');
  }

  get nameArgument(): string {
    return this.trans.__('The name of a profile');
  }

  // Dialogs

  get addTitle(): string {
    return this.trans.__('Add a platform');
  }

  editTitle(name: string): string {
    return this.trans.__('Edit %1', name);
  }

  removeTitle(name: string): string {
    return this.trans.__('Remove %1?', name);
  }

  removeQuestion(name: string): string {
    return this.trans.__(
      'You are signed out, and %1 is taken out of your profiles.yaml. Notebooks that use it stop working.',
      name
    );
  }

  get doRemove(): string {
    return this.trans.__('Remove');
  }

  savedTitle(name: string): string {
    return this.trans.__('%1 is saved', name);
  }

  get notDone(): string {
    return this.trans.__('That was not done');
  }

  get save(): string {
    return this.trans.__('Save');
  }

  get cancel(): string {
    return this.trans.__('Cancel');
  }

  get close(): string {
    return this.trans.__('Close');
  }

  // The form

  get endpoint(): string {
    return this.trans.__('Endpoint');
  }

  get endpointHint(): string {
    return this.trans.__('Host and port, or the address of the platform');
  }

  get look(): string {
    return this.trans.__('Look');
  }

  get looking(): string {
    return this.trans.__('Asking the platform how to sign in there…');
  }

  get saving(): string {
    return this.trans.__('Saving…');
  }

  get connection(): string {
    return this.trans.__('Connection and identity provider');
  }

  get insecure(): string {
    return this.trans.__('Plain http, without encryption');
  }

  get skipVerify(): string {
    return this.trans.__('Accept any certificate (dangerous)');
  }

  get caFile(): string {
    return this.trans.__('File with the certificate authority, on the server');
  }

  get issuer(): string {
    return this.trans.__('Identity provider, if the platform names none');
  }

  get found(): string {
    return this.trans.__('What was found');
  }

  get columns(): string[] {
    const { trans } = this;
    return [trans.__('What'), trans.__('Value'), trans.__('Who says so')];
  }

  /** The name of a fact. */
  fact(what: string): string {
    const { trans } = this;
    switch (what) {
      case 'issuer':
        return trans.__('Identity provider');
      case 'authorization_endpoint':
        return trans.__('Sign-in page');
      case 'token_endpoint':
        return trans.__('Tokens from');
      case 'device_authorization_endpoint':
        return trans.__('Codes for other devices');
      case 'revocation_endpoint':
        return trans.__('Sign-out at');
      case 'client_id':
        return trans.__('Client ID');
      case 'scopes':
        return trans.__('Scopes');
      case 'audience':
        return trans.__('Audience');
      case 'redirect_uri':
        return trans.__('Comes back to');
      case 'authorization_metadata_key':
        return trans.__('Token header');
      default:
        return what;
    }
  }

  source(source: string): string {
    return source === 'given' ? this.trans.__('You') : source;
  }

  get name(): string {
    return this.trans.__('Name');
  }

  get flow(): string {
    return this.trans.__('How to sign in');
  }

  /** The name of a flow. */
  flowName(flow: string): string {
    const { trans } = this;
    switch (flow) {
      case 'pkce':
        return trans.__('In the browser');
      case 'device':
        return trans.__('With a code on any device');
      case 'client_credentials':
        return trans.__('As a service, with a client secret');
      default:
        return trans.__('As it is (%1)', flow);
    }
  }

  get clientId(): string {
    return this.trans.__('Client ID');
  }

  get clientIdMissing(): string {
    return this.trans.__(
      'The platform does not say as which client you sign in. Ask whoever runs it for the client ID.'
    );
  }

  get scopes(): string {
    return this.trans.__('Scopes');
  }

  get scopesHint(): string {
    return this.trans.__('Empty for what the platform says');
  }

  get secretPlace(): string {
    return this.trans.__('Client secret');
  }

  secretPlaceName(place: string): string {
    const { trans } = this;
    switch (place) {
      case 'admin.clientSecretLocation':
        return trans.__('In a file on the server');
      case 'admin.clientSecretEnvVar':
        return trans.__('In an environment variable of the server');
      default:
        return trans.__('In profiles.yaml');
    }
  }

  /** What to enter for the client secret. */
  secretLabel(place: string): string {
    const { trans } = this;
    switch (place) {
      case 'admin.clientSecretLocation':
        return trans.__('Path of the file');
      case 'admin.clientSecretEnvVar':
        return trans.__('Name of the variable');
      default:
        return trans.__('The secret');
    }
  }

  get unchanged(): string {
    return this.trans.__('Not shown; leave empty to keep it');
  }

  get client(): string {
    return this.trans.__('What code gets');
  }

  /** The name of a kind of client. */
  clientName(client: string): string {
    const { trans } = this;
    switch (client) {
      case '':
        return trans.__('An HTTP client (the usual)');
      case 'http':
        return trans.__('An HTTP client');
      case 'grpc':
        return trans.__('A gRPC channel');
      case 'flytekit':
        return trans.__('A FlyteRemote (flytekit)');
      case 'flyte':
        return trans.__('The Flyte 2 SDK');
      default:
        return client;
    }
  }

  missing(label: string): string {
    return this.trans.__('%1 is missing.', label);
  }
}
