// Journeys in Debian's Chromium against the release build. Every browser journey that makes sense without JavaScript runs
// twice: with it, and without.
import { defineConfig } from '@playwright/test';

const args = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

export default defineConfig({
  testDir: './tests',
  outputDir: './test-results',
  globalSetup: './setup.ts',
  workers: 2,
  retries: 0,
  forbidOnly: true,
  timeout: 30_000,
  expect: { timeout: 5_000 },
  use: {
    viewport: { width: 1440, height: 900 },
    launchOptions: { executablePath: process.env.CHROMIUM_PATH, args },
    screenshot: 'only-on-failure',
  },
  projects: [
    { name: 'javascript', testIgnore: /.*\.plain\.spec\.ts/ },
    { name: 'no-javascript', testMatch: /.*\.plain\.spec\.ts/, use: { javaScriptEnabled: false } },
  ],
});
