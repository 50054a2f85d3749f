/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'jsdom',
  // Under a prefix with an escape in it, as on a Hub.
  testEnvironmentOptions: { url: 'https://hub.example.com/a%40b/lab' },
  setupFiles: ['./jest.setup.js'],
  // These are modules and pictures for a browser, which Node does not load.
  moduleNameMapper: {
    '^@jupyterlab/ui-components$': '<rootDir>/src/__tests__/uiComponents.ts'
  },
  testRegex: 'src/__tests__/.*\\.spec\\.ts$',
  transform: { '\\.ts$': ['ts-jest', { tsconfig: 'tsconfig.test.json' }] }
};
