/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'jsdom',
  // Under a prefix with an escape in it, as on a Hub.
  testEnvironmentOptions: { url: 'https://hub.example.com/a%40b/lab' },
  setupFiles: ['./jest.setup.js'],
  testRegex: 'src/__tests__/.*\\.spec\\.ts$',
  transform: { '\\.ts$': ['ts-jest', { tsconfig: 'tsconfig.test.json' }] }
};
