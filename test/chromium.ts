// The browser of tests that look at pages.

import { spawnSync } from 'node:child_process';
import { type Browser, chromium } from 'playwright-core';

const executablePath = ['chromium', 'chromium-browser', 'google-chrome']
  .map((name) => spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim())
  .find((path) => path !== '');

/** Why tests are skipped; false where there is a browser. */
export const withoutChromium = executablePath === undefined && 'skipped: Chromium is not installed';

export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: executablePath as string,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run'],
  });
}
