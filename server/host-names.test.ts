import { expect, it } from 'vitest';
import { hostInUrl, hostNamesOf } from './host-names.ts';

const loopback = ['localhost', '127.0.0.1', '[::1]'];

it('answers to loopback names alone on loopback, whichever of its addresses', () => {
  expect(hostNamesOf('127.0.0.1', undefined)).toEqual(loopback);
  expect(hostNamesOf('localhost', undefined)).toEqual(loopback);
  expect(hostNamesOf('::1', undefined)).toEqual(loopback);
  expect(hostNamesOf('127.0.0.2', undefined)).toEqual([...loopback, '127.0.0.2']);
});

it('answers to its own address and to its public name', () => {
  expect(hostNamesOf('192.0.2.7', undefined)).toEqual([...loopback, '192.0.2.7']);
  expect(hostNamesOf('0.0.0.0', 'https://Judge.Example:8443/')).toEqual([...loopback, 'judge.example']);
  expect(hostNamesOf('2001:DB8::1', undefined)).toEqual([...loopback, '[2001:db8::1]']);
});

it('answers to any name only where it listens everywhere and has no public one', () => {
  expect(hostNamesOf('0.0.0.0', undefined)).toEqual([]);
  expect(hostNamesOf('::', undefined)).toEqual([]);
});

it('writes an IPv6 address in brackets', () => {
  expect([hostInUrl('::1'), hostInUrl('127.0.0.1')]).toEqual(['[::1]', '127.0.0.1']);
});
