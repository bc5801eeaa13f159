import { describe, expect, it } from 'vitest';
import { scanForSecrets } from './secret-scan.ts';

const scan = (text: string, file = 'README.md') => scanForSecrets([[file, Buffer.from(text)]]);

/** Put together here, so that no scanner takes this file for a leak. */
const letters = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const drawn = (length: number, step = 7) => Array.from({ length }, (_, i) => letters[(i * step + 3) % letters.length]).join('');
const upper = (length: number) => Array.from({ length }, (_, i) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[(i * 11 + 5) % 32]).join('');

const credentials: [string, string][] = [
  ['an AWS access key', `AKIA${upper(16)}`],
  ['a GitHub token', `ghp_${drawn(36)}`],
  ['a GitHub token', `github_pat_${drawn(22)}_${drawn(59)}`],
  ['an Anthropic key', `sk-ant-api03-${drawn(90)}`],
  ['an OpenAI key', `sk-proj-${drawn(48)}`],
  ['an OpenAI key', `sk-${drawn(20)}T3Blbk${'FJ'}${drawn(20, 5)}`],
  ['a Slack token', `xoxb-${'1234567890'.repeat(2)}-${drawn(24)}`],
  ['a Slack webhook', `https://hooks.slack.com/services/T${upper(9)}/B${upper(9)}/${drawn(24)}`],
  ['a Google API key', `AIza${drawn(35)}`],
  ['a private key', `-----BEGIN ${'RSA PRIVATE'} KEY-----`],
  ['a private key', `-----BEGIN ${'OPENSSH PRIVATE'} KEY-----`],
  ['a JSON web token', `eyJ${drawn(20)}.eyJ${drawn(60)}.${drawn(43)}`],
  ['an npm token', `npm_${drawn(36)}`],
  ['a Stripe key', `sk_live_${drawn(24)}`],
  ['a Stripe key', `whsec_${drawn(32)}`],
  ['a Hugging Face token', `hf_${drawn(80).replace(/[0-9]/g, '').slice(0, 34)}`],
  ['a GitLab token', `glpat-${drawn(20)}`],
  ['a password in a URL', `postgres://admin:${drawn(12)}@db.internal:5432/x`],
];

describe('the secret scan', () => {
  it.each(credentials)('finds %s with its line and shows a mask of it only', (what, secret) => {
    const { found } = scan(`# Title\n\ncall it with "${secret}", thanks\n`);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ file: 'README.md', line: 3, what });
    const shown = found[0]?.shown ?? '';
    expect(shown.split('…')[0]?.length).toBeLessThanOrEqual(4);
    expect(shown).not.toContain(secret.slice(0, 6));
  });

  it.each([
    ['yaml', `api_key: ${drawn(24)}`],
    ['an assignment', `const AUTH_TOKEN = '${drawn(32)}';`],
    ['JSON', `{"client_secret": "${drawn(20)}"}`],
    ['JSON inside JSON', JSON.stringify(JSON.stringify({ password: drawn(20) }))],
    ['hexadecimal', `secret=${'0f8a3c5e9b1d7264'.repeat(2)}`],
  ])('finds a value drawn at random behind a name of secrets: %s', (_, line) => {
    expect(scan(`first\n${line}\n`).found).toMatchObject([{ line: 2, what: expect.stringContaining('drawn at random') }]);
  });

  it.each([
    'the Risk-Taker said that task-oriented people ask-and-answer-questions-all-the-time-and-more',
    'password = getpass(prompt="1234567")',
    'secret: secret/password',
    '{ name: password, alphabet: alphanumeric, length: 8, per: case }',
    'keywords: [refusal, compliance]',
    'tokenizer: sentencepiece-model-version-2',
    `"key":"import socket and resolve the hostname"`,
    'postgres://user:password@localhost/db, mailto:someone@example.org, http://a.example/x:y@z',
    `aws_access_key_id = AKIA${'IOSFODNN7'}EXAMPLE`,
    `API_KEY=your_api_key_goes_here_1234`,
    'token = "$TOKEN_OF_THE_GATEWAY_1"',
    'maxOutputTokens: 1048576000000000, tokens = 12345678901234567890',
    '"id":"xstest-001","key":"level-1-secret-keeper-2"',
  ])('is silent on: %s', (line) => {
    expect(scan(line).found).toEqual([]);
  });

  it('reads every text file, and names the ones that are no text', () => {
    const secret = `ghp_${drawn(36)}`;
    const { found, unread } = scanForSecrets([
      ['cases/public.jsonl', Buffer.from(`{"id":"a"}\n{"id":"b","input":"${secret}"}\n`)],
      ['controls/oracle.zip', Buffer.from(`PK\u0003\u0004\0\0${secret}`)],
      ['graders/latin1.py', Buffer.from(`# caf\u00e9\nkey = "${secret}"\n`, 'latin1')],
    ]);
    expect(found.map(({ file, line }) => `${file}:${line}`)).toEqual(['cases/public.jsonl:2', 'graders/latin1.py:2']);
    expect(unread).toEqual(['controls/oracle.zip']);
  });

  it('stays fast on texts made to slow it down', () => {
    const lines = [
      'eyJ'.repeat(300_000),
      `token${'='.repeat(500_000)}`,
      `a://${'a'.repeat(500_000)}`,
      'key'.repeat(300_000),
      `sk-${'-'.repeat(500_000)}`,
    ];
    const startedAt = performance.now();
    expect(scan(lines.join('\n')).found).toEqual([]);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});
