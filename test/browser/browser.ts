import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';
import type { Optional } from '../setup/optional.ts';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = places.find((path) => existsSync(path));

export const chromiumState: Optional = executablePath
  ? { available: true }
  : { available: false, reason: `no Chromium at ${places.join(', ')}; install Debian's package chromium` };

/** Chromium as root in a container, and quiet: none of its own traffic leaves the machine. */
export function launch(): Promise<Browser> {
  if (!executablePath) throw new Error('no Chromium');
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
      '--disable-gpu',
      '--disable-quic',
    ],
  });
}

/** A page that remembers everything that went wrong on it. */
export interface WatchedPage extends AsyncDisposable {
  page: Page;
  context: BrowserContext;
  /** Console errors, uncaught exceptions and violations of the content security policy. */
  faults: string[];
  /** Answers that are errors, which Chromium also prints to the console: expected ones are named here beforehand. */
  allowStatus: Set<number>;
}

export async function openPage(
  browser: Browser,
  url: string,
  options: { colorScheme?: 'light' | 'dark'; width?: number } = {},
): Promise<WatchedPage> {
  const width = options.width ?? 1280;
  const context = await browser.newContext({
    baseURL: url,
    viewport: { width, height: 900 },
    colorScheme: options.colorScheme ?? 'light',
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  const faults: string[] = [];
  const allowStatus = new Set<number>();
  page.on('pageerror', (error) => faults.push(`exception: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() !== 'error' && message.type() !== 'warning') return;
    const status = Number(/status of (\d{3})/.exec(message.text())?.[1]);
    if (!allowStatus.has(status)) faults.push(`console: ${message.text()}`);
  });
  await page.addInitScript(() => {
    const shifts = { total: 0 };
    Object.assign(window, { shifts });
    document.addEventListener('securitypolicyviolation', (event) =>
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`),
    );
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const { value, hadRecentInput } = entry as PerformanceEntry & { value: number; hadRecentInput: boolean };
        if (!hadRecentInput) shifts.total += value;
      }
    }).observe({ type: 'layout-shift', buffered: true });
  });
  return { page, context, faults, allowStatus, [Symbol.asyncDispose]: () => context.close() };
}

/** How far things jumped since the page was loaded, as Chromium's cumulative layout shift. */
export const layoutShift = (page: Page): Promise<number> =>
  page.evaluate(() => (window as unknown as { shifts: { total: number } }).shifts.total);

export async function signIn(page: Page, token: string): Promise<void> {
  await page.goto(`/#token=${token}`);
  await page.locator('.account[title="Signed in"]').waitFor();
  expect(page.url()).not.toContain(token);
}

/** Presses Tab until the focus is on an element whose role and name fit; fails when a whole page of them does not. */
export async function tabTo(page: Page, role: 'link' | 'button' | 'tab' | 'textbox', name: string | RegExp): Promise<void> {
  const wanted = page.getByRole(role, { name }).first();
  await wanted.waitFor();
  for (let presses = 0; presses < 80; presses++) {
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`no ${role} named ${name} can be reached with Tab`);
}
