import { z } from 'zod';

/** How much harm the material of a challenge could do; decides reviews, redaction and where programs may run. */
export const RiskTier = z.enum(['low', 'moderate', 'high', 'critical']);
export type RiskTier = z.infer<typeof RiskTier>;
