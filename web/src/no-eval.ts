import { config } from 'zod';

// The content security policy forbids making code from text, which zod would try once to see whether it may, and each
// such try is reported as a violation. It must be said before any schema is made, so the entry module loads this first.
config({ jitless: true });
