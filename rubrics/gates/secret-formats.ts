/** How a credential of one issuer looks; `group` is the part of the match that must stay secret (0: all of it). */
export interface SecretFormat {
  name: string;
  pattern: RegExp;
  group: 0 | 1;
}

const whole = (name: string, pattern: RegExp): SecretFormat => ({ name, pattern, group: 0 });

/**
 * Formats that issuers document themselves. Every quantifier is bounded, because the files were written by a stranger:
 * the time stays linear in the text, also for a line of 8 MB. `(?<![\w-])` keeps "Risk-Taker" from being an OpenAI key.
 *
 * Sources: AWS IAM user guide, "Unique identifiers" (AKIA, ASIA, base 32); GitHub blog, "Behind GitHub's new
 * authentication token formats", 2021; OpenAI and Anthropic API references, "Authentication" ("T3BlbkFJ" is base64 of
 * "OpenAI"); Slack API, "Token types" and "Incoming webhooks"; Google Cloud, "API keys" and "OAuth client"; RFC 7468
 * (PEM); RFC 7519 (JWT); npm, "About access tokens"; Stripe, "API keys" and "Webhooks"; Hugging Face, "User access
 * tokens"; GitLab, "Token overview"; RFC 3986, 3.2.1 (user information in URLs).
 */
export const secretFormats: readonly SecretFormat[] = [
  whole('an AWS access key', /(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Z0-9])/g),
  whole('a GitHub token', /(?<![\w-])(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{40,255})/g),
  whole('an Anthropic key', /(?<![\w-])sk-ant-[A-Za-z0-9]{2,12}-[\w-]{20,255}/g),
  whole(
    'an OpenAI key',
    /(?<![\w-])sk-(?:(?:proj|svcacct|admin)-[\w-]{20,255}|[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}|[A-Za-z0-9]{40,64})/g,
  ),
  whole('a Slack token', /(?<![\w-])xox[abeoprs]-[A-Za-z0-9-]{10,255}/g),
  whole('a Slack webhook', /hooks\.slack\.com\/services\/T\w{6,16}\/B\w{6,16}\/\w{16,40}/g),
  whole('a Google API key', /(?<![\w-])AIza[\w-]{35}(?![\w-])/g),
  whole('a Google client secret', /(?<![\w-])GOCSPX-[\w-]{28}(?![\w-])/g),
  whole('a private key', /-----BEGIN (?:[A-Z0-9]{2,12} ){0,2}PRIVATE KEY(?: BLOCK)?-----/g),
  whole('a JSON web token', /(?<![\w-])eyJ[\w-]{10,400}\.eyJ[\w-]{10,4000}\.[\w-]{16,1000}/g),
  whole('an npm token', /(?<![\w-])npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])/g),
  whole('a Stripe key', /(?<![\w-])(?:[rs]k_(?:live|test)_[A-Za-z0-9]{16,255}|whsec_[A-Za-z0-9+/=]{32,255})/g),
  whole('a Hugging Face token', /(?<![\w-])hf_[A-Za-z]{34}(?![A-Za-z0-9])/g),
  whole('a GitLab token', /(?<![\w-])glpat-[\w-]{20,255}/g),
  {
    name: 'a password in a URL',
    pattern: /(?<![a-z])[a-z][a-z0-9+.-]{1,15}:\/\/[^\s:@/"'<>\\]{1,100}:([^\s:@/"'<>\\]{3,200})@[\w.-]{1,200}/g,
    group: 1,
  },
];
