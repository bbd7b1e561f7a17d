const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2023', parser: { syntax: 'typescript' } }, module: { type: 'es6' } },
    ],
  },
  clearMocks: true,
};

export default {
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: ['\\.(slow|model)\\.test\\.ts$'],
    },
    { ...shared, displayName: 'slow', testMatch: ['<rootDir>/test/**/*.slow.test.ts'] },
    // Seeded runs, by the thousand in virtual time and some dozens over real stores: they compute for the most part.
    { ...shared, displayName: 'model', testMatch: ['<rootDir>/test/**/*.model.test.ts'] },
  ],
  // Jest leaves a core to a watcher's terminal: on a machine of two that is half of it. Many tests wait for others anyway.
  maxWorkers: '100%',
  // A machine that has others to do takes its time; a test that hangs is still ended.
  testTimeout: 30_000,
  coverageProvider: 'v8',
};
