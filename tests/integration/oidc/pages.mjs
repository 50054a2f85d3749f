/** The provider's own pages: what a person sees there, plain enough to read and to press. */

export function escape(text) {
  const entities = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return String(text).replace(/[&<>"']/g, (character) => entities[character]);
}

export function page(title, body) {
  return `<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>${escape(title)}</title>
  <style>
    body { font: 16px/1.5 system-ui, sans-serif; margin: 4rem auto; max-width: 24rem; color: #1a2330; }
    form { display: inline-block; margin: 0.5rem 0.5rem 0 0; }
    input { display: block; font: inherit; padding: 0.4rem; width: 20rem; margin-bottom: 0.75rem; }
    button { font: inherit; padding: 0.4rem 1rem; }
    code { font-size: 1.6rem; }
  </style>
</head>
<body>
  <h1>${escape(title)}</h1>
  ${body}
</body>
</html>`;
}

/** The sign-in form; `problem` says why the last attempt failed. */
export function signIn(uid, { clientName, hint = '', problem = '' }) {
  return page('Sign in', `
  <p>to continue to <strong>${escape(clientName)}</strong></p>
  ${problem && `<p role="alert">${escape(problem)}</p>`}
  <form method="post" action="/interaction/${uid}/sign-in">
    <label>Account <input name="account" value="${escape(hint)}" autocomplete="username" autofocus></label>
    <button type="submit">Sign in</button>
  </form>
  <form method="post" action="/interaction/${uid}/deny"><button type="submit">Cancel</button></form>`);
}

export function consent(uid, { clientName, who, scopes }) {
  return page('Allow access?', `
  <p><strong>${escape(clientName)}</strong> asks to act for <strong>${escape(who)}</strong>:</p>
  <ul>${scopes.map((scope) => `<li>${escape(scope)}</li>`).join('')}</ul>
  <form method="post" action="/interaction/${uid}/allow"><button type="submit">Allow</button></form>
  <form method="post" action="/interaction/${uid}/deny"><button type="submit">Deny</button></form>`);
}

export function failure(out) {
  const rows = Object.entries(out).map(([key, value]) => `<p><b>${escape(key)}</b>: ${escape(value)}</p>`);
  return page('That did not work', rows.join(''));
}

export function enterCode(form, problem) {
  return page('Enter your code', `
  ${problem && `<p role="alert">${escape(problem)}</p>`}
  ${form}
  <button type="submit" form="op.deviceInputForm">Continue</button>`);
}

export function confirmCode(form, code) {
  return page('Is this your code?', `
  <p><code>${escape(code)}</code></p>
  ${form}
  <button type="submit" form="op.deviceConfirmForm">Continue</button>
  <button type="submit" form="op.deviceConfirmForm" value="yes" name="abort">Not mine</button>`);
}

export function signOut(form) {
  return page('Sign out?', `
  ${form}
  <button type="submit" form="op.logoutForm" value="yes" name="logout">Sign out</button>
  <button type="submit" form="op.logoutForm">Stay signed in</button>`);
}

export function done(title, text) {
  return page(title, `<p>${escape(text)}</p>`);
}
