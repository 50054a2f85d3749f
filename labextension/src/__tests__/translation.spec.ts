import * as ts from 'typescript';

const SOURCES = `${ts.sys.getCurrentDirectory()}/src`;

/** Where a text is no text for people. */
const FOR_NOBODY = /^(description|type|path|d|svgstr|className|selector)$/;

function isTranslated(node: ts.Node): boolean {
  const call = node.parent;
  return (
    ts.isCallExpression(call) &&
    /(^|\.)__$/.test(call.expression.getText()) &&
    call.arguments[0] === node
  );
}

function isForNobody(node: ts.Node): boolean {
  for (let up = node.parent; up; up = up.parent) {
    if (
      ts.isNewExpression(up) &&
      /^(Token|\w*Error)$/.test(up.expression.getText())
    ) {
      return true;
    }
    if (ts.isPropertyAssignment(up) && FOR_NOBODY.test(up.name.getText())) {
      return true;
    }
  }
  return false;
}

/** Sentences and names: a capital, letters, a space, letters. */
function isForPeople(text: string): boolean {
  return /^[A-Z][a-z]+[ ,.][\w ]/.test(text);
}

function untranslated(name: string, text: string): string[] {
  const file = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node) => {
    const isText = ts.isStringLiteralLike(node) && isForPeople(node.text);
    if (isText && !isTranslated(node) && !isForNobody(node)) {
      found.push(`${name}: ${node.text}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

it('translates all that people read', () => {
  const names = ts.sys.readDirectory(SOURCES, ['.ts'], ['__tests__']);
  expect(names.length).toBeGreaterThan(20);
  const found = names.flatMap(name =>
    untranslated(name, ts.sys.readFile(name) ?? '')
  );
  expect(found).toEqual([]);
});

it('sees what is not translated', () => {
  const text = `label.textContent = 'Sign in again'; trans.__('Sign in');`;
  expect(untranslated('x.ts', text)).toEqual(['x.ts: Sign in again']);
});
