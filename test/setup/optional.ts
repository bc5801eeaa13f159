import { describe, it } from 'vitest';

/** What a test needs that a machine may not have. `REQUIRE_<NAME>=1` turns its absence into a failure. */
export type Optional = { available: true } | { available: false; reason: string };

/**
 * `describe` for tests that need something optional. Where it is missing the suite is reported as skipped with the
 * reason in its name; where `REQUIRE_DOCKER`, `REQUIRE_REDIS`, `REQUIRE_CHROMIUM` or `REQUIRE_REGISTRY` is set it fails instead, so that
 * a continuous-integration run cannot pass by lacking an engine.
 */
export function describeWith(
  name: 'docker' | 'redis' | 'chromium' | 'registry' | 'crun' | 'runsc',
  state: Optional,
  title: string,
  body: () => void,
): void {
  if (state.available) {
    describe(title, body);
  } else if (process.env[`REQUIRE_${name.toUpperCase()}`] === '1') {
    describe(title, () => {
      it(`needs ${name}`, () => {
        throw new Error(`${name} is required here and not available: ${state.reason}`);
      });
    });
  } else {
    describe.skip(`${title} (skipped: ${state.reason})`, body);
  }
}
