/** Making elements, with text as text: nothing here ever parses HTML. */

export type Child = Node | string | null;

/** An element of a class, with children; null children are left out. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  node.className = className;
  node.append(...children.filter((child): child is Node | string => !!child));
  return node;
}

/** An SVG element with attributes. */
export function svgElement(
  tag: string,
  attributes: Record<string, string>
): SVGElement {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  Object.entries(attributes).forEach(([name, value]) =>
    node.setAttribute(name, value)
  );
  return node;
}

/** Put text on the clipboard; on plain http, where there is no clipboard API, select it instead. */
export async function copyText(source: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(source.textContent ?? '');
    return true;
  } catch {
    window.getSelection()?.selectAllChildren(source);
    return document.execCommand('copy');
  }
}
