/**
 * Addresses: which ones are ours.
 *
 * A login display is saved in the notebook, and a notebook is a file that anybody may have written.
 * So nothing in it is ever followed: its paths are only compared with the form ours have, and what
 * is shown, asked and linked is made here, from this page's own server and the profile's name.
 */

export const LOGIN_MIME = 'application/vnd.platform-auth.login+json';

const LOGIN = 'platform-auth/login';
const API = 'platform-auth/api/v1';
const PROFILES = `${API}/profiles`;

/** What a login display says, once it is known to be one of ours. */
export interface ILoginData {
  profile: string;
  platform: string;
}

/** The address of the list of profiles. */
export function profilesUrl(baseUrl: string): string {
  return baseUrl + PROFILES;
}

/** The address at which a platform is looked at before there is a profile of it. */
export function discoverUrl(baseUrl: string): string {
  return `${baseUrl}${API}/discover`;
}

/** The address of a profile of the user's own. */
export function userProfileUrl(baseUrl: string, profile: string): string {
  return `${baseUrl}${API}/user-profiles/${encodeURIComponent(profile)}`;
}

/** The address at which the default is chosen. */
export function defaultProfileUrl(baseUrl: string): string {
  return `${baseUrl}${API}/default-profile`;
}

/** The address of one profile's session. */
export function sessionUrl(baseUrl: string, profile: string): string {
  return `${baseUrl}${PROFILES}/${encodeURIComponent(profile)}`;
}

/**
 * The address that starts a sign-in, root-relative where page and server share an origin.
 *
 * JupyterLab takes a relative link for a file, and leaves a root-relative one alone. A forced one
 * signs in anew, though signed in.
 */
export function signInPath(
  baseUrl: string,
  profile: string,
  isForced = false
): string {
  const base = new URL(baseUrl, window.location.href);
  const prefix =
    base.origin === window.location.origin ? base.pathname : base.href;
  const path = `${prefix}${LOGIN}?profile=${encodeURIComponent(profile)}`;
  return isForced ? `${path}&force=1` : path;
}

/** Whether an address given by a provider may become a link. */
export function isWebAddress(url: string): boolean {
  try {
    return ['http:', 'https:'].includes(new URL(url).protocol);
  } catch {
    return false;
  }
}

/** A path on this host in its normal form; null for whatever else a file may hold. */
function ownPath(value: unknown): URL | null {
  // Browsers take backslashes for slashes and drop control characters.
  if (typeof value !== 'string' || !/^\/[!-[\]-~]*$/.test(value)) {
    return null;
  }
  const url = new URL(value, window.location.origin);
  // What is its own path and query has no host, no fragment and no way up in it.
  return url.pathname + url.search === value ? url : null;
}

function isSignInPath(value: unknown, profile: string): boolean {
  const url = ownPath(value);
  return (
    url !== null &&
    url.pathname.endsWith(`/${LOGIN}`) &&
    url.searchParams.get('profile') === profile &&
    [...url.searchParams.keys()].length === 1
  );
}

function isSessionPath(value: unknown, profile: string): boolean {
  const url = ownPath(value);
  const at = url?.pathname.lastIndexOf('/') ?? -1;
  return (
    url !== null &&
    url.search === '' &&
    url.pathname.slice(0, at).endsWith(`/${PROFILES}`) &&
    decoded(url.pathname.slice(at + 1)) === profile
  );
}

function decoded(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}

/**
 * Read the data of a login display; null for one that is not of ours.
 *
 * The prefix of its paths may be another server's: a notebook travels between users of one Hub.
 */
export function readLoginData(value: unknown): ILoginData | null {
  const data = (value ?? {}) as Record<string, unknown>;
  const { profile, platform } = data;
  if (
    data.version !== 1 ||
    typeof profile !== 'string' ||
    profile === '' ||
    !isSignInPath(data.sign_in_path, profile) ||
    !isSessionPath(data.session_path, profile)
  ) {
    return null;
  }
  return {
    profile,
    platform: typeof platform === 'string' && platform ? platform : profile
  };
}
