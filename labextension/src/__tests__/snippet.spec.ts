import { kernelCodeOf, snippetOf } from '../snippet';

it('is what a person would type', () => {
  expect(snippetOf('prod')).toBe(
    '%load_ext platform_auth\n%platform_login prod'
  );
});

it('waits for nobody in a kernel', () => {
  expect(kernelCodeOf('prod+admin.read')).toContain(
    "'platform_login', 'prod+admin.read --no-wait'"
  );
});

it.each(['my prod', '-x', "a'); import os; os.system('x", '{x}', '$x', 'a"b'])(
  'never takes the name %s for code',
  name => {
    const code = `from platform_auth import connect\nclient = connect(${JSON.stringify(name)}).http()`;
    expect(snippetOf(name)).toBe(code);
    expect(kernelCodeOf(name)).toBe(code);
  }
);
