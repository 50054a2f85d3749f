/** The code that brings a platform's client into a notebook. */

/** Names that a magic's line takes as they are: no blank, quote or brace, no dash in front. */
const PLAIN = /^[\p{L}\p{N}_][\p{L}\p{N}_.+@:-]*$/u;

/** What a person runs: it waits until they have signed in. */
export function snippetOf(profile: string): string {
  return PLAIN.test(profile)
    ? `%load_ext platform_auth\n%platform_login ${profile}`
    : plainPython(profile);
}

/** What the panel runs for them: it says nothing of its own, and waits for nobody. */
export function kernelCodeOf(profile: string): string {
  return PLAIN.test(profile)
    ? [
        "get_ipython().extension_manager.load_extension('platform_auth')",
        `get_ipython().run_line_magic('platform_login', '${profile} --no-wait')`
      ].join('\n')
    : plainPython(profile);
}

/** JSON's strings are Python's, too. */
function plainPython(profile: string): string {
  return `from platform_auth import connect\nclient = connect(${JSON.stringify(profile)}).http()`;
}
