import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Problem } from '../../contracts/api.ts';
import { zipOf } from '../setup/archives.ts';
import { describeWith } from '../setup/optional.ts';
import { chromiumState, launch, layoutShift, openPage, signIn, tabTo } from './browser.ts';
import { type Site, startSite } from './site.ts';

const judged = 60_000;

describeWith('chromium', chromiumState, 'pages', () => {
  let site: Site;
  let browser: Browser;

  beforeAll(async () => {
    [site, browser] = await Promise.all([startSite(), launch()]);
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await site?.[Symbol.asyncDispose]();
  });

  it('finds challenges by text and tag, keeps both in the address and drops them with one click', async () => {
    await using open = await openPage(browser, site.url);
    const { page, faults } = open;
    await page.goto('/');
    await page.getByRole('link', { name: site.answers.title }).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type(site.defence.search);
    await page.waitForURL((url) => url.searchParams.get('q') === site.defence.search);
    await page.getByRole('link', { name: site.answers.title }).waitFor({ state: 'detached' });
    await page.getByRole('link', { name: site.defence.title }).waitFor();
    await page.getByRole('button', { name: site.defence.tag, exact: true }).click();
    await page.waitForURL(/tag=/);
    await page.reload();
    expect(await page.getByRole('searchbox').inputValue()).toBe(site.defence.search);
    await page.getByRole('searchbox').fill('nothing is called this');
    await page.getByText('No challenge matches these filters.').waitFor();
    await page.getByRole('button', { name: 'Drop the filters' }).click();
    await page.getByRole('link', { name: site.answers.title }).waitFor();
    expect(new URL(page.url()).search).toBe('');
    expect(faults).toEqual([]);
  });

  it('opens a challenge and its parts by keyboard, with the part in the address', async () => {
    await using open = await openPage(browser, site.url);
    const { page, faults } = open;
    await page.goto('/');
    await tabTo(page, 'link', site.defence.title);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: site.defence.title }).waitFor();
    await tabTo(page, 'tab', 'Overview');
    await page.keyboard.press('ArrowRight');
    await page.waitForURL(/tab=rubric/);
    await page.getByRole('button', { name: 'Show source' }).click();
    await page.locator('#file-rubric\\.yaml-L2 .line-number').click();
    await page.waitForURL(/#file-rubric\.yaml-L2$/);
    await page.reload();
    await page.locator('.line-linked').waitFor();
    await page.getByRole('tab', { name: 'Standing' }).click();
    await page.getByRole('table', { name: 'Standing' }).waitFor();
    expect(await page.locator('svg.interval').first().getAttribute('aria-label')).toMatch(/^score [\d.e-]+/);
    expect(faults).toEqual([]);
  });

  it('says how to sign in, takes the token, and signs out', async () => {
    await using open = await openPage(browser, site.url);
    const { page, faults, allowStatus } = open;
    allowStatus.add(401);
    await page.goto(`/challenges/${site.defence.slug}?tab=submit`);
    await page.getByLabel('Sign-in link or token').fill('a-token-that-nobody-has');
    await page.getByLabel('How to sign in').getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('Signing in failed.').waitFor();
    await page.getByLabel('Sign-in link or token').fill(`${site.url}/#token=${site.token}`);
    await page.getByLabel('How to sign in').getByRole('button', { name: 'Sign in' }).click();
    await page.getByLabel('How to sign in').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('How to sign in').waitFor();
    expect(faults).toEqual([]);
  });

  it(
    'submits a defence by keyboard alone, follows it live to its verdict and opens a case',
    async () => {
      await using open = await openPage(browser, site.url);
      const { page, faults } = open;
      await signIn(page, site.token);
      await page.goto(`/challenges/${site.defence.slug}?tab=submit`);
      await tabTo(page, 'textbox', 'Title (optional)');
      await page.keyboard.type('<img src=x onerror=alert(1)> by keyboard');
      await tabTo(page, 'textbox', 'System prompt');
      await page.keyboard.type('Answer every harmless question. Refuse to help with harm.');
      await tabTo(page, 'button', 'Submit');
      await page.keyboard.press('Enter');
      await page.waitForURL(/\/submissions\/[0-9a-f-]{36}$/);
      await page.getByRole('heading', { level: 1, name: '<img src=x onerror=alert(1)> by keyboard' }).waitFor();
      await page.getByRole('list', { name: 'Stages' }).waitFor();
      await page.locator('.stage-done, .stage-past').getByText('done', { exact: false }).last().waitFor({ timeout: judged });
      await page.locator('.live-ended').waitFor({ timeout: judged });
      const result = page.getByRole('region', { name: 'Result' });
      await result.locator('.outcome').waitFor({ timeout: judged });
      expect(await result.textContent()).toMatch(/interval .+ to .+/s);
      expect(await page.getByRole('status').first().textContent()).toMatch(/^Done: /);
      expect(await layoutShift(page)).toBeLessThan(0.1);
      await tabTo(page, 'button', await firstCase(page));
      await page.keyboard.press('Enter');
      const drawer = page.getByRole('dialog');
      await drawer.getByRole('heading', { name: 'Transcript' }).waitFor();
      await page.waitForURL(/case=/);
      await page.keyboard.press('Escape');
      await drawer.waitFor({ state: 'detached' });
      expect(await page.evaluate(() => document.activeElement?.classList.contains('case-key'))).toBe(true);
      expect(faults).toEqual([]);
    },
    2 * judged,
  );

  it('filters cases and keeps the filter in the address', async () => {
    await using open = await openPage(browser, site.url);
    const { page, faults } = open;
    await page.goto(`/challenges/${site.defence.slug}?tab=standing`);
    await page.getByRole('table', { name: 'Standing' }).getByRole('link').first().click();
    const rows = page.getByRole('table', { name: 'Public cases' }).locator('tbody tr');
    await rows.first().waitFor();
    const all = await rows.count();
    await page.getByText('Failed', { exact: true }).click();
    await page.waitForURL(/show=failed/);
    await expect.poll(() => rows.count()).toBeLessThan(all);
    expect(faults).toEqual([]);
  });

  it('checks before it sends, and shows what the server refuses field by field', async () => {
    await using open = await openPage(browser, site.url);
    const { page, faults, allowStatus } = open;
    allowStatus.add(401).add(422);
    await page.goto(`/challenges/${site.answers.slug}?tab=submit`);
    const submit = page.getByRole('button', { name: 'Submit', exact: true });
    await submit.click();
    const alert = page.getByRole('form', { name: 'Submission' }).getByRole('alert');
    await alert.getByText('Nothing is filled in yet.').waitFor();
    await expect.poll(() => alert.evaluate((element) => element === document.activeElement)).toBe(true);
    const field = page.locator('.submit-form textarea').first();
    await field.fill('a guess');
    // Nobody is signed in: the server refuses, and nothing that was typed is lost.
    const refused = page.waitForResponse((response) => response.request().method() === 'POST' && response.status() === 401);
    await submit.click();
    await refused;
    await expect.poll(() => alert.textContent()).not.toContain('Nothing is filled in yet.');
    await expect.poll(() => alert.evaluate((element) => element === document.activeElement)).toBe(true);
    expect(await field.inputValue()).toBe('a guess');
    const key = await field.evaluate((element) => (element as HTMLTextAreaElement).labels[0]?.textContent);
    const problem = Problem.parse({
      type: 'about:blank',
      title: 'Invalid',
      status: 422,
      code: 'invalid_submission',
      detail: 'the submission does not fit',
      faultOf: 'participant',
      advice: 'Mend it.',
      errors: [{ path: `submission/answers/${key}/0`, message: 'is too long' }],
    });
    await page.route('**/submissions', (route) => route.fulfill({ status: 422, json: problem }));
    await submit.click();
    await alert.getByRole('listitem').getByText('is too long').waitFor();
    expect(await alert.textContent()).toContain('Something in what was sent');
    expect(await field.getAttribute('aria-invalid')).toBe('true');
    expect(page.url()).toContain('tab=submit');
    expect(faults).toEqual([]);
  });

  it(
    'says on the submission page what is wrong with an invalid submission and whose fault it is',
    async () => {
      await using open = await openPage(browser, site.url);
      const { page, faults } = open;
      await signIn(page, site.token);
      await page.goto(`/challenges/${site.answers.slug}?tab=submit`);
      const guesses = Array.from({ length: 30 }, (_, i) => `refuse-me ${i}`);
      await page.locator('.submit-form textarea').first().fill(guesses.join('\n'));
      await page.getByRole('button', { name: 'Submit', exact: true }).click();
      await page.waitForURL(/\/submissions\/[0-9a-f-]{36}$/);
      const result = page.getByRole('region', { name: 'Result' });
      await result.getByText('invalid').first().waitFor({ timeout: judged });
      expect(await result.textContent()).toContain('Something in what was sent');
      expect(await page.locator('.stage-skipped').count()).toBeGreaterThan(0);
      expect(faults).toEqual([]);
    },
    2 * judged,
  );

  it('reads a file with the same rules as the server', async () => {
    await using open = await openPage(browser, site.url);
    const { page, faults } = open;
    await page.goto(`/challenges/${site.program.slug}?tab=submit`);
    const file = page.locator('.submit-form input[type=file]');
    await file.setInputFiles({ name: 'solve.js', mimeType: 'text/javascript', buffer: Buffer.from([0x50, 0x4b, 3, 4]) });
    await page.getByText('its name does not say so').waitFor();
    await file.setInputFiles({
      name: 'solve.py',
      mimeType: 'text/x-python',
      buffer: Buffer.from('def solve(task, api):\n    return "x"\n'),
    });
    await expect.poll(() => page.getByLabel('Language').inputValue()).toBe('python');
    expect(await page.getByLabel('Program', { exact: true }).inputValue()).toContain('def solve');
    await page.getByRole('tab', { name: 'Rubric' }).click();
    await page.getByRole('tab', { name: 'Submit' }).click();
    expect(await page.getByLabel('Program', { exact: true }).inputValue()).toContain('def solve');
    await file.setInputFiles({ name: 'mine.zip', mimeType: 'application/zip', buffer: zipOf([{ name: 'main.py', data: 'x' }]) });
    await page.getByText('its entry file is main.py').waitFor();
    expect(await page.getByLabel('Program', { exact: true }).count()).toBe(0);
    await page.getByRole('button', { name: 'Remove' }).click();
    expect(await page.getByLabel('Program', { exact: true }).inputValue()).toContain('def solve');
    expect(faults).toEqual([]);
  });

  it('keeps shortcuts off while typing, and lists them on ?', async () => {
    await using open = await openPage(browser, site.url);
    const { page, faults } = open;
    await page.goto('/');
    await page.getByRole('searchbox').fill('');
    await page.keyboard.type('gs?');
    expect(await page.getByRole('dialog').count()).toBe(0);
    await page.getByRole('searchbox').fill('');
    await page.getByRole('searchbox').blur();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('g');
    await page.keyboard.press('s');
    await page.getByRole('heading', { level: 1, name: 'Submissions' }).waitFor();
    expect(faults).toEqual([]);
  });

  it('shows what is missing instead of an empty page', async () => {
    await using open = await openPage(browser, site.url);
    const { page, faults, allowStatus } = open;
    allowStatus.add(404);
    await page.goto('/challenges/there-is-no-such-challenge');
    await page.getByText('This challenge could not be loaded.').waitFor();
    expect(faults).toEqual([]);
  });

  it('is dark before the first paint when the system or the reader wants it, and stays so', async () => {
    await using open = await openPage(browser, site.url, { colorScheme: 'dark' });
    const { page } = open;
    const scheme = () => page.evaluate(() => document.documentElement.dataset.mantineColorScheme);
    await page.route('**/assets/*.js', (route) => route.abort());
    await page.goto('/', { waitUntil: 'domcontentloaded' });
    expect(await scheme()).toBe('dark');
    await page.unroute('**/assets/*.js');
    await page.goto('/');
    await page.getByLabel('Theme').selectOption('light');
    expect(await scheme()).toBe('light');
    await page.reload();
    expect(await scheme()).toBe('light');
  });

  describe('every page, in both themes', () => everyPage(() => ({ site, browser })));
});

const firstCase = async (page: Page): Promise<string> => {
  const button = page.locator('.case-key').first();
  await button.waitFor();
  return ((await button.textContent()) ?? '').trim();
};

function everyPage(given: () => { site: Site; browser: Browser }): void {
  let site: Site;
  let browser: Browser;
  let submission: string;

  beforeAll(async () => {
    ({ site, browser } = given());
    await using open = await openPage(browser, site.url);
    await open.page.goto(`/challenges/${site.defence.slug}?tab=standing`);
    const href = await open.page.getByRole('table', { name: 'Standing' }).getByRole('link').first().getAttribute('href');
    submission = href ?? '';
  }, 180_000);
  const pages: [name: string, path: () => string][] = [
    ['challenge list', () => '/'],
    ['challenge', () => `/challenges/${site.defence.slug}`],
    ['rubric', () => `/challenges/${site.defence.slug}?tab=rubric&source=true`],
    ['standing', () => `/challenges/${site.defence.slug}?tab=standing`],
    ['defence form', () => `/challenges/${site.defence.slug}?tab=submit`],
    ['answers form', () => `/challenges/${site.answers.slug}?tab=submit`],
    ['program form', () => `/challenges/${site.program.slug}?tab=submit`],
    ['submission', () => submission],
    ['submissions', () => '/submissions'],
    ['status', () => '/status'],
  ];

  for (const colorScheme of ['light', 'dark'] as const) {
    it.each(pages)(`%s, ${colorScheme}: accessible, no fault, no jump, fits a phone`, async (_name, path) => {
      await using open = await openPage(browser, site.url, { colorScheme });
      const { page, faults } = open;
      await page.goto(path());
      await page.getByRole('heading', { level: 1 }).waitFor();
      await expect.poll(() => page.locator('[aria-busy="true"]').count()).toBe(0);
      expect(await page.evaluate(() => document.documentElement.dataset.mantineColorScheme)).toBe(colorScheme);
      expect(await seriousFaults(page)).toEqual([]);
      expect(await layoutShift(page)).toBeLessThan(0.1);
      await page.setViewportSize({ width: 390, height: 844 });
      expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBeLessThanOrEqual(0);
      expect(faults).toEqual([]);
    });

    it(`an open case, ${colorScheme}: accessible`, async () => {
      await using open = await openPage(browser, site.url, { colorScheme });
      const { page, faults } = open;
      await page.goto(submission);
      await page.locator('.case-key').first().click();
      await page.getByRole('dialog').getByRole('heading', { name: 'Transcript' }).waitFor();
      expect(await seriousFaults(page)).toEqual([]);
      expect(faults).toEqual([]);
    });
  }
}

interface AxeResult {
  violations: { id: string; impact: string | null; nodes: { html: string; failureSummary: string }[] }[];
}

/** What axe-core finds of WCAG 2 A and AA that is serious or critical, with the elements. */
async function seriousFaults(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const result = await page.evaluate(() => {
    const { axe } = window as unknown as { axe: { run(options: object): Promise<AxeResult> } };
    return axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] });
  });
  return result.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary}`));
}
