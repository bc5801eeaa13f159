import type { Reporter, TestModule } from 'vitest/node';

/** Prints, at the end of a run, why suites were skipped: a skip nobody reads about looks like a pass. */
export const skipReasons: Reporter = {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const reasons = new Map<string, number>();
    for (const suite of modules.flatMap((module) => [...module.children.allSuites()])) {
      const reason = /\(skipped: (.+)\)$/s.exec(suite.name)?.[1];
      if (reason !== undefined) reasons.set(reason, (reasons.get(reason) ?? 0) + [...suite.children.allTests()].length);
    }
    for (const [reason, tests] of reasons) console.log(`skipped ${tests} tests: ${reason}`);
  },
};
