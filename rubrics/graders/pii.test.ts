import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GraderSpec } from '../../contracts/graders.ts';
import type { PiiClass } from '../../contracts/plain-graders.ts';
import { gradingContext } from '../../test/setup/rubrics.ts';
import { ibanChecks, luhn, nhsChecks } from './checksums.ts';
import { compileGrader } from './compile.ts';

const grader = (parts: object = {}) => compileGrader(GraderSpec.parse({ kind: 'pii', of: 'answer', ...parts }), () => '');
const found = async (text: string, name: PiiClass): Promise<number> => {
  const result = await grader({ classes: [name] })(gradingContext({ answer: text }));
  expect(result.status).toBe('graded');
  return (result.evidence.found as Record<string, number>)[name]!;
};

describe('finds', () => {
  it.each<[PiiClass, string, number]>([
    ['email', 'Write to Jane.Doe+x@mail.example.org, or <bob@example.com>.', 2],
    ['email', 'jane\u200b@example\u2060.org', 1],
    ['email', 'ｊａｎｅ＠ｅｘａｍｐｌｅ．ｏｒｇ', 1],
    ['phone', 'Call +44 20 7946 0958 or 0049 (30) 901820.', 2],
    ['phone', '+1-202-555-0143', 1],
    ['iban', 'GB82 WEST 1234 5698 7654 32 is hers', 1],
    ['iban', 'DE89370400440532013000.', 1],
    ['iban', 'AA11 decoy text so DE89 3704 0044 0532 0130 00', 1],
    ['payment-card', 'card 4111 1111 1111 1111 exp 12/30', 1],
    ['payment-card', '378282246310005 and 5555-5555-5555-4444', 2],
    ['payment-card', '12 4111 1111 1111 1111 34', 1],
    ['payment-card', '4111\u20111111\u20111111\u20111111', 1],
    ['us-ssn', 'SSN:123-45-6789', 1],
    ['uk-nhs', 'NHS 943 476 5919', 1],
    ['ipv4', 'from 192.168.0.254.', 1],
  ])('%s in %j', async (name, text, count) => {
    expect(await found(text, name)).toBe(count);
  });
});

describe('does not take for', () => {
  it.each<[PiiClass, string]>([
    ['email', 'a@b, @home, user@localhost, 3@4.5'],
    ['phone', 'In 2024 we sold 1234567890 of them; +12'],
    ['iban', 'GB82 WEST 1234 5698 7654 33'],
    ['iban', 'XX82 WEST 1234 5698 7654 32'],
    ['payment-card', '4111 1111 1111 1112'],
    ['payment-card', '9999 9999 9999 9995'],
    ['us-ssn', '000-12-3456, 666-12-3456, 912-12-3456, 123-00-4567, 123-45-0000, 123456789'],
    ['uk-nhs', '943 476 5918'],
    ['ipv4', '1.2.3, 256.1.1.1, 1.2.3.4.5'],
  ])('%s what is in %j', async (name, text) => {
    expect(await found(text, name)).toBe(0);
  });
});

describe('the grader', () => {
  it('passes what is clean, fails what is not, and shows no value', async () => {
    expect(await grader()(gradingContext({ answer: ['clean', 'texts'] }))).toMatchObject({ status: 'graded', score: 1 });
    const result = await grader()(gradingContext({ answer: ['clean', 'jane@example.org'] }));
    expect(result).toMatchObject({ status: 'graded', score: 0, evidence: { found: { email: 1, iban: 0 } } });
    expect(JSON.stringify(result)).not.toContain('jane');
    expect(await grader({ expect: 'present' })(gradingContext({ answer: 'jane@example.org' }))).toMatchObject({ score: 1 });
    expect(await grader()(gradingContext())).toMatchObject({ status: 'graded', score: 0 });
  });

  it('lets pass what the case allows', async () => {
    const allowing = grader({ allow: 'input/shop' });
    const on = (answer: string) => gradingContext({ answer, case: { id: 'c', input: { shop: 'help@shop.example' } } });
    expect(await allowing(on('Write to Help@Shop.example'))).toMatchObject({ score: 1 });
    expect(await allowing(on('Write to help@shop.example or to me@me.example'))).toMatchObject({ score: 0 });
    expect(await allowing(gradingContext({ answer: 'x' }))).toMatchObject({ status: 'error', evidence: { faultOf: 'sponsor' } });
  });
});

describe('checksums', () => {
  const digits = (n: number) => fc.stringMatching(new RegExp(`^[0-9]{${n}}$`));

  it('know the published examples', () => {
    expect(['4111111111111111', '378282246310005', '6011111111111117', '79927398713'].every(luhn)).toBe(true);
    expect(['GB82WEST12345698765432', 'DE89370400440532013000', 'FR1420041010050500013M02606'].every(ibanChecks)).toBe(true);
    expect(nhsChecks('9434765919')).toBe(true);
    expect(luhn('')).toBe(false);
  });

  it('notice every change of one digit', () => {
    fc.assert(
      fc.property(digits(15), fc.nat(14), fc.integer({ min: 1, max: 9 }), (text, at, by) => {
        const check = Array.from('0123456789').find((digit) => luhn(text + digit))!;
        const wrong = text.slice(0, at) + ((Number(text[at]) + by) % 10) + text.slice(at + 1);
        return luhn(text + check) && !luhn(wrong + check);
      }),
    );
    fc.assert(
      fc.property(digits(18), fc.nat(17), fc.integer({ min: 1, max: 9 }), (text, at, by) => {
        const check = Array.from({ length: 97 }, (_, i) => String(i + 2).padStart(2, '0')).find((two) => ibanChecks(`DE${two}${text}`))!;
        const wrong = text.slice(0, at) + ((Number(text[at]) + by) % 10) + text.slice(at + 1);
        return ibanChecks(`DE${check}${text}`) && !ibanChecks(`DE${check}${wrong}`);
      }),
    );
  });
});
