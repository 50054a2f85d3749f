/** Opening the sign-in page. */

const SIZE = { width: 520, height: 720 };

/**
 * Open an address in a small window of its own, so that the notebook stays in sight.
 *
 * To be called first thing in a click, or the browser blocks it; false when it did, and then the
 * link's own default does the same in a tab. Nothing is kept of the window: whether it is open says
 * nothing about the sign-in, only the server does.
 */
export function openPopup(href: string): boolean {
  const left =
    window.screenX + Math.max(0, (window.outerWidth - SIZE.width) / 2);
  const top =
    window.screenY + Math.max(0, (window.outerHeight - SIZE.height) / 3);
  const features = `popup,width=${SIZE.width},height=${SIZE.height},left=${left},top=${top}`;
  const opened = window.open(href, '_blank', features);
  if (opened === null) {
    return false;
  }
  opened.opener = null;
  return true;
}

/** Whether a click asks for the plain thing, not for a new tab, a new window or a download. */
export function isPlainClick(event: MouseEvent): boolean {
  return !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
}
